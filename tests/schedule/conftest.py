"""A scheduler whose bells are really rung and answered; tests ask for it as `clock`."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from pipeline.articles.models import Article
from pipeline.delivery.send import prepare
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, Queue
from pipeline.schedule.plan import plan
from pipeline.schedule.release import advance
from tests.factories import articles, audience, editions

SLOT = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
DRAFT, CUTOFF = SLOT - timedelta(minutes=45), SLOT - timedelta(minutes=20)
BEGUN = SLOT - timedelta(hours=3)
DAILY = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}
QUEUES = [f"dateline:{queue.value}" for queue in Queue]


@dataclass
class Clock:
    """The scheduler and the workers behind it: a tick, then whatever it rang for."""

    bells: redis.Redis
    commit: Callable[..., Any]
    rung: Counter[str] = field(default_factory=Counter)
    working: bool = True

    def tick(self, now: datetime) -> None:
        with self.commit(execute=True):
            plan(now=now)
            advance(now=now)
        if self.working:
            self.answer(now=now)

    def answer(self, *, now: datetime) -> None:
        """Do what is waiting in the queues, as a worker would."""
        for queue in Queue if self.bells.exists(*QUEUES) else ():
            while message := self.bells.lpop(f"dateline:{queue.value}"):
                told = json.loads(message)  # type: ignore[arg-type]
                kwargs = json.loads(base64.b64decode(told["body"]))[1]
                self.rung[told["headers"]["task"]] += 1
                with self.commit(execute=True):
                    if told["headers"]["task"] == Job.EDITIONS_COMPOSE.value:
                        compose(**kwargs, now=now)
                    elif told["headers"]["task"] == Job.DELIVERY_PREPARE.value:
                        prepare(**kwargs, now=now)

    def run(self, start: datetime, end: datetime, *, step: timedelta = timedelta(minutes=1)) -> None:
        now = start
        while now <= end:
            self.tick(now)
            now += step


@pytest.fixture
def clock(db: None, django_capture_on_commit_callbacks: Any) -> Iterator[Clock]:
    with redis.Redis.from_url(config().redis_url) as bells:
        bells.delete(*QUEUES)
        yield Clock(bells, django_capture_on_commit_callbacks)
        bells.delete(*QUEUES)


def newsletter(*, cadence: dict[str, Any] | None = None, **fields: Any) -> Newsletter:
    made = editions.newsletter(cadence=cadence or DAILY, **fields)
    Newsletter.objects.filter(id=made.id).update(created_at=BEGUN)
    audience.subscriber(follows=made.topic)
    made.refresh_from_db()
    return made


def stories(count: int = 4, *, now: datetime = DRAFT) -> list[Article]:
    return [articles.article(age_s=600 + 60 * n, now=now) for n in range(count)]


def first() -> Edition:
    return Edition.objects.order_by("slot_at")[0]
