"""How many mails a week a topic means: as planned, or else as sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.audience.models import Topic
from pipeline.schedule import rates
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db
NOW = editions.NOW
DAY = timedelta(days=1)


def told() -> float:
    rates.learn(now=NOW)
    return Topic.objects.get(slug="morning-brief").per_week


@pytest.mark.parametrize(
    ("cadence", "expected"),
    [
        ({"kind": "daily", "at": ["06:30"]}, 7),
        ({"kind": "daily", "at": ["06:30", "18:00"], "weekdays": ["mon", "fri"]}, 4),
        ({"kind": "weekly", "at": ["06:30"], "weekdays": ["sun"]}, 1),
        ({"kind": "monthly", "at": ["06:30"], "days": [1]}, 0.25),
        ({"kind": "interval", "every_s": 60}, 10_080),
        ({"kind": "daily", "at": ["06:30"], "end": "2026-04-01"}, 0),
        ({"kind": "manual"}, 0),
        ({"kind": "hourly"}, 0),
    ],
)
def test_what_is_planned_is_told(cadence: dict[str, Any], expected: float) -> None:
    editions.newsletter(cadence=cadence)
    assert told() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("state", "expected"), [("active", 7), ("paused", 0), ("ended", 0)])
def test_a_newsletter_that_does_not_run_adds_nothing(state: str, expected: float) -> None:
    editions.newsletter(cadence={"kind": "daily", "at": ["06:30"]}, state=state)
    Topic.objects.update(per_week=3)
    assert told() == expected


@pytest.mark.parametrize(("age", "expected"), [(100 * DAY, 1.5), (14 * DAY, 3), (DAY, 6)])
def test_alerts_are_told_as_they_were_sent_lately(age: timedelta, expected: float) -> None:
    alerts = editions.newsletter(kind="alert", cadence={"kind": "daily", "at": ["06:30"]})
    alerts.created_at = NOW - age
    alerts.save()
    for n in range(6):
        editions.edition(newsletter=alerts, slot_at=NOW - n * timedelta(hours=2), state="sent")
    editions.edition(newsletter=alerts, slot_at=NOW - timedelta(hours=1), state="cancelled")
    editions.edition(newsletter=alerts, slot_at=NOW - 29 * DAY, state="sent")
    assert told() == expected


def test_what_is_right_already_is_not_written_again() -> None:
    editions.newsletter(cadence={"kind": "weekly", "at": ["06:30"], "weekdays": ["sun"]})
    audience.topic(slug="africa", name="Africa")
    assert [rates.learn(now=NOW), rates.learn(now=NOW)] == [1, 0]
