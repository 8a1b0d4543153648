"""Knocks are counted and signatures heard once, for as long as Redis is there to do it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from pipeline.kernel.config import config
from pipeline.sources.pushes import limits

NOW = datetime(2026, 4, 19, 4, 12, 5, tzinfo=UTC)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that is away."""
    away = dataclasses.replace(config(), redis_url="unix:///nowhere/redis.sock?db=0")
    monkeypatch.setattr("pipeline.kernel.processes.redis_link.config", lambda: away)
    limits._redis.cache_clear()
    limits._away_until[0] = 0.0
    yield
    limits._redis.cache_clear()
    limits._away_until[0] = 0.0


def test_the_sixty_first_knock_of_a_minute_is_too_much_and_the_next_minute_starts_afresh(counters: redis.Redis) -> None:
    answers = [limits.may_knock("t", now=NOW) for _ in range(62)]
    assert answers == [True] * 60 + [False] * 2
    assert limits.may_knock("t", now=NOW + timedelta(seconds=60))


def test_one_token_does_not_use_up_another(counters: redis.Redis) -> None:
    for _ in range(70):
        limits.may_knock("loud", now=NOW)
    assert limits.may_knock("quiet", now=NOW)


def test_counters_do_not_stay_for_ever(counters: redis.Redis) -> None:
    limits.may_knock("t", now=NOW)
    limits.first_time("ab")
    keys = [*counters.scan_iter("dateline:knocks:*"), *counters.scan_iter("dateline:heard:*")]
    assert len(keys) == 2
    assert all(0 < counters.ttl(key) <= 600 for key in keys)


def test_a_signature_is_heard_once_until_it_is_forgotten(counters: redis.Redis) -> None:
    assert limits.first_time("ab")
    assert not limits.first_time("ab")
    limits.forget("ab")
    assert limits.first_time("ab")


def test_a_redis_that_is_away_shuts_nobody_out_and_costs_no_time(
    nobody: None, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()
    for _ in range(100):
        assert limits.may_knock("t", now=NOW)
        assert limits.first_time("ab")
    limits.forget("ab")
    assert time.monotonic() - began < 10, "a hundred time-outs would take minutes"
    assert len([line for line in caplog.messages if "Redis is away" in line]) == 1
