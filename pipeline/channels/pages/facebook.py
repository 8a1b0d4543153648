"""A Facebook page by the Graph API (developers.facebook.com/docs/pages-api, v25.0, read 2026-11-25).

Facebook draws the card from the page that `link` leads to; its title cannot be chosen. A page's token does not run out,
but dies with a changed password or role.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from pipeline.channels.base import Gone, Limits, Message, Metrics, Permanent, Picture, Published, Temporary, Unknown
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, carries, list_in
from pipeline.channels.pages import graph

VERSION = "v25.0"
_PAGE, _WINDOW = 50, 100  #: posts in a request, and in all, that `find` looks at
_FIELDS = "id,message,permalink_url,attachments{unshimmed_url}"
_COUNTS = "reactions.limit(0).summary(total_count),comments.limit(0).summary(total_count),shares,insights.metric(post_media_view)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The page's number and token. `app_secret` signs every call where the app requires proof."""

    access_token: str = field(repr=False)
    page: str
    app_secret: str = field(default="", repr=False)


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Facebook:  # noqa: ARG001
    """The page whose number is among the keys."""
    return Facebook(credentials=Credentials(**keys), base_url=base_url)


class Facebook:
    """One page."""

    network = "facebook"

    def __init__(
        self, *, credentials: Credentials, base_url: str = "", timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self.limits: Limits | None = None
        self._page = f"/{VERSION}/{quote(credentials.page, safe='')}"
        self._proof = graph.proof(token=credentials.access_token, app_secret=credentials.app_secret)
        self._api = Caller(
            title="Facebook",
            base_url=base_url or "https://graph.facebook.com",
            judge=graph.judge("Facebook", self._tell),
            headers={"Authorization": f"Bearer {credentials.access_token}"},
            timeout_s=timeout_s,
        )

    def _tell(self, limits: Limits) -> None:
        self.limits = limits

    def publish(self, message: Message) -> Published:
        """POST /{page}/feed, after the pictures, which are not public before it. Raises as Channel.publish says."""
        form: dict[str, str] = {"message": message.text}
        photos = [self._uploaded(picture) for picture in message.pictures]
        if photos:
            form["attached_media"] = json.dumps([{"media_fbid": photo} for photo in photos])
        elif message.card:
            form["link"] = message.card.url
        response = self._api.write("POST", self._to(f"{self._page}/feed"), data=form)
        remote_id = body_of(response).get("id")
        if not remote_id:
            raise Unknown("Facebook answered without the post's id")
        return _published(str(remote_id), None)

    def find(self, message: Message) -> Published | None:
        """Look for the marker in the page's newest 100 posts, in text and card; /feed would hold visitors' too."""
        after, read = "", 0
        while read < _WINDOW:
            more = {"after": after} if after else {}
            response = self._api.ask("GET", self._to(f"{self._page}/posts", fields=_FIELDS, limit=str(_PAGE), **more))
            posts = list_in(response, "data", title="Facebook")
            for post in posts:
                if any(carries(words, message.marker) for words in _places(post)):
                    return _published(str(post["id"]), post.get("permalink_url"))
            paging = body_of(response).get("paging") or {}
            after, read = (paging.get("cursors") or {}).get("after") or "", read + _PAGE
            if not posts or not after or not paging.get("next"):
                break
        return None

    def edit(self, remote_id: str, message: Message) -> Published:
        """POST /{post}: the words change, card and pictures stay."""
        self._api.ask("POST", self._to(_place(remote_id)), data={"message": message.text})
        return _published(remote_id, None)

    def delete(self, remote_id: str) -> None:
        """DELETE /{post}. "Does not exist" also hides what a token may not see, so the page itself is asked then.

        Raises Permanent where the token no longer reaches the page: the post may still be there.
        """
        try:
            self._api.ask("DELETE", self._to(_place(remote_id)))
        except Gone:
            self._reached()

    def read(self, remote_id: str) -> str | None:
        """The message of a post."""
        try:
            post = body_of(self._api.ask("GET", self._to(_place(remote_id), fields="message")))
        except Gone:
            self._reached()
            return None
        return str(post.get("message", ""))

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts of posts, 50 in a request; one that is gone makes Graph refuse all, so they are then asked singly."""
        counted: dict[str, Metrics] = {}
        for start in range(0, len(remote_ids), 50):
            some = remote_ids[start : start + 50]
            try:
                counted |= self._counted(some)
            except (Gone, Permanent):
                counted |= self._counted_singly(some)
        return counted

    def _counted_singly(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        counted: dict[str, Metrics] = {}
        for remote_id in remote_ids:
            try:
                counted |= self._counted([remote_id])
            except Gone:
                continue
        return counted

    def _counted(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        response = self._api.ask("GET", self._to(f"/{VERSION}/", ids=",".join(remote_ids), fields=_COUNTS))
        return {name: _metrics(post) for name, post in body_of(response).items() if isinstance(post, dict)}

    def _uploaded(self, picture: Picture) -> str:
        form = {"published": "false", "alt_text_custom": picture.alt[:1000]}
        attached = {"source": ("picture", picture.content, picture.media_type)}
        response = self._api.ask("POST", self._to(f"{self._page}/photos"), data=form, files=attached)
        photo = body_of(response).get("id")
        if not photo:
            raise Temporary("Facebook took the picture but gave no id for it")
        return str(photo)

    def _reached(self) -> None:
        try:
            self._api.ask("GET", self._to(self._page, fields="id"))
        except Gone as hidden:
            raise Permanent("Facebook no longer shows the page to this token") from hidden

    def _to(self, path: str, **query: str) -> str:
        asked = urlencode({**query, **self._proof})
        return f"{path}?{asked}" if asked else path


def _places(post: dict[str, Any]) -> list[str]:
    attached = ((post.get("attachments") or {}).get("data")) or []
    return [str(post.get("message", "")), *(str(one.get("unshimmed_url", "")) for one in attached)]


def _metrics(post: dict[str, Any]) -> Metrics:
    return Metrics(
        likes=graph.total(post, "reactions"),
        reposts=(post.get("shares") or {}).get("count", 0),
        replies=graph.total(post, "comments"),
        impressions=graph.insight((post.get("insights") or {}).get("data"), "post_media_view"),
    )


def _place(remote_id: str) -> str:
    return f"/{VERSION}/{quote(remote_id, safe='')}"


def _published(remote_id: str, url: str | None) -> Published:
    return Published(remote_id=remote_id, url=url or f"https://www.facebook.com/{remote_id}")
