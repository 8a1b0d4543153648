"""After a pause nothing leaves in a burst, and a later departure keeps its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.delivery.models import Batch, Send
from pipeline.delivery.send import pause, resume
from tests.delivery.course.conftest import Begin
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db
NOW = editions.NOW


def due(send: Send) -> list[datetime]:
    rows = Batch.objects.filter(send=send, state=Batch.State.PENDING).order_by("number")
    return list(rows.values_list("due_at", flat=True))


def stopped(send: Send, *, done: int, back: datetime) -> list[float]:
    """Pause after so many batches, resume at `back`: seconds after `back` at which each is due."""
    ids = send.batches.order_by("number").values_list("id", flat=True)[:done]
    Batch.objects.filter(id__in=list(ids)).update(state=Batch.State.DONE)
    assert pause(send_id=send.id, now=NOW)
    assert resume(send_id=send.id, now=back)
    return [(at - back).total_seconds() for at in due(send)]


def test_without_a_pace_all_of_it_is_due_at_once(begun: Begin) -> None:
    assert stopped(begun(), done=1, back=NOW + timedelta(hours=1)) == [0, 0]


@pytest.mark.parametrize(
    ("done", "after_s", "expected"),
    [
        (2, 100, [0, 225, 450, 675]),  # 900 s are left of 1,000, for four of six batches
        (2, 900, [0, 166.666667, 333.333333, 500]),  # 100 s are left: as slow as before instead
        (2, 1000, [0, 250, 500, 750]),  # the window has passed: a fresh one
        (2, 90_000, [0, 250, 500, 750]),
        (5, 90_000, [0]),
    ],
)
def test_with_a_pace_what_is_left_is_spread_again_and_never_faster(
    begun: Begin, done: int, after_s: int, expected: list[float]
) -> None:
    send = begun(readers=6, batch=1, pace_s=1000)
    found = stopped(send, done=done, back=NOW + timedelta(seconds=after_s))
    assert found == pytest.approx(expected, abs=0.001)


def test_a_zone_whose_time_has_not_come_waits_for_it(begun: Begin) -> None:
    lima = NOW + timedelta(hours=9)
    for n, zone in enumerate(["Asia/Tokyo", "Asia/Tokyo", "America/Lima"]):
        audience.subscriber(address=f"r{n}@example.org", follows=audience.topic(), zone=zone)
    send = begun(
        readers=0, batch=1, departures={"Asia/Tokyo": NOW, "America/Lima": lima}, at_readers_clock=True, pace_s=600
    )
    back = NOW + timedelta(hours=1)
    stopped(send, done=0, back=back)
    assert due(send) == [back, back + timedelta(minutes=5), lima]


def test_no_two_batches_of_a_resumed_window_are_due_together(begun: Begin) -> None:
    send = begun(readers=30, batch=1, pace_s=300)
    stopped(send, done=7, back=NOW + timedelta(seconds=299))
    assert all((b - a).total_seconds() >= 9.9 for a, b in pairwise(due(send)))
