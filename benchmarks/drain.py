"""Events from the stream into PostgreSQL, exactly once; peer: the same rows by plain COPY into a bare table.

The clicks are of one edition to 60,000 readers, with its links, stories and deliveries, so that every join and every
foreign key is paid for. Promise (DESIGN section 6): at least 50,000 events/s.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import engines

EVENTS, FRAME, REPEATS = 60_000, 120, 3
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def run() -> dict[str, Any]:
    """Medians in events per second."""
    with engines.running() as config:
        import redis

        origin = _edition()
        with redis.Redis.from_url(config.redis_url) as client:
            ours = [_drained(client, origin, number) for number in range(REPEATS)]
            peer = [_copied() for _ in range(REPEATS)]
    rows = [
        {"what": "drain", "events_per_s": round(statistics.median(ours))},
        {"what": "COPY into a bare table", "events_per_s": round(statistics.median(peer))},
    ]
    ratio = statistics.median(ours) / statistics.median(peer)
    return {
        "name": "drain",
        "rows": rows,
        "ratios": {"drain / COPY": round(ratio, 2)},
        "promise": ">= 50,000 events/s",
    }


def _edition() -> int:
    """An edition on its way to as many readers as there will be clicks; the number of its origin."""
    from django.db import connection
    from django.utils import timezone

    from pipeline.engagement.models import Link
    from tests.factories import articles, audience, delivery, editions, sources

    now = timezone.now()
    newsletter, source = editions.newsletter(now=now), sources.source(now=now)
    stories = [articles.article(source=source, now=now) for _ in range(14)]
    audience.readers(count=EVENTS, follows=newsletter.topic, now=now)
    origin: int = delivery.send(
        edition=editions.composed(newsletter=newsletter, slot_at=now, now=now), now=now
    ).origin_id
    Link.objects.filter(origin_id=origin).delete()
    Link.objects.bulk_create(
        Link(origin_id=origin, number=number, url=story.url, kind="story", article=story)
        for number, story in enumerate(stories)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return origin


def _frames(origin: int, number: int) -> Iterator[bytes]:
    from pipeline.engagement import records

    boot = bytes([number]) + os.urandom(5)
    for first in range(1, EVENTS + 1, FRAME):
        encoded = [
            records.encode(
                at_ms=int(time.time() * 1000), kind="click", flags=int(records.Flag.MAC_OK), origin=origin, ordinal=first + n,
                link=n % 14, method="GET", visitor=os.urandom(16), user_agent=AGENT.encode(), referrer=b"",
            )
            for n in range(FRAME)
        ]  # fmt: skip
        yield records.frame(encoded, boot=boot, first=first)


def _drained(client: Any, origin: int, number: int) -> float:
    from django.utils import timezone

    from pipeline.engagement import drain

    for frame in _frames(origin, number):
        client.xadd(drain.STREAM, {"p": frame})
    started, applied = time.perf_counter(), 0
    while drain.backlog(client):
        applied += drain.drain(client=client, now=timezone.now())
    assert applied == EVENTS, f"{applied} of {EVENTS} applied"
    return EVENTS / (time.perf_counter() - started)


def _copied() -> float:
    from django.db import connection, transaction

    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE bare (id bytea, at timestamptz, origin bigint, agent text) ON COMMIT DROP"
        )
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for _ in range(EVENTS):
                copy.write_row((os.urandom(12), "2026-04-19T04:30:00Z", 1, AGENT))
    return EVENTS / (time.perf_counter() - started)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
