"""Threads by its own API (developers.facebook.com/documentation/threads, read 2026-11-25).

A post is made in two steps: a container that nobody sees, then its publication. A container becomes one post at most,
and expires within a day where it is never published; whoever keeps its number cannot post twice. There is no editing,
and a picture must lie at a public address: bytes cannot be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from pipeline.channels.base import (
    Gone,
    Keys,
    Limits,
    Message,
    Metrics,
    Permanent,
    Published,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, carries, list_in, moment
from pipeline.channels.pages import graph

_PAGE, _WINDOW = 50, 100  #: posts in a request, and in all, that `find` looks at
_FIELDS = "id,permalink,text,link_attachment_url"
_COUNTS = "views,likes,replies,reposts,quotes"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The profile's number and its long-lived token (60 days; may be renewed once it is a day old)."""

    access_token: str = field(repr=False)
    user: str


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Threads:  # noqa: ARG001
    """The profile whose number is among the keys."""
    return Threads(credentials=Credentials(**keys), base_url=base_url)


class Threads:
    """One profile."""

    network = "threads"

    def __init__(
        self, *, credentials: Credentials, base_url: str = "", timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self.limits: Limits | None = None
        self._keys, self._base_url, self._timeout_s = credentials, base_url, timeout_s
        self._profile = f"/v1.0/{quote(credentials.user, safe='')}"
        self._api = self._caller(credentials)

    def _caller(self, keys: Credentials) -> Caller:
        return Caller(
            title="Threads",
            base_url=self._base_url or "https://graph.threads.net",
            judge=graph.judge("Threads", self._tell),
            headers={"Authorization": f"Bearer {keys.access_token}"},
            timeout_s=self._timeout_s,
        )

    def _tell(self, limits: Limits) -> None:
        self.limits = limits

    def publish(self, message: Message) -> Published:
        """Publish the container, made now where there is none. Raises as Channel.publish says, Permanent for pictures."""
        container = message.draft or self._contained(message)
        response = self._api.write("POST", f"{self._profile}/threads_publish", data={"creation_id": container})
        remote_id = body_of(response).get("id")
        if not remote_id:
            raise Unknown("Threads answered without the post's id")
        return Published(remote_id=str(remote_id), url=self._permalink(str(remote_id)))

    def draft(self, message: Message, *, kept: str) -> str:
        """The container that was kept, while Threads has it and did not publish it; else a new one."""
        match self._status(kept):
            case "PUBLISHED":
                raise Unknown("Threads published it already, and the answer was lost")
            case "FINISHED" | "IN_PROGRESS":
                return kept
            case _:  # ERROR, EXPIRED, or gone: it can never be published any more
                return self._contained(message)

    def find(self, message: Message) -> Published | None:
        """Look for the marker in the profile's newest 100 posts, in text and card."""
        return self._found(f"{self._profile}/{'replies' if message.reply_to else 'threads'}", message)

    def delete(self, remote_id: str) -> None:
        """DELETE /{post} (100 a day). A post already gone is not an error; a profile out of reach is."""
        try:
            self._api.ask("DELETE", _place(remote_id))
        except Gone:
            self._reached()

    def read(self, remote_id: str) -> str | None:
        """The text of a post."""
        try:
            return str(body_of(self._api.ask("GET", _place(remote_id, fields="text"))).get("text", ""))
        except Gone:
            self._reached()
            return None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Lifetime counts, one request a post: the API knows no other way."""
        counted = {}
        for remote_id in remote_ids:
            try:
                response = self._api.ask("GET", _place(f"{remote_id}/insights", metric=_COUNTS))
            except Gone:
                continue
            counted[remote_id] = _metrics(body_of(response).get("data"))
        return counted

    def refresh(self) -> Keys:
        """A token for another 60 days, by one that still works."""
        asked = urlencode({"grant_type": "th_refresh_token", "access_token": self._keys.access_token})
        response = self._api.ask("GET", f"/refresh_access_token?{asked}")
        body = body_of(response)
        if not body.get("access_token"):
            raise Temporary("Threads gave no new token")
        self._keys = Credentials(access_token=str(body["access_token"]), user=self._keys.user)
        self._api = self._caller(self._keys)
        lasts = timedelta(seconds=int(body.get("expires_in", 0)))
        values = {"access_token": self._keys.access_token, "user": self._keys.user}
        return Keys(values=values, until=moment(response) + lasts if lasts else None)

    def _status(self, container: str) -> str:
        if not container:
            return ""
        try:
            return str(body_of(self._api.ask("GET", _place(container, fields="status"))).get("status", ""))
        except Gone:
            self._reached()
            return ""

    def _contained(self, message: Message) -> str:
        if message.pictures:
            raise Permanent("Threads takes pictures from a public address only")
        form = {"media_type": "TEXT", "text": message.text}
        if message.card:
            form["link_attachment"] = message.card.url
        if message.reply_to:
            form["reply_to_id"] = message.reply_to
        container = body_of(self._api.ask("POST", f"{self._profile}/threads", data=form)).get("id")
        if not container:
            raise Temporary("Threads gave no container")
        return str(container)

    def _permalink(self, remote_id: str) -> str | None:
        """The post's address, which only another request tells; without it the post is live all the same."""
        try:
            told = body_of(self._api.ask("GET", _place(remote_id, fields="permalink"))).get("permalink")
        except (Temporary, Permanent):
            return None
        return str(told) if told else None

    def _found(self, place: str, message: Message) -> Published | None:
        after, read = "", 0
        while read < _WINDOW:
            more = {"after": after} if after else {}
            response = self._api.ask("GET", f"{place}?{urlencode({'fields': _FIELDS, 'limit': _PAGE, **more})}")
            posts = list_in(response, "data", title="Threads")
            for post in posts:
                if any(carries(str(post.get(name, "")), message.marker) for name in ("text", "link_attachment_url")):
                    return Published(remote_id=str(post["id"]), url=post.get("permalink"))
            cursors = (body_of(response).get("paging") or {}).get("cursors") or {}
            after, read = cursors.get("after") or "", read + _PAGE
            if not posts or not after:
                break
        return None

    def _reached(self) -> None:
        try:
            self._api.ask("GET", f"{self._profile}?fields=id")
        except Gone as hidden:
            raise Unauthorised("Threads no longer shows the profile to this token") from hidden


def _metrics(rows: Any) -> Metrics:
    reposts, quotes = graph.insight(rows, "reposts"), graph.insight(rows, "quotes")
    return Metrics(
        likes=graph.insight(rows, "likes"),
        reposts=None if reposts is None else reposts + (quotes or 0),
        replies=graph.insight(rows, "replies"),
        impressions=graph.insight(rows, "views"),
    )


def _place(remote_id: str, **query: str) -> str:
    return f"/v1.0/{quote(remote_id, safe='/')}" + (f"?{urlencode(query)}" if query else "")
