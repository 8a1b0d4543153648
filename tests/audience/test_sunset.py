"""Whom we ask whether they still want our mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.audience import sunset
from pipeline.audience.models import Consent, Subscriber, Subscription, Suppression
from pipeline.audience.suppress import suppress
from tests.factories import audience

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
pytestmark = pytest.mark.django_db


def _reader(**fields: Any) -> Subscriber:
    row = audience.subscriber(follows=audience.topic(), now=LONG_AGO)
    changed = {"tracking": "consented", "tracking_at": LONG_AGO, "last_human_at": NOW - timedelta(days=200), **fields}
    Subscriber.objects.filter(id=row.id).update(**changed)
    return row


def _unseen() -> list[int]:
    found = sunset.unseen(topics=[audience.topic().id], now=NOW)
    return list(found.values_list("id", flat=True))


@pytest.mark.parametrize("last", [NOW - timedelta(days=200), None])
def test_a_reader_who_lets_us_see_and_was_not_seen_is_proposed(last: datetime | None) -> None:
    row = _reader(last_human_at=last)
    assert _unseen() == [row.id]


@pytest.mark.parametrize(
    "fields",
    [
        {"tracking": "aggregate"},
        {"tracking": "off"},
        {"tracking_at": NOW - timedelta(days=10)},
        {"tracking_at": None},
        {"last_human_at": NOW - timedelta(days=179)},
        {"asked_again_at": NOW - timedelta(days=60)},
        {"state": "pending"},
    ],
)
def test_nobody_else_is(fields: dict[str, Any]) -> None:
    _reader(**fields)
    assert _unseen() == []


def test_who_follows_nothing_that_could_show_them_is_not_judged() -> None:
    _reader()
    assert not sunset.unseen(topics=[], now=NOW).exists()
    Subscription.objects.update(since=NOW - timedelta(days=5))
    assert _unseen() == []


def test_who_is_suppressed_is_not_asked() -> None:
    row = _reader()
    suppress(address=row.address, reason=Suppression.Reason.BOUNCED, now=NOW)
    assert _unseen() == []


def test_asking_is_noted_once_and_removes_nobody() -> None:
    row = _reader()
    asked = [sunset.note_asked(subscriber_ids=[row.id], origin="letter", now=NOW) for _ in range(2)]
    assert (asked, Consent.objects.filter(act="asked again").count()) == ([1, 0], 1)
    assert _unseen() == []
    assert list(sunset.silent(now=NOW + timedelta(days=29))) == []
    assert [r.id for r in sunset.silent(now=NOW + timedelta(days=30))] == [row.id]
    assert Subscription.objects.get().left_at is None


def test_a_reader_seen_after_being_asked_is_not_silent() -> None:
    row = _reader()
    sunset.note_asked(subscriber_ids=[row.id], origin="letter", now=NOW)
    Subscriber.objects.update(last_human_at=NOW + timedelta(days=2))
    assert list(sunset.silent(now=NOW + timedelta(days=40))) == []
