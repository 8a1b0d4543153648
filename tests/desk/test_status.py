from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from pipeline.delivery.models import Batch
from pipeline.desk import status
from pipeline.kernel.config import config
from tests.factories import sources

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({}, "fresh"),
        ({"last_success_at": None}, "first look"),
        ({"last_success_at": None, "last_error": "no such host"}, "not answering yet"),
        ({"last_success_at": timezone.now() - timedelta(hours=4)}, "stale"),
        ({"last_success_at": timezone.now() - timedelta(hours=2), "poll_s": 3600}, "fresh"),
        ({"state": "paused", "last_success_at": None}, "paused"),
    ],
)
def test_a_site_has_the_health_its_own_page_shows(fields: dict[str, Any], label: str) -> None:
    now = timezone.now()
    sources.channel(source=sources.source(now=now, **fields))
    assert [site.badge.label for site in status.sites(now=now)] == [label]


def test_a_silent_site_comes_first_and_shows_its_error(desk: Client) -> None:
    now = timezone.now()
    sources.channel(source=sources.source(name="Well", now=now))
    sources.source(name="Zealous Ill", now=now, last_success_at=now - timedelta(days=1), last_error="HTTP 503")
    told = desk.get("/desk/status/").content.decode()
    assert told.index("Zealous Ill") < told.index(">Well")
    assert "HTTP 503" in told


def test_what_waits_in_redis_is_counted(desk: Client) -> None:
    before = status.bells().queues
    with redis.Redis.from_url(config().redis_url) as client:
        client.rpush("dateline:slow", b"x", b"y")
        try:
            after = status.bells().queues
        finally:
            client.ltrim("dateline:slow", 0, -3)
    assert before is not None and after is not None
    assert after["slow"] == before["slow"] + 2


def test_redis_away_is_an_answer_not_an_error(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    away = replace(config(), redis_url="unix:///nowhere/redis.sock")
    monkeypatch.setattr("pipeline.kernel.processes.redis_link.config", lambda: away)
    told = desk.get("/desk/status/").content.decode()
    assert "Work is late, not lost" in told
    assert "Work is late, not lost" in desk.get("/desk/").content.decode()


def test_a_batch_nobody_takes_is_called_stuck(desk: Client, morning: Any) -> None:
    Batch.objects.update(due_at=morning.now - timedelta(minutes=9))
    assert "due for 9 min and nobody took it" in desk.get("/desk/").content.decode()
    assert "<strong>Stuck:</strong>" in desk.get("/desk/status/").content.decode()


def test_the_engines_tell_their_names(desk: Client) -> None:
    assert status.database().says.startswith("PostgreSQL 1")
    assert status.bells().engine.badge.label == "well"
