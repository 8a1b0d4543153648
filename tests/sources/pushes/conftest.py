"""A source with a feed, and the bells its looks ring."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import redis

from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, Queue
from pipeline.sources.models import Source
from pipeline.sources.pushes import limits
from tests.factories import sources

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


@pytest.fixture
def site(db: None) -> Source:
    source = sources.source(home_url="https://gazette.example/", now=NOW)
    sources.channel(source=source, now=NOW, next_due_at=NOW.replace(hour=5), last_full_at=NOW)
    return source


@pytest.fixture
def counters(engines: object) -> Iterator[redis.Redis]:
    """Redis without what other tests counted or heard."""
    limits._away_until[0] = 0.0
    with redis.Redis.from_url(config().redis_url) as client:
        for key in client.scan_iter("dateline:knocks:*"):
            client.delete(key)
        for key in client.scan_iter("dateline:heard:*"):
            client.delete(key)
        yield client


@pytest.fixture
def rung(engines: object) -> Iterator[Callable[[Job], list[dict[str, int]]]]:
    """The ids rung for, by job, since the test began."""
    names = [f"dateline:{queue.value}" for queue in Queue]
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete(*names)

        def heard(job: Job) -> list[dict[str, int]]:
            told = [json.loads(raw) for name in names for raw in reversed(client.lrange(name, 0, -1))]
            return [json.loads(b64decode(one["body"]))[1] for one in told if one["headers"]["task"] == job.value]

        yield heard
        client.delete(*names)
