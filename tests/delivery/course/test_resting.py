"""Who was asked whether they still want it and stayed silent is not frozen, until anything is seen of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.audience import counts
from pipeline.audience.models import Subscriber
from pipeline.delivery.models import Delivery
from tests.delivery.course.conftest import Begin
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db
NOW = editions.NOW
DAY = timedelta(days=1)
SILENT = {
    "tracking": "consented", "tracking_at": NOW - 400 * DAY, "asked_again_at": NOW - 30 * DAY,
    "last_human_at": NOW - 300 * DAY,
}  # fmt: skip
JUDGES = {"asks_again": True, "tracking": "consented"}


def got(begun: Begin, reader: dict[str, Any], **policy: Any) -> bool:
    row = audience.cleo(follows=audience.topic())
    Subscriber.objects.filter(id=row.id).update(**{**SILENT, **reader})
    send = begun(readers=0, **policy)
    letter = send.edition.newsletter
    found = counts.audience(
        topic_id=letter.topic_id, segment=None, slot_at=send.edition.slot_at, now=NOW, rests=letter.judges_silence
    )
    frozen = Delivery.objects.count()
    assert (found.due, found.resting) == (frozen, 1 - frozen), "the desk counts as the freeze does"
    return bool(frozen)


@pytest.mark.parametrize("last", [NOW - 300 * DAY, None])
def test_who_stayed_silent_rests(begun: Begin, last: Any) -> None:
    assert not got(begun, {"last_human_at": last}, **JUDGES)


@pytest.mark.parametrize(
    "reader",
    [
        {"asked_again_at": NOW - 29 * DAY},
        {"asked_again_at": None},
        {"last_human_at": NOW - DAY},
        {"tracking": "aggregate"},
        {"tracking": "off"},
        {"tracking_at": None},
        {"tracking_at": NOW - DAY},
    ],
    ids=["may still answer", "never asked", "came back", "counted only", "not seen", "never agreed", "agreed since"],
)
def test_nobody_else_does(begun: Begin, reader: dict[str, Any]) -> None:
    assert got(begun, reader, **JUDGES)


@pytest.mark.parametrize("policy", [{}, {"asks_again": True}, {"tracking": "consented"}])
def test_nor_for_a_newsletter_that_judges_no_silence(begun: Begin, policy: dict[str, Any]) -> None:
    assert got(begun, {}, **policy)
