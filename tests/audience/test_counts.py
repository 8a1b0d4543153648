"""The count a person sees is the audience the freeze takes, and says who is passed over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from pipeline.audience import counts, recipients
from pipeline.audience.models import Segment, Subscriber, Subscription, Suppression
from pipeline.audience.segments.mailing import narrowing
from tests.factories import audience

pytestmark = pytest.mark.django_db
SLOT = audience.NOW + timedelta(days=3)
HOUR = timedelta(hours=1)


def reader(name: str, *, language: str = "fr", **choice: Any) -> None:
    made = audience.subscriber(address=f"{name}@example.org", follows=audience.topic(), language=language)
    Subscription.objects.filter(subscriber=made).update(**choice)


@pytest.fixture
def french() -> Segment:
    """A segment, and a reader of every kind: two of them twice a reason to be passed over, counted once."""
    reader("due")
    reader("weekly", pace="weekly", last_at=SLOT - 200 * HOUR)
    reader("english", language="en")
    reader("paused", paused_until=SLOT + HOUR)
    reader("paused-english", paused_until=SLOT + HOUR, language="en")
    reader("daily", pace="daily", last_at=SLOT - 2 * HOUR)
    reader("gone", paused_until=SLOT + HOUR)
    reader("left", left_at=audience.NOW)
    audience.subscriber(address="pending@example.org", follows=audience.topic(), state="pending")
    gone = Subscriber.objects.get(address="gone@example.org").address_hash
    Suppression.objects.create(address_hash=gone, reason="bounced", at=SLOT)
    return Segment.objects.create(slug="french", name="French", rule={"language": "fr"}, created_at=SLOT)


def frozen(segment: Segment | None) -> int:
    condition, chosen = narrowing(segment, now=SLOT)
    with connection.cursor() as cursor:
        cursor.execute(recipients.due(condition=condition), {"topic": audience.topic().id, "slot": SLOT, **chosen})
        return len(cursor.fetchall())


def test_everybody_passed_over_is_counted_under_one_reason(french: Segment) -> None:
    asked: dict[str, Any] = {"topic_id": audience.topic().id, "slot_at": SLOT, "now": SLOT}
    found = counts.audience(segment=french, **asked)
    assert found == counts.Audience(chose=7, suppressed=1, paused=2, fewer=1, outside=1)
    assert found.due == counts.count(segment=french, **asked) == frozen(french) == 2
    everybody = counts.audience(segment=None, **asked)
    assert everybody == counts.Audience(chose=7, suppressed=1, paused=2, fewer=1)
    assert everybody.due == counts.count(segment=None, **asked) == frozen(None) == 3


def test_a_segment_nobody_can_read_leaves_everybody_outside(french: Segment) -> None:
    french.rule = {"sql": "TRUE"}
    found = counts.audience(topic_id=audience.topic().id, segment=french, slot_at=SLOT, now=SLOT)
    assert (found.outside, found.due) == (3, 0)


def test_a_large_audience_is_counted_once_for_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = audience.topic()
    audience.readers(count=3, follows=topic)
    asked: dict[str, Any] = {"topic_id": topic.id, "segment": None, "slot_at": SLOT}

    def looked(minutes: int) -> tuple[int, bool]:
        told = counts.lately(**asked, now=audience.NOW + timedelta(minutes=minutes))
        return told.found.due, told.at is not None

    monkeypatch.setattr(counts, "_kept", {})
    assert looked(0) == (3, False)
    audience.readers(count=1, follows=topic)
    assert looked(1) == (4, False), "a small one is counted each time"
    monkeypatch.setattr(counts, "LARGE", 4)
    assert looked(1) == (4, False)
    Subscription.objects.filter(topic=topic).first().delete()
    assert [looked(2), looked(5)] == [(4, True), (4, True)]
    assert looked(6) == (3, False)
    assert counts.lately(**asked | {"slot_at": SLOT + HOUR}, now=audience.NOW).found.due == 3
