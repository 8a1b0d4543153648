"""The readers' dial at the freeze and before each batch."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from pipeline.audience.models import Subscription
from pipeline.delivery import batch
from pipeline.delivery.models import Delivery
from pipeline.kernel.config import config
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
    batch._take(batch_id=send.batches.get().id, data_dir=config().data_dir, now=timezone.now())
    assert dict(Delivery.objects.values_list("subscriber__name", "state")) == {"Cleo": "pending", "Dan": "suppressed"}
