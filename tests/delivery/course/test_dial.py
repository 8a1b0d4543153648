"""The readers' dial at the freeze and before each batch."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from pipeline.audience.models import Subscription
from pipeline.delivery.batches import claims
from pipeline.delivery.models import Batch, Delivery
from pipeline.delivery.send import cancel, finish, to_the_rest
from pipeline.kernel.config import config
from pipeline.staff.models import User
from tests.delivery.course.conftest import Begin
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def frozen(begun: Begin, *, at: datetime) -> set[str]:
    send = begun(readers=0, now=at, max_age_h=1000)
    return set(Delivery.objects.filter(send=send).values_list("subscriber__name", flat=True))


def test_editions_reach_each_reader_as_often_as_they_chose(begun: Begin) -> None:
    for pace in Subscription.Pace.values:
        audience.subscriber(address=f"{pace}@example.org", name=pace, follows=audience.topic())
        Subscription.objects.filter(subscriber__name=pace).update(pace=pace)
    told = {hours: frozen(begun, at=editions.NOW + hours * HOUR) for hours in (0, 12, 24, 160)}
    assert [hours for hours, names in told.items() if "every" in names] == [0, 12, 24, 160]
    assert [hours for hours, names in told.items() if "daily" in names] == [0, 24, 160]
    assert [hours for hours, names in told.items() if "weekly" in names] == [0, 160]


def test_an_edition_never_drops_those_it_was_frozen_for_and_drops_who_paused_since(begun: Begin) -> None:
    audience.cleo(follows=audience.topic())
    audience.subscriber(address="dan@example.org", name="Dan", follows=audience.topic())
    Subscription.objects.update(pace="weekly")
    send = begun(readers=0)
    Subscription.objects.filter(subscriber__name="Dan").update(paused_until=editions.NOW + 24 * HOUR)
    claims.take(batch_id=send.batches.get().id, data_dir=config().data_dir, now=timezone.now())
    assert dict(Delivery.objects.values_list("subscriber__name", "state")) == {"Cleo": "pending", "Dan": "suppressed"}


def last() -> datetime | None:
    return Subscription.objects.get().last_at


def test_an_edition_nobody_got_does_not_count_and_counts_again_when_it_goes_to_the_rest(
    begun: Begin, ada: User
) -> None:
    audience.cleo(follows=audience.topic())
    Subscription.objects.update(pace="daily")
    cancelled = begun(readers=0)
    assert last() == cancelled.edition.slot_at
    cancel(send_id=cancelled.id, now=editions.NOW, actor=ada, reason="wrong photo")
    assert last() is None
    assert to_the_rest(send_id=cancelled.id, actor=ada, now=editions.NOW) == 1
    assert last() == cancelled.edition.slot_at
    cancel(send_id=cancelled.id, now=editions.NOW, actor=ada, reason="wrong photo")
    assert frozen(begun, at=editions.NOW + HOUR) == {"Cleo"}, "the next one, an hour later, is not held back"
    assert to_the_rest(send_id=cancelled.id, actor=ada, now=editions.NOW) == 1
    assert last() == editions.NOW + HOUR, "what came meanwhile still counts"


def test_a_batch_in_somebodys_hands_forgets_when_it_is_let_go(begun: Begin, ada: User) -> None:
    audience.cleo(follows=audience.topic())
    Subscription.objects.update(pace="daily")
    send = begun(readers=0)
    held = claims.take(batch_id=send.batches.get().id, data_dir=config().data_dir, now=timezone.now())
    assert held is not None
    cancel(send_id=send.id, now=editions.NOW, actor=ada, reason="wrong photo")
    assert last() == send.edition.slot_at
    claims.release(held[0], trouble=None)
    held[1].discard()
    assert (last(), Delivery.objects.get().state) == (None, "cancelled")


@pytest.mark.parametrize(("state", "counts"), [("accepted", True), ("unknown", True), ("refused", False)])
def test_what_was_refused_to_a_reader_does_not_count(begun: Begin, state: str, counts: bool) -> None:
    audience.cleo(follows=audience.topic())
    Subscription.objects.update(pace="weekly")
    send = begun(readers=0)
    Delivery.objects.update(state=state, answered_at=editions.NOW)
    Batch.objects.update(state="done")
    assert finish(send_id=send.id, now=editions.NOW)
    assert (last() is not None) is counts
