"""From a request's event to Redis: adaptive group commit, with the journal written first.

One packed XADD is under way at a time. Events that arrive meanwhile wait together and leave with the next
one, which starts the moment the previous is acknowledged: no timer, so a quiet door answers at once and a
busy one packs more (measured: a fixed 5 ms timer gives a third of the requests a second).

Redis late by `ack_s`, or away: the event is in the journal, so the reader is answered, and what Redis did
not acknowledge is in *doubt* and posted again under the same ids, which the drain counts once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.engagement import records
from pipeline.tracking.spool.journal import Journal, Shelf
from pipeline.tracking.spool.wire import Refused, Wire, connect

EVENTS = b"dateline:events"
DRAINED = b"dateline:drained"
_FIELD = b"p"
#: With asyncio.timeout: before Python 3.12 wait_for could swallow the cancellation that ends the door.
_ANSWER_S = 5.0
_ADOPT_S = 60.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Flight:
    """A flush under way. `last`: the counter of its last event, 0 where the journal did not take it."""

    done: asyncio.Future[None]
    last: int
    events: int
    late: bool = False


class Stream:
    """Takes encoded events. All of it runs on one event loop."""

    def __init__(
        self,
        journal: Journal,
        *,
        url: str,
        ack_s: float = 0.05,
        replay_after_s: float = 30.0,
        poll_s: float = 2.0,
        buffer_limit: int = 32_768,
        stream_limit: int = 1_000_000,
    ) -> None:
        """`stream_limit`: with more entries than this waiting in Redis, events stay in the journal for now."""
        self.dropped: Counter[str] = Counter()
        self._journal, self._url = journal, url
        self._ack_s, self._replay_after_s, self._poll_s = ack_s, replay_after_s, poll_s
        self._buffer_limit = min(buffer_limit, records.MOST_EVENTS)
        self._stream_limit = stream_limit
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._busy = self._full = False
        self._wire: Wire | None = None
        self._unanswered: _Flight | None = None
        self._stray = _Stray()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def reachable(self) -> bool:
        """Whether Redis is connected and answers in time."""
        return self._wire is not None and (self._busy or self._unanswered is None)

    @property
    def lag(self) -> int:
        """Events on disk that the drain has not committed, as far as is known."""
        return sum(shelf.pending for shelf in self._journal.shelves)

    def add(self, encoded: bytes) -> asyncio.Future[None] | None:
        """Take an event. Answer when `safe(future)` returns; None: not taken, and counted so."""
        if len(self._waiting) >= self._buffer_limit:
            self.dropped["buffer full"] += 1
            return None
        self._waiting.append(encoded)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._flush)
        return self._done

    async def start(self) -> None:
        """Adopt what dead doors left, try to reach Redis once, and keep at it in the background."""
        self._journal.adopt(now=time.monotonic())
        await self._reach()
        self._keeper = self._loop.create_task(self._keep())

    async def close(self) -> None:
        """Hand over what waits (at most 2 s), then let go of Redis and the journal."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                while self._busy:
                    await asyncio.sleep(0.01)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._wire is not None:
            self._wire.close()
        self._journal.close()

    # -- one flush ---------------------------------------------------------------------------------

    def _flush(self) -> None:
        batch, done = self._waiting, self._done
        self._waiting, self._done = [], self._loop.create_future()
        payload, last = self._kept(batch)
        flight = _Flight(done, last, len(batch))
        if self._wire is None or self._unanswered is not None or self._full:
            self._unsure(flight)
            self._released(flight)
            return
        self._unanswered = flight
        timer = self._loop.call_later(self._ack_s, self._late, flight)
        reply = self._wire.call(b"XADD", EVENTS, b"*", _FIELD, payload)
        reply.add_done_callback(partial(self._acknowledged, flight, timer))

    def _kept(self, batch: list[bytes]) -> tuple[bytes, int]:
        """The batch as a frame, in the journal; counter 0: it did not fit there and goes under a stray id."""
        own = self._journal.own
        payload = records.frame(batch, boot=own.boot, first=own.written + 1)
        last = own.written + len(batch)
        if self._journal.append(payload, last=last):
            return payload, last
        return self._stray.frame(batch), 0

    def _acknowledged(self, flight: _Flight, timer: asyncio.TimerHandle, reply: asyncio.Future[Any]) -> None:
        timer.cancel()
        self._unanswered = None
        if reply.cancelled() or reply.exception():
            self._unsure(flight)
        elif flight.last:
            self._journal.own.mark(flight.last, reply.result())
        if not flight.late:
            self._released(flight)

    def _late(self, flight: _Flight) -> None:
        """Answer the readers without Redis. Flushes go to the journal alone until its answer is here."""
        flight.late = True
        self._unsure(flight)
        self._released(flight)

    def _unsure(self, flight: _Flight) -> None:
        if flight.last:
            self._journal.own.raise_doubt(flight.last, now=time.monotonic())
        else:
            self.dropped["no journal and no Redis"] += flight.events
            flight.events = 0

    def _released(self, flight: _Flight) -> None:
        """Answer its readers and begin the next flush."""
        if not flight.done.done():
            flight.done.set_result(None)
        if self._waiting:
            self._loop.call_soon(self._flush)
        else:
            self._busy = False

    # -- the background ----------------------------------------------------------------------------

    async def _keep(self) -> None:
        adopt_at = time.monotonic() + _ADOPT_S
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                if time.monotonic() >= adopt_at:
                    adopt_at = time.monotonic() + _ADOPT_S
                    self._journal.adopt(now=time.monotonic())
                await self._look()
            except Refused as refusal:
                logger.warning("Redis refused, counting goes on in the journal: %s", refusal)
            except Exception:
                logger.exception("counting goes on in the journal")
                self._hang_up()

    async def _reach(self) -> None:
        try:
            self._wire = await connect(self._url, lost=self._lost)
        except (OSError, Refused) as error:
            logger.warning("Redis is not reachable, counting goes on in the journal: %s", error or "timed out")

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()

    def _lost(self) -> None:
        """Redis may come back without its last seconds."""
        self._wire = None
        for shelf in self._journal.shelves:
            shelf.doubt_posted(now=time.monotonic())

    async def _look(self) -> None:
        """See what the drain has committed and whether Redis still has the rest; post again what it lost."""
        if self._wire is None:
            await self._reach()
        for shelf in self._journal.shelves:
            await self._look_at(shelf)
            if shelf.doubt > shelf.committed and time.monotonic() - shelf.doubted_at >= self._replay_after_s:
                await self._replay(shelf)

    async def _look_at(self, shelf: Shelf) -> None:
        """The stream is read before the drain's mark: an entry the drain trims between the two is in the mark."""
        if self._wire is None:
            return
        head = shelf.posted[0] if shelf.posted else None
        sought = head[1] if head else b"0-1"
        calls = [
            self._wire.call(b"XRANGE", EVENTS, sought, sought),
            self._wire.call(b"HGET", DRAINED, shelf.boot.hex().encode()),
            self._wire.call(b"XLEN", EVENTS),
        ]
        async with asyncio.timeout(_ANSWER_S):
            found, committed, length = await asyncio.gather(*calls)
        self._full = length >= self._stream_limit
        self._journal.settle(shelf, int(committed or 0))
        if head and not found and head[0] > shelf.committed:
            shelf.doubt_posted(now=time.monotonic())

    async def _replay(self, shelf: Shelf) -> None:
        upto, began = shelf.doubt, time.monotonic()
        for payload, last in shelf.payloads():
            if self._wire is None or self._full:
                return
            call = self._wire.call(b"XADD", EVENTS, b"*", _FIELD, payload)
            async with asyncio.timeout(_ANSWER_S):
                shelf.mark(last, await call)
            if last >= upto:
                break
        logger.info("posted events of boot %s up to %d again", shelf.boot.hex(), upto)
        shelf.allay(upto, now=began)


async def safe(done: asyncio.Future[None]) -> None:
    """Wait for a flush that many requests share: one of them, cancelled, cancels it for all, and they go on."""
    try:
        await done
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise


class _Stray:
    """Ids for events the journal had no room for: a boot of their own, so that ours never has a gap."""

    def __init__(self) -> None:
        self._boot, self._counter = os.urandom(records.BOOT_BYTES), 0

    def frame(self, batch: list[bytes]) -> bytes:
        first = self._counter + 1
        self._counter += len(batch)
        return records.frame(batch, boot=self._boot, first=first)
