"""The dial: who is due an edition of a slot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from pipeline.audience import recipients
from pipeline.audience.models import Subscription
from tests.factories import audience

pytestmark = pytest.mark.django_db
SLOT = datetime(2026, 4, 20, 4, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def is_due(*, condition: str = "", **choice: Any) -> bool:
    audience.cleo(follows=audience.topic())
    Subscription.objects.update(**choice)
    with connection.cursor() as cursor:
        cursor.execute(recipients.due(condition=condition), {"topic": audience.topic().id, "slot": SLOT})
        return bool(cursor.fetchall())


@pytest.mark.parametrize(
    ("pace", "since_last", "expected"),
    [
        ("every", HOUR, True),
        ("daily", None, True),
        ("daily", 19 * HOUR, False),
        ("daily", 23 * HOUR, True),
        ("daily", 0 * HOUR, True),
        ("daily", -2 * HOUR, False),
        ("weekly", 24 * HOUR, False),
        ("weekly", 155 * HOUR, False),
        ("weekly", 167 * HOUR, True),
        ("weekly", 0 * HOUR, True),
    ],
)
def test_a_reader_who_asked_for_fewer_is_due_when_the_last_is_long_ago(
    pace: str, since_last: timedelta | None, expected: bool
) -> None:
    assert is_due(pace=pace, last_at=None if since_last is None else SLOT - since_last) is expected


@pytest.mark.parametrize(("until", "expected"), [(-HOUR, True), (0 * HOUR, True), (HOUR, False)])
def test_a_pause_ends_by_itself(until: timedelta, expected: bool) -> None:
    assert is_due(paused_until=SLOT + until) is expected


@pytest.mark.parametrize(("language", "expected"), [("en", True), ("fr", False)])
def test_a_condition_narrows_who_is_due(language: str, expected: bool) -> None:
    assert is_due(condition=f"reader.language = '{language}'") is expected
