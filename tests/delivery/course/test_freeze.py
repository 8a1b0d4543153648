"""The freeze at the readers' own clocks: who is due when, and in batches that never mix two departures."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.audience.models import Subscriber
from pipeline.delivery.course.freeze import uncounted
from pipeline.delivery.models import Delivery, Send
from pipeline.delivery.send import prepare
from pipeline.engagement.keeping import reports
from tests.delivery.course.conftest import Begin
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db
NOW = editions.NOW
TOKYO, BRUSSELS, LIMA = NOW, NOW + timedelta(hours=7), NOW + timedelta(hours=14)
DEPARTURES = {
    "Asia/Tokyo": TOKYO, "Asia/Seoul": TOKYO, "Europe/Brussels": BRUSSELS, "America/Lima": LIMA, "": BRUSSELS,
    "UTC": BRUSSELS,
}  # fmt: skip
ZONES = [
    "America/Lima",
    "Asia/Tokyo",
    "",
    "Asia/Seoul",
    "Europe/Brussels",
    "UTC",
    "Mars/Base",
    "Asia/Tokyo",
    "Asia/Tokyo",
]


def test_each_reader_is_due_at_the_time_of_their_zone(begun: Begin) -> None:
    topic = audience.topic()
    for n, zone in enumerate(ZONES):
        audience.subscriber(address=f"r{n}@example.org", follows=topic, zone=zone)
    send = begun(readers=0, batch=3, departures=DEPARTURES, at_readers_clock=True)
    rows = list(Delivery.objects.order_by("ordinal").select_related("batch", "subscriber"))
    due = {row.subscriber.address: row.batch.due_at for row in rows}
    assert due == {f"r{n}@example.org": DEPARTURES.get(zone, BRUSSELS) for n, zone in enumerate(ZONES)}
    assert Counter(row.batch.due_at for row in rows) == {TOKYO: 4, BRUSSELS: 4, LIMA: 1}
    batches = list(send.batches.order_by("number"))
    assert [batch.number for batch in batches] == list(range(5)), "3 + 1, 3 + 1, 1"
    assert all(a.due_at <= b.due_at for a, b in pairwise(batches))
    assert [row.ordinal for row in rows] == list(range(1, 10))
    assert send.expires_at == LIMA + timedelta(seconds=send.edition.newsletter.keeps_s)
    made = reports.told(send.origin_id).made_of
    assert made["domains"] == [["example.org", 9]]
    assert [(row["first"], row["last"], row["zones"]) for row in made["departures"]] == [
        (1, 4, ["Asia/Seoul", "Asia/Tokyo"]), (5, 8, ["Europe/Brussels", "UTC"]), (9, 9, ["America/Lima"]),
    ]  # fmt: skip


def test_news_grows_no_younger_by_waiting_for_a_worker(begun: Begin) -> None:
    send = begun(keeps_s=3600)
    Send.objects.filter(id=send.id).update(state="planned", created_at=NOW - timedelta(minutes=50))
    send.batches.all().delete()
    prepare(send_id=send.id, now=NOW)
    send.refresh_from_db()
    assert send.expires_at == NOW + timedelta(minutes=10)


def test_a_zone_whose_time_has_passed_is_due_at_once(begun: Begin) -> None:
    audience.subscriber(address="late@example.org", follows=audience.topic(), zone="Asia/Tokyo")
    begun(readers=0, departures={"Asia/Tokyo": NOW - timedelta(hours=3)}, at_readers_clock=True)
    assert Delivery.objects.get().batch.due_at == NOW


@pytest.mark.parametrize(("pace_s", "gaps"), [(0, [0, 0]), (600, [200, 200])])
def test_batches_are_spread_evenly_over_the_window(begun: Begin, pace_s: int, gaps: list[int]) -> None:
    send = begun(pace_s=pace_s)
    due = list(send.batches.order_by("number").values_list("due_at", flat=True))
    assert [(b - a).total_seconds() for a, b in pairwise(due)] == gaps
    assert due[0] == NOW


def test_each_departure_has_a_window_of_its_own(begun: Begin) -> None:
    for n in range(4):
        audience.subscriber(
            address=f"r{n}@example.org", follows=audience.topic(), zone=["Asia/Tokyo", "America/Lima"][n % 2]
        )
    send = begun(readers=0, batch=1, departures=DEPARTURES, at_readers_clock=True, pace_s=3600)
    due: list[datetime] = list(send.batches.order_by("number").values_list("due_at", flat=True))
    half = timedelta(minutes=30)
    assert due == [TOKYO, TOKYO + half, LIMA, LIMA + half]


def test_rows_that_do_not_add_up_are_told_in_numbers(begun: Begin) -> None:
    send = begun(readers=3)
    assert uncounted(send) == "3 frozen, 3 listed, 3 of them without an end"
    Delivery.objects.update(state="accepted")
    assert uncounted(send) == ""
    Subscriber.objects.filter(id=Delivery.objects.order_by("id")[0].subscriber_id).delete()
    assert uncounted(send) == "3 frozen, 2 listed, 0 of them without an end"
