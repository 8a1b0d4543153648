"""What every answer of the door is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

#: Of what is one reader's affair.
PRIVATE: tuple[Header, ...] = (
    (b"cache-control", b"private, no-store"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
)
#: Pages of every site may read it.
OPEN: Header = (b"access-control-allow-origin", b"*")
TEXT, JSON, GIF = b"text/plain; charset=utf-8", b"application/json", b"image/gif"
EMPTY: Message = {"type": "http.response.body", "body": b""}


async def reply(
    send: Send, status: int, media_type: bytes, body: bytes, *, headers: tuple[Header, ...] = PRIVATE
) -> None:
    """A whole answer. The server leaves the body out where the question was HEAD."""
    told = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


async def not_found(send: Send) -> None:
    """There is nothing here."""
    await reply(send, 404, TEXT, b"Not found\n")


async def nothing(send: Send) -> None:
    """204, whatever became of what was sent: who forges reports learns nothing from the answer."""
    await send({"type": "http.response.start", "status": 204, "headers": list(PRIVATE)})
    await send(EMPTY)
