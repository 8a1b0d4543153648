from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pipeline.engagement.records import encode
from pipeline.tracking.spool.journal import Journal
from pipeline.tracking.spool.stream import Stream, safe


@asynccontextmanager
async def streaming(place: Path, url: str, *, limit: int = 1 << 30, **settings: Any) -> AsyncIterator[Stream]:
    stream = Stream(
        Journal(place / "spool", limit=limit), url=url, **{"poll_s": 0.05, "replay_after_s": 0.1, **settings}
    )
    await stream.start()
    try:
        yield stream
    finally:
        await stream.close()


def event(ordinal: int) -> bytes:
    return encode(at_ms=1, kind="click", flags=2, origin=7, ordinal=ordinal, link=1)


async def post(stream: Stream, ordinals: range) -> None:
    waiting = [stream.add(event(ordinal)) for ordinal in ordinals]
    await asyncio.gather(*(safe(done) for done in waiting if done))


async def soon(ready: Callable[[], bool], *, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def seen(valkey: Any) -> list[int]:
    """The ordinals in Redis, each event once."""
    return sorted(record.ordinal for record in {record.event_id: record for record in valkey.events()}.values())


async def test_an_answer_comes_after_redis_has_it(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        done = stream.add(event(1))
        assert done is not None
        assert not done.done()
        await done
        assert seen(valkey) == [1]


async def test_events_that_arrive_together_leave_together(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(500))
        assert valkey.client.xlen("dateline:events") == 1
        await post(stream, range(500, 510))
        records = valkey.events()
    assert [record.ordinal for record in records] == list(range(510))
    assert [record.counter for record in records] == list(range(1, 511))


async def test_what_the_drain_committed_leaves_the_disk(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(50))
        assert stream.lag == 50
        valkey.drain()
        await soon(lambda: stream.lag == 0)
        assert list((tmp_path / "spool").glob("*.log")) == []


async def test_nothing_is_posted_twice_while_redis_keeps_it(valkey: Any, tmp_path: Path) -> None:
    """The drain may be hours behind: as long as the stream holds the events, it must not grow by repeats."""
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(50))
        await asyncio.sleep(0.5)
        assert valkey.client.xlen("dateline:events") == 1


async def test_a_flushed_redis_gets_everything_again(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        for start in range(0, 100, 10):
            await post(stream, range(start, start + 10))
        valkey.client.flushall()
        await soon(lambda: seen(valkey) == list(range(100)))
        await post(stream, range(100, 110))
        await asyncio.sleep(0.3)
        assert len(valkey.events()) == len(seen(valkey)) == 110


async def test_a_flush_after_the_drain_brings_nothing_back(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(10))
        valkey.drain()
        await soon(lambda: stream.lag == 0)
        valkey.client.flushall()
        await asyncio.sleep(0.3)
        assert valkey.events() == []


async def test_clicks_are_answered_while_redis_is_away_and_arrive_when_it_is_back(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(10))
        valkey.kill()
        for start in range(10, 60, 10):
            began = time.monotonic()
            await post(stream, range(start, start + 10))
            assert time.monotonic() - began < 3
        assert not stream.reachable
        valkey.start()
        await soon(lambda: seen(valkey) == list(range(60)))
        await soon(lambda: stream.reachable)
        await post(stream, range(60, 70))
        assert seen(valkey) == list(range(70))


async def test_a_door_opens_without_redis(valkey: Any, tmp_path: Path) -> None:
    valkey.kill()
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(5))
        valkey.start()
        await soon(lambda: seen(valkey) == list(range(5)))


async def test_a_silent_redis_delays_one_flush_and_no_other(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(5))
        valkey.freeze()
        began = time.monotonic()
        await post(stream, range(5, 10))
        assert 0.04 < time.monotonic() - began < 3
        began = time.monotonic()
        for ordinal in range(10, 30):
            await post(stream, range(ordinal, ordinal + 1))
        assert time.monotonic() - began < 0.8, "twenty flushes that each waited would take a second"
        assert not stream.reachable
        valkey.thaw()
        await soon(lambda: seen(valkey) == list(range(30)))
        await soon(lambda: stream.reachable)


async def test_what_is_left_at_the_end_is_adopted_by_the_next(valkey: Any, tmp_path: Path) -> None:
    valkey.kill()
    async with streaming(tmp_path, valkey.url) as stream:
        await post(stream, range(20))
    valkey.start()
    async with streaming(tmp_path, valkey.url) as stream:
        await soon(lambda: seen(valkey) == list(range(20)))
        assert stream.lag == 20
        valkey.drain()
        await soon(lambda: stream.lag == 0)


async def test_a_full_buffer_drops_the_count_and_says_so(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url, buffer_limit=10) as stream:
        taken = [stream.add(event(ordinal)) for ordinal in range(15)]
        assert [done is None for done in taken] == [False] * 10 + [True] * 5
        assert stream.dropped == {"buffer full": 5}
        await post(stream, range(0))
    assert seen(valkey) == list(range(10))


async def test_without_room_on_disk_redis_alone_does(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url, limit=0) as stream:
        await post(stream, range(10))
        assert (seen(valkey), stream.lag, stream.dropped.total()) == (list(range(10)), 0, 0)


async def test_without_disk_and_redis_the_loss_is_counted_and_later_events_are_whole(
    valkey: Any, tmp_path: Path
) -> None:
    async with streaming(tmp_path, valkey.url, limit=1100) as stream:
        await post(stream, range(10))
        valkey.kill()
        await post(stream, range(10, 40))
        assert stream.dropped == {"no journal and no Redis": 30}
        valkey.start()
        await soon(lambda: seen(valkey) == list(range(10)))
        valkey.drain()
        await soon(lambda: stream.lag == 0)
        await post(stream, range(40, 45))
        assert valkey.drain()
        await soon(lambda: stream.lag == 0)
    assert seen(valkey) == [*range(10), *range(40, 45)]


async def test_a_stream_that_nobody_drains_is_not_grown_for_ever(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url, stream_limit=3) as stream:
        for ordinal in range(3):
            await post(stream, range(ordinal, ordinal + 1))
        await asyncio.sleep(0.2)
        await post(stream, range(3, 10))
        assert seen(valkey) == [0, 1, 2]
        valkey.drain()
        valkey.client.xtrim("dateline:events", maxlen=0, approximate=False)
        await soon(lambda: seen(valkey) == list(range(3, 10)))


async def test_a_refusing_redis_costs_nothing(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        valkey.client.set("dateline:events", "somebody's text")
        await post(stream, range(10))
        valkey.client.delete("dateline:events")
        await soon(lambda: seen(valkey) == list(range(10)))


async def test_one_cancelled_reader_does_not_stop_the_others(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url) as stream:
        done = stream.add(event(1))
        assert done is not None
        reader = asyncio.create_task(safe(done))
        await asyncio.sleep(0)
        reader.cancel()
        await post(stream, range(2, 4))
        assert reader.cancelled()
        await post(stream, range(4, 6))
        assert seen(valkey) == [1, 2, 3, 4, 5]


async def test_twenty_kills_lose_and_double_nothing(valkey: Any, tmp_path: Path) -> None:
    async with streaming(tmp_path, valkey.url, replay_after_s=0.02) as stream:
        for turn in range(20):
            posting = asyncio.create_task(post(stream, range(turn * 50, turn * 50 + 25)))
            await asyncio.sleep(0.001 * (turn % 5))
            valkey.kill()
            await post(stream, range(turn * 50 + 25, turn * 50 + 50))
            await posting
            valkey.start()
        await soon(lambda: seen(valkey) == list(range(1000)))


def test_the_stream_is_named_as_the_drain_reads_it() -> None:
    from pipeline.tracking.spool.stream import DRAINED, EVENTS

    assert (EVENTS, DRAINED) == (b"dateline:events", b"dateline:drained")
