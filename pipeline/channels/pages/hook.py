"""A signed webhook to anything that listens.

Every request carries `Dateline-Signature: t=<unix seconds>, v1=<hex HMAC-SHA256 of "t.body">`, as the pushes we
receive do; a GET has no body, and signs "GET <path and query>" in its place. docs/channels.md tells receivers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpcore
import httpx

from pipeline.channels.base import ChannelError, Gone, Limits, Message, Permanent, Picture, Published
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, refusal
from pipeline.kernel.config import config
from pipeline.kernel.outbound.guard import Deadline, Guard, system_resolver


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where to, and the secret both sides know."""

    url: str
    secret: str = field(repr=False)


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Hook:  # noqa: ARG001
    """The receiver at `url`, which must be on the public internet or among DATELINE_FETCH_ALLOW."""
    return Hook(credentials=Credentials(url=keys["url"], secret=keys["secret"]), allow=config().fetch_allow)


class Hook:
    """One receiver. `clock` is asked for the instant that is signed. Raises Permanent for what is no web address."""

    network = "hook"
    limits: Limits | None = None

    def __init__(
        self,
        *,
        credentials: Credentials,
        allow: frozenset[str] = frozenset(),
        timeout_s: tuple[float, float] = TIMEOUT_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url, self._secret, self._clock = _place(credentials.url), credentials.secret, clock
        guarded = _Guarded(allow=allow)
        self._api = Caller(title="the receiver", base_url="", judge=_refusal, timeout_s=timeout_s, transport=guarded)

    def publish(self, message: Message) -> Published:
        """POST `{"event": "post", ...}` with an Idempotency-Key. The answer may name the post's id and address."""
        answer = body_of(self._api.write(**self._signed("post", message.key, _told(message))))
        return Published(remote_id=str(answer.get("id") or message.key), url=_address(answer))

    def find(self, message: Message) -> Published | None:
        """GET ?key=<key>, answered with `{"post": {"id", "url", "text"}}` or `{"post": null}`.

        Raises Permanent where the receiver cannot be asked: a person must look.
        """
        found = self._asked(key=message.key)
        return Published(remote_id=str(found.get("id") or message.key), url=_address(found)) if found else None

    def read(self, remote_id: str) -> str | None:
        """GET ?id=<id>, answered like `find`."""
        found = self._asked(id=remote_id)
        return str(found.get("text", "")) if found else None

    def edit(self, remote_id: str, message: Message) -> Published:
        """POST `{"event": "edit", "id": ..., ...}`."""
        answer = body_of(self._api.ask(**self._signed("edit", message.key, {"id": remote_id, **_told(message)})))
        return Published(remote_id=remote_id, url=_address(answer))

    def delete(self, remote_id: str) -> None:
        """POST `{"event": "delete", "id": ...}`; 404 and 410 say that it was gone."""
        try:
            self._api.ask(**self._signed("delete", f"delete-{remote_id}", {"id": remote_id}))
        except Gone:
            return

    def _signed(self, event: str, key: str, told: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"event": event, "key": key, **told}, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "Dateline-Signature": signature(self._secret, body, at=self._clock()),
        }
        return {"method": "POST", "path": str(self._url), "content": body, "headers": headers}

    def _asked(self, **query: str) -> dict[str, Any] | None:
        url = self._url.copy_merge_params(query)
        signed = signature(self._secret, b"GET " + url.raw_path, at=self._clock())
        try:
            body = body_of(self._api.ask("GET", str(url), headers={"Dateline-Signature": signed}))
        except Gone as nothing:
            raise Permanent("the receiver cannot be asked for a post: see whether it is there") from nothing
        if "post" not in body or not isinstance(body["post"], dict | None):
            raise Permanent("the receiver does not say whether it has a post: see whether it is there")
        return body["post"]


def signature(secret: str, signed: bytes, *, at: datetime) -> str:
    """The value of `Dateline-Signature`."""
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + signed, hashlib.sha256).hexdigest()
    return f"t={stamp}, v1={mac}"


class _Guarded(httpx.HTTPTransport):
    """A transport that opens connections through the guard only: an address of ours is never asked by theirs."""

    def __init__(self, *, allow: frozenset[str]) -> None:
        super().__init__(trust_env=False)
        guard = Guard(allow=allow, resolve=system_resolver, deadline=Deadline())
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), max_keepalive_connections=0, network_backend=guard
        )


def _place(url: str) -> httpx.URL:
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL:
        place = httpx.URL("")
    if place.scheme not in ("http", "https") or not place.host:
        raise Permanent("the receiver's address is not one of the web")
    return place


def _told(message: Message) -> dict[str, Any]:
    card = message.card
    return {
        "text": message.text,
        "link": message.marker,
        "language": message.language,
        "reply_to": message.reply_to or None,
        "card": {"url": card.url, "title": card.title, "description": card.description} if card else None,
        "pictures": [_picture(picture) for picture in message.pictures],
    }


def _picture(picture: Picture) -> dict[str, str]:
    content = base64.b64encode(picture.content).decode("ascii")
    return {"content": content, "media_type": picture.media_type, "alt": picture.alt}


def _address(answer: Mapping[str, Any]) -> str | None:
    url = answer.get("url")
    return url[:500] if isinstance(url, str) and url.startswith(("https://", "http://")) else None


def _refusal(response: httpx.Response, *, writing: bool) -> ChannelError | None:
    if response.status_code in (404, 405, 410, 501):
        return Gone(f"the receiver answered {response.status_code}")
    said = str(body_of(response).get("error") or "")
    return refusal(response, title="the receiver", said=said, writing=writing)
