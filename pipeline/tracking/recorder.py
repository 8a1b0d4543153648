"""Writes requests down: what of a request becomes an event, and what is dropped and counted instead."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from pipeline.engagement import records
from pipeline.tracking.answers import Scope
from pipeline.tracking.limits import Allowance
from pipeline.tracking.spool.stream import Stream
from pipeline.tracking.visit import Visitors, manner, referrer_host

#: Of one /24 or /48: a big house on one address, at the minute a letter arrives, stays far below; a loop does not.
AT_ONCE, PER_S = 3000, 100.0


class Recorder:
    """Adds events to a stream. `dropped` is the stream's: every reason why something was not written down."""

    def __init__(self, stream: Stream, visitors: Visitors) -> None:
        self._stream, self._visitors = stream, visitors
        self._allowance = Allowance(at_once=AT_ONCE, per_s=PER_S)

    @property
    def dropped(self) -> Counter[str]:
        """How many were not written down, by reason."""
        return self._stream.dropped

    def visitor(self, scope: Scope, headers: dict[bytes, bytes]) -> bytes:
        """The key of the network that asks."""
        return self._visitors.of(scope["client"], headers, at_ms=time.time_ns() // 1_000_000).key

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
        visitor, network = self._visitors.of(scope["client"], headers, at_ms=at_ms)
        if not network.ours and not self._allowance.takes(visitor):
            self._stream.dropped["too many from one network"] += 1
            return None
        method = scope["method"]
        return self._stream.add(
            records.encode(
                at_ms=at_ms,
                kind=kind,
                flags=flags | network.flags | manner(method, headers),
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
