"""Writes requests down: what of a request becomes an event, and what is dropped and counted instead."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from pipeline.engagement import records
from pipeline.engagement.records import Flag
from pipeline.tracking.answers import Scope
from pipeline.tracking.limits import Allowance
from pipeline.tracking.spool.stream import Stream
from pipeline.tracking.visit import Visitors, asks_for_privacy, is_prefetch, network_of, referrer_host, sender

#: Of one /24 or /48: a big house on one address, at the minute a letter arrives, stays far below; a loop does not.
AT_ONCE, PER_S = 3000, 100.0
_HEAD, _PREFETCH, _PRIVATE = int(Flag.HEAD), int(Flag.PREFETCH), int(Flag.PRIVATE)


class Recorder:
    """Adds events to a stream. `dropped` is the stream's: every reason why something was not written down."""

    def __init__(self, stream: Stream, visitors: Visitors, *, hops: int) -> None:
        """`hops`: proxies of ours in front."""
        self._stream, self._visitors, self._hops = stream, visitors, hops
        self._allowance = Allowance(at_once=AT_ONCE, per_s=PER_S)

    @property
    def dropped(self) -> Counter[str]:
        """How many were not written down, by reason."""
        return self._stream.dropped

    def visitor(self, scope: Scope, headers: dict[bytes, bytes]) -> bytes:
        """The key of the network that asks."""
        address = sender(scope["client"], headers, hops=self._hops)
        return self._visitors.of(address, at_ms=time.time_ns() // 1_000_000)

    def note(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        *,
        kind: str,
        flags: int,
        origin: int,
        ordinal: int,
        link: int,
        seconds: int | None = None,
    ) -> asyncio.Future[None] | None:
        """Write an event down; what is told is as records.encode takes it.

        It is safe when `spool.stream.safe` returns; None: it was not taken, and is counted so. Not a coroutine, and
        every name spelt out: at 25,000 clicks a second each layer of those is a twentieth of the door's work.
        """
        at_ms = time.time_ns() // 1_000_000
        address = sender(scope["client"], headers, hops=self._hops)
        visitor, network = self._visitors.of(address, at_ms=at_ms), network_of(address)
        if not network.ours and not self._allowance.takes(visitor):
            self._stream.dropped["too many from one network"] += 1
            return None
        method = scope["method"]
        return self._stream.add(
            records.encode(
                at_ms=at_ms,
                kind=kind,
                flags=flags | network.flags | _manner(method, headers),
                origin=origin,
                ordinal=ordinal,
                link=link,
                method=method,
                visitor=visitor,
                user_agent=headers.get(b"user-agent", b""),
                referrer=referrer_host(headers),
                seconds=seconds,
            )
        )


def _manner(method: str, headers: dict[bytes, bytes]) -> int:
    """Bits of records.Flag as an int: making the enum member would cost more than the rest."""
    return (
        (0 if method == "GET" else _HEAD)
        | (_PREFETCH if is_prefetch(headers) else 0)
        | (_PRIVATE if asks_for_privacy(headers) else 0)
    )
