"""One Redis connection, as little of it as the door needs: RESP2 over asyncio, replies in order of the commands.

redis-py costs more than the whole rest of a click (measured: one XADD awaited per request through
it gave a quarter of the requests a second).
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

CONNECT_S = 2.0
#: No command of ours is answered with more; a peer that sends more is not a Redis.
LONGEST_REPLY = 64 << 20


class Refused(Exception):
    """Redis answered with an error; the message is its own."""


class Wire(asyncio.Protocol):
    """`call` sends at once and gives a future; many may be under way. `lost` is called once when it breaks."""

    def __init__(self, lost: Callable[[], None] = lambda: None) -> None:
        self._lost = lost
        self._pending: deque[asyncio.Future[Any]] = deque()
        self._input = b""
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def call(self, *parts: bytes) -> asyncio.Future[Any]:
        """Send one command. Its future ends with the reply, Refused, or ConnectionError."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None:
            future.set_exception(ConnectionError("not connected"))
            return future
        self._pending.append(future)
        self._transport.write(command(*parts))
        return future

    def close(self) -> None:
        """Cut the connection; what is under way ends with ConnectionError."""
        if self._transport is not None:
            self._transport.abort()
            self.connection_lost(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """For asyncio."""
        # uvloop's transports are asyncio's by contract, not by inheritance
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """For asyncio; `close` gets here first, so it is met twice."""
        if self._transport is None:
            return
        self._transport = None
        waiting, self._pending = self._pending, deque()
        for future in waiting:
            _settle(future, ConnectionError(str(exc or "the connection closed")))
        self._lost()

    def data_received(self, data: bytes) -> None:
        """For asyncio."""
        self._input = self._input + data if self._input else data
        at = 0
        try:
            while at < len(self._input) and self._pending:
                reply, at = parse(self._input, at)
                _settle(self._pending.popleft(), reply)
        except _Partial:
            pass
        except ValueError:
            self.close()
            return
        self._input = self._input[at:]
        if len(self._input) > LONGEST_REPLY or (self._input and not self._pending):
            self.close()


async def connect(url: str, *, lost: Callable[[], None] = lambda: None) -> Wire:
    """Connect, authenticate and select as `url` says: unix:///path?db=0, redis://, rediss:// (TLS).

    Raises OSError (ConnectionError, TimeoutError) or Refused; ValueError for a URL of another kind.
    """
    async with asyncio.timeout(CONNECT_S):
        wire = await _dialled(url, lambda: Wire(lost))
        try:
            for step in _greeting(url):
                await wire.call(*step)
        except BaseException:
            wire.close()
            raise
    return wire


async def _dialled(url: str, factory: Callable[[], Wire]) -> Wire:
    loop, at = asyncio.get_running_loop(), urlsplit(url)
    if at.scheme == "unix":
        return (await loop.create_unix_connection(factory, unquote(at.path)))[1]
    if at.scheme not in ("redis", "rediss"):
        raise ValueError(f"a Redis address begins with redis://, rediss:// or unix://, not {at.scheme}://")
    tls = ssl.create_default_context() if at.scheme == "rediss" else None
    return (await loop.create_connection(factory, at.hostname or "localhost", at.port or 6379, ssl=tls))[1]


def _greeting(url: str) -> list[tuple[bytes, ...]]:
    at = urlsplit(url)
    query = parse_qs(at.query)
    user = unquote(at.username or "") or query.get("username", [""])[0]
    password = unquote(at.password or "") or query.get("password", [""])[0]
    path_db = at.path.strip("/") if at.scheme != "unix" else ""
    db = query.get("db", [path_db])[0] or "0"
    login = [(b"AUTH", *(part.encode() for part in (user, password) if part))] if password else []
    return [*login, (b"SELECT", db.encode()), (b"PING",)]


def command(*parts: bytes) -> bytes:
    """A command as RESP: an array of bulk strings."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def parse(data: bytes, at: int) -> tuple[Any, int]:
    """The reply at `at` and where it ends: bytes, int, None, list, or a Refused as a value.

    Raises _Partial where the rest has yet to come, ValueError where this is not RESP2.
    """
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Partial
    mark, text, after = data[at : at + 1], data[at + 1 : end], end + 2
    if mark == b"+":
        return text, after
    if mark == b"-":
        return Refused(text.decode("utf-8", "replace")), after
    if mark == b":":
        return int(text), after
    if mark == b"$":
        return _bulk(data, after, int(text))
    if mark == b"*":
        return _array(data, after, int(text))
    raise ValueError(f"{mark!r} begins no reply")


class _Partial(Exception):
    """More bytes are needed."""


def _bulk(data: bytes, at: int, size: int) -> tuple[bytes | None, int]:
    if size < 0:
        return None, at
    if len(data) < at + size + 2:
        raise _Partial
    return data[at : at + size], at + size + 2


def _array(data: bytes, at: int, size: int) -> tuple[list[Any] | None, int]:
    if size < 0:
        return None, at
    items = []
    for _ in range(size):
        item, at = parse(data, at)
        items.append(item)
    return items, at


def _settle(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # not every caller waits for it; asyncio would warn about those
    else:
        future.set_result(outcome)
