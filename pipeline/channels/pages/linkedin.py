"""LinkedIn, an organisation's page, by the Posts API (learn.microsoft.com/linkedin, read 2026-11-25).

An address in the text gets no card: the article is described by us. Text is "little text", in which 15 characters
must be escaped or the rest of the post is silently lost. Rate limits are per day, end at midnight UTC and are told in
no header. A version of the API lives at least a year; after that it answers 426.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from pipeline.channels.base import (
    Card,
    ChannelError,
    Expired,
    Gone,
    Keys,
    Limits,
    Message,
    Metrics,
    Permanent,
    Picture,
    Published,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, carries, list_in, moment, patience, refusal

VERSION = "202607"  #: the newest known on 2026-08-13
_WINDOW = 100  #: newest own posts that `find` looks at
_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_HASHTAG = re.compile(r"(?<![\w&/])#(?=\w*[^\W\d_])(\w+)")


@dataclass(frozen=True, slots=True)
class Credentials:
    """`organisation` is its number or URN. The last three are given to approved partners only, for `refresh`."""

    access_token: str = field(repr=False)
    organisation: str
    refresh_token: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    version: str = VERSION

    @property
    def author(self) -> str:
        """The URN that posts."""
        given = self.organisation
        return given if given.startswith("urn:") else f"urn:li:organization:{given}"


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> LinkedIn:  # noqa: ARG001
    """The page whose organisation is among the keys."""
    return LinkedIn(credentials=Credentials(**keys), base_url=base_url)


class LinkedIn:
    """One organisation's page."""

    network = "linkedin"
    limits: Limits | None = None

    def __init__(
        self, *, credentials: Credentials, base_url: str = "", timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self._keys, self._base_url, self._timeout_s = credentials, base_url, timeout_s
        self._api = self._caller(credentials)

    def _caller(self, keys: Credentials) -> Caller:
        return Caller(
            title="LinkedIn",
            base_url=self._base_url or "https://api.linkedin.com",
            judge=self._refusal,
            timeout_s=self._timeout_s,
            headers={
                "Authorization": f"Bearer {keys.access_token}",
                "LinkedIn-Version": keys.version,
                "X-Restli-Protocol-Version": "2.0.0",
            },
        )

    def publish(self, message: Message) -> Published:
        """POST /rest/posts, after the pictures: nothing is public before it. Raises as Channel.publish says."""
        response = self._api.write("POST", "/rest/posts", json=self._post(message))
        urn = response.headers.get("x-restli-id", "")
        if not urn:
            raise Unknown(f"LinkedIn answered {response.status_code} without the post's id")
        return _published(urn)

    def find(self, message: Message) -> Published | None:
        """Look for the marker in the page's newest 100 posts, in text and card."""
        query = f"?q=author&author={quote(self._keys.author, safe='')}&count={_WINDOW}&sortBy=CREATED"
        response = self._api.ask("GET", f"/rest/posts{query}", headers={"X-RestLi-Method": "FINDER"})
        for post in list_in(response, "elements", title="LinkedIn"):
            source = ((post.get("content") or {}).get("article") or {}).get("source") or ""
            if carries(plain(str(post.get("commentary", ""))), message.marker) or carries(source, message.marker):
                return _published(str(post["id"]))
        return None

    def edit(self, remote_id: str, message: Message) -> Published:
        """Change the text; card and pictures stay as they were."""
        patch = {"patch": {"$set": {"commentary": little(message.text)}}}
        self._api.ask("POST", _place(remote_id), json=patch, headers={"X-RestLi-Method": "PARTIAL_UPDATE"})
        return _published(remote_id)

    def delete(self, remote_id: str) -> None:
        """DELETE /rest/posts/{urn}; idempotent at LinkedIn too."""
        try:
            self._api.ask("DELETE", _place(remote_id), headers={"X-RestLi-Method": "DELETE"})
        except Gone:
            return

    def read(self, remote_id: str) -> str | None:
        """The text, without its escapes."""
        try:
            return plain(str(body_of(self._api.ask("GET", _place(remote_id))).get("commentary", "")))
        except Gone:
            return None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Lifetime counts of the page's posts, 50 in a request."""
        counted: dict[str, Metrics] = {}
        for start in range(0, len(remote_ids), 50):
            response = self._api.ask("GET", self._statistics(remote_ids[start : start + 50]))
            counted |= _counts(list_in(response, "elements", title="LinkedIn"))
        return counted

    def refresh(self) -> Keys:
        """A new access token (60 days) for the refresh token, which itself is not prolonged."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._keys.refresh_token,
            "client_id": self._keys.client_id,
            "client_secret": self._keys.client_secret,
        }
        home = self._base_url or "https://www.linkedin.com"
        try:
            response = self._api.ask("POST", f"{home}/oauth/v2/accessToken", data=form, headers={"Authorization": None})
        except (Expired, Permanent) as refused:
            raise Unauthorised(str(refused)) from refused
        body = body_of(response)
        if not body.get("access_token"):
            raise Temporary("LinkedIn gave no new token")
        kept = {"access_token": body["access_token"], "refresh_token": body.get("refresh_token")}
        values = {name: getattr(self._keys, name) for name in Credentials.__slots__} | {
            name: str(value) for name, value in kept.items() if value
        }
        self._keys = Credentials(**values)
        self._api = self._caller(self._keys)
        lasts = timedelta(seconds=int(body.get("expires_in", 0)))
        return Keys(values=values, until=moment(response) + lasts if lasts else None)

    def _post(self, message: Message) -> dict[str, Any]:
        content = self._content(message)
        return {
            "author": self._keys.author,
            "commentary": little(message.text),
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
            **({"content": content} if content else {}),
        }

    def _content(self, message: Message) -> dict[str, Any]:
        """Pictures go before a card: LinkedIn takes one or the other."""
        uploaded = [{"id": self._uploaded(one), "altText": one.alt[:4086]} for one in message.pictures[:20]]
        if len(uploaded) == 1:
            return {"media": uploaded[0]}
        if uploaded:
            return {"multiImage": {"images": uploaded}}
        return {"article": self._article(message.card)} if message.card else {}

    def _article(self, card: Card) -> dict[str, str]:
        article = {"source": card.url, "title": card.title[:400], "description": card.description[:4086]}
        if card.picture:
            article["thumbnail"] = self._uploaded(card.picture)
        return {name: value for name, value in article.items() if value}

    def _uploaded(self, picture: Picture) -> str:
        """The Images API's two steps; a picture in no post is seen by nobody."""
        wanted = {"initializeUploadRequest": {"owner": self._keys.author}}
        begun = self._api.ask("POST", "/rest/images?action=initializeUpload", json=wanted)
        told = body_of(begun).get("value") or {}
        if not told.get("uploadUrl") or not told.get("image"):
            raise Temporary("LinkedIn gave no place for the picture")
        place = str(told["uploadUrl"])
        stranger = not (self._base_url or (httpx.URL(place).host or "").endswith(".linkedin.com"))
        headers = {"Content-Type": picture.media_type, **({"Authorization": None} if stranger else {})}
        self._api.ask("PUT", place, content=picture.content, headers=headers)
        return str(told["image"])

    def _statistics(self, urns: Sequence[str]) -> str:
        """Rest.li lists: the brackets and commas bare, what is between them encoded."""
        kinds = {"shares": "urn:li:share:", "ugcPosts": "urn:li:ugcPost:"}
        lists = {
            name: ",".join(quote(urn, safe="") for urn in urns if urn.startswith(start))
            for name, start in kinds.items()
        }
        asked = "".join(f"&{name}=List({urns})" for name, urns in lists.items() if urns)
        owner = quote(self._keys.author, safe="")
        return f"/rest/organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={owner}{asked}"

    def _refusal(self, response: httpx.Response, *, writing: bool) -> ChannelError | None:
        status, body = response.status_code, body_of(response)
        said = str(body.get("message") or body.get("error_description") or body.get("code") or "")
        words = f"LinkedIn answered {status}: {said}"[:300]
        if status == 401 and self._keys.refresh_token:
            return Expired(words)
        if status == 404:
            return Gone(words)
        if status == 429:
            return RateLimited(words, retry_after_s=patience(response) or _until_midnight_s(response), scope="app")
        if writing and (status == 409 or "duplicate" in said.lower()):
            return Unknown(words)  # our own lost request is the likeliest twin
        return refusal(response, title="LinkedIn", said=said, writing=writing)


def little(text: str) -> str:
    """The text as LinkedIn's parser must get it: reserved characters escaped, hashtags in their template.

    Source: "little text format", learn.microsoft.com, li-lms-2026-05.
    """
    parts, end = [], 0
    for tag in _HASHTAG.finditer(text):
        parts += [_escaped(text[end : tag.start()]), rf"{{hashtag|\#|{_escaped(tag[1])}}}"]
        end = tag.end()
    return "".join([*parts, _escaped(text[end:])])


def plain(commentary: str) -> str:
    """What readers see of a "little text"."""
    told = re.sub(r"\{hashtag\|\\?#\|((?:\\.|[^|}\\])+)\}", r"#\1", commentary)
    return re.sub(r"\\([\\|{}@\[\]()<>#*_~])", r"\1", told)


def _escaped(text: str) -> str:
    return _RESERVED.sub(lambda found: "\\" + found[0], text)


def _until_midnight_s(response: httpx.Response) -> float:
    """The daily windows open at midnight UTC."""
    now = moment(response)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()


def _counts(elements: list[dict[str, Any]]) -> dict[str, Metrics]:
    told = ((one.get("share") or one.get("ugcPost"), one.get("totalShareStatistics") or {}) for one in elements)
    return {
        str(urn): Metrics(
            likes=counts.get("likeCount"),
            reposts=counts.get("shareCount"),
            replies=counts.get("commentCount"),
            impressions=counts.get("impressionCount"),
        )
        for urn, counts in told
        if urn
    }


def _place(urn: str) -> str:
    return f"/rest/posts/{quote(urn, safe='')}"


def _published(urn: str) -> Published:
    return Published(remote_id=urn, url=f"https://www.linkedin.com/feed/update/{urn}")
