"""Sign-ups of one network in one hour, counted where Redis is and let through where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from pipeline.audience.joining import limits
from pipeline.kernel.config import config
from tests.audience.joining.conftest import NOW


@pytest.fixture
def counters(engines: object) -> Iterator[redis.Redis]:
    limits._away_until[0] = 0.0
    with redis.Redis.from_url(config().redis_url) as client:
        for key in client.scan_iter(f"{limits.PREFIX}*"):
            client.delete(key)
        yield client


def asked(times: int, *, network: str = "192.0.2.0/24", is_sealed: bool = False) -> list[bool]:
    return [limits.may_ask(network=network, is_sealed=is_sealed, now=NOW) for _ in range(times)]


def test_a_network_may_ask_so_often_in_an_hour(counters: redis.Redis) -> None:
    assert asked(limits.MOST_BARE + 2) == [True] * limits.MOST_BARE + [False] * 2
    assert asked(1, network="198.51.100.0/24") == [True]
    assert asked(1, is_sealed=True) == [True]
    assert limits.may_ask(network="192.0.2.0/24", is_sealed=False, now=NOW + timedelta(hours=1))


def test_redis_is_told_no_address_and_forgets(counters: redis.Redis) -> None:
    asked(1)
    [key] = list(counters.scan_iter(f"{limits.PREFIX}*"))
    assert b"192.0.2" not in key
    assert 0 < counters.ttl(key) <= 7200


def test_without_redis_everybody_may_ask(counters: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    away = replace(config(), redis_url="redis://127.0.0.1:1/0")
    monkeypatch.setattr("pipeline.kernel.processes.redis_link.config", lambda: away)
    monkeypatch.setattr(limits, "_redis", limits._redis.__wrapped__)  # the one that is kept knows another address
    assert asked(limits.MOST_BARE + 2) == [True] * (limits.MOST_BARE + 2)
    limits._away_until[0] = 0.0
