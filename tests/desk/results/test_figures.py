from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.audience.models import Subscription
from pipeline.delivery.models import Delivery, Send
from pipeline.desk.results import figures
from pipeline.editions.models import Edition
from pipeline.engagement.models import Origin, Report
from tests.factories import delivery, editions

NOW = datetime(2026, 4, 21, 4, 30, tzinfo=UTC)  #: a Tuesday
ONE = figures.Figures(
    edition_id=1, name="Brief", slot_at=NOW, zone="UTC", mailed=12_463, delivered=12_401, clickers=1312, left=11, complaints=2
)  # fmt: skip


def like(*clickers: int | None) -> list[figures.Figures]:
    return [replace(ONE, delivered=1000, clickers=n) for n in clickers]


def test_the_headline_is_said_in_words() -> None:
    said = figures.headline(ONE, like(91, 95, 109, 300, 10), running=False)
    assert said == {
        "delivered": "12\u202f401 delivered (99.5 %)",
        "clicked": "Human clickers 1\u202f312 (10.6 %)",
        "usual": "usual Tuesday 9.1–10.9 %, within it",
        "left": "11 left (0.089 %)",
        "complaints": "2 complaints (0.016 %)",
    }


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        ([], "no usual Tuesday yet: 0 earlier ones to compare with"),
        ([50, 60], "no usual Tuesday yet: 2 earlier ones to compare with"),
        ([None, 50, 60], "no usual Tuesday yet: 3 earlier ones to compare with"),
        ([50, 70, 60], "usual Tuesday 5.0–7.0 %, above it"),
        ([150, 170, 160], "usual Tuesday 15.0–17.0 %, below it"),
    ],
)
def test_a_usual_is_told_only_of_enough_like_it(earlier: list[int | None], said: str) -> None:
    assert figures.headline(ONE, like(*earlier), running=True)["usual"] == said


def test_what_was_never_counted_is_not_told_as_nobody() -> None:
    said = figures.headline(replace(ONE, clickers=None), like(1, 2, 3), running=True)
    assert said["clicked"] == "Nothing was counted yet"
    assert said["delivered"].startswith("So far ")


@pytest.mark.parametrize(
    ("part", "whole", "told"), [(0, 0, "–"), (0, 5, "0.0 %"), (99_999, 100_000, "99.9 %"), (5, 5, "100 %")]
)
def test_a_share_says_hundred_only_when_nothing_is_missing(part: int, whole: int, told: str) -> None:
    assert figures.share(part, whole) == told


def earlier_send(letter: Any, *, slot: datetime, number: int) -> Send:
    edition = editions.edition(newsletter=letter, slot_at=slot, state=Edition.State.SENT)
    origin = Origin.objects.create(id=number, kind="edition", started_at=slot)
    return Send.objects.create(edition=edition, origin=origin, state="submitted", recipients=100, created_at=slot)


@pytest.mark.django_db
def test_its_like_left_on_the_same_weekday_of_the_newsletters_clock(morning: Any) -> None:
    letter = morning.leaving.edition.newsletter
    letter.cadence = {"zone": "Pacific/Auckland"}
    letter.save()
    slot = morning.leaving.edition.slot_at
    weeks = [earlier_send(letter, slot=slot - timedelta(weeks=n), number=n) for n in range(1, 11)]
    earlier_send(letter, slot=slot - timedelta(days=2), number=99)
    send = Send.objects.select_related("edition__newsletter").get(id=morning.leaving.id)
    assert [row.id for row in figures.of_its_like(send)] == [row.id for row in weeks[: figures.LIKE]]


@pytest.mark.django_db
def test_figures_come_from_deliveries_reports_and_who_left_within_a_day(morning: Any) -> None:
    send = morning.leaving
    delivery.answered(send=send, states=[Delivery.State.COMPLAINED, Delivery.State.BOUNCED], now=morning.now)
    body = {"days": {"1": {"people": {"click": 3}}, "2": {"people": {"click": 1, "open": 9}}, "3": {"people": {}}}}
    Report.objects.filter(origin=send.origin).update(body=body, computed_at=morning.now)
    readers = list(Delivery.objects.filter(send=send).order_by("ordinal").values_list("subscriber_id", flat=True))
    begun = send.created_at
    for reader, at in zip(readers, [begun, begun + timedelta(hours=23), begun + timedelta(hours=25), begun - timedelta(hours=1)], strict=False):  # fmt: skip
        Subscription.objects.filter(subscriber_id=reader).update(left_at=at)
    one = figures.of(Send.objects.select_related("edition__newsletter").filter(id=send.id))[0]
    assert (one.delivered, one.mailed, one.clickers, one.left, one.complaints) == (6, 12, 4, 2, 1)


@pytest.mark.django_db
def test_many_sends_take_as_many_queries_as_one(morning: Any) -> None:
    letter = morning.leaving.edition.newsletter
    more = [earlier_send(letter, slot=morning.now - timedelta(days=n), number=n) for n in range(1, 6)]
    taken = []
    for sends in ([morning.leaving], [morning.leaving, *more]):
        ids = [send.id for send in sends]
        listed = list(Send.objects.select_related("edition__newsletter").filter(id__in=ids))
        with CaptureQueriesContext(connection) as seen:
            figures.of(listed)
        taken.append(len(seen))
    assert taken[0] == taken[1] == 4
