"""A source with a feed, and Redis without what other tests counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from pipeline.kernel.config import config
from pipeline.sources.models import Source
from pipeline.sources.pushes import limits
from tests.factories import sources


def made() -> Source:
    now = timezone.now()
    source = sources.source(home_url="https://gazette.example/", now=now)
    sources.channel(source=source, now=now, next_due_at=now + timedelta(hours=1), last_full_at=now)
    return source


@pytest.fixture
def site(db: None) -> Source:
    return made()


@pytest.fixture
def counters(engines: object) -> Iterator[redis.Redis]:
    limits._away_until[0] = 0.0
    with redis.Redis.from_url(config().redis_url) as client:
        for pattern in ("dateline:knocks:*", "dateline:heard:*"):
            for key in client.scan_iter(pattern):
                client.delete(key)
        yield client
