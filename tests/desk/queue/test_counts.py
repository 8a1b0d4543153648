from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.delivery.models import Delivery, Send
from pipeline.desk.queue import counts
from pipeline.editions.models import Edition
from pipeline.engagement.models import Origin
from tests.factories import delivery, editions

pytestmark = pytest.mark.django_db
S = Delivery.State
MIXED = [S.ACCEPTED, S.ACCEPTED, S.DEFERRED, S.REFUSED, S.BOUNCED, S.COMPLAINED, S.SUPPRESSED, S.CANCELLED, S.UNKNOWN]


def counted(send: Send) -> dict[str, int]:
    return dict(Counter(Delivery.objects.filter(send=send).values_list("state", flat=True)))


def test_what_is_inferred_equals_what_is_there(morning: Any) -> None:
    delivery.answered(send=morning.leaving, states=MIXED, now=morning.now)
    found = counts.of([morning.leaving])[morning.leaving.id]
    assert found.by_state == counted(morning.leaving)
    assert (found.waiting, found.done, found.delivered, found.mailed) == (3, 9, 3, 10)


def test_a_send_without_an_audience_has_no_counts(morning: Any) -> None:
    Send.objects.update(state=Send.State.PREPARING, recipients=0)
    Delivery.objects.all().delete()
    found = counts.of([Send.objects.get()])[morning.leaving.id]
    assert (found.by_state, found.done) == ({}, 0)


def test_of_a_send_that_failed_nothing_is_inferred(morning: Any) -> None:
    delivery.answered(send=morning.leaving, states=[S.ACCEPTED] * 12, now=morning.now)
    Delivery.objects.filter(send=morning.leaving, ordinal__lte=2).delete()
    Send.objects.update(state=Send.State.FAILED)
    found = counts.of([Send.objects.get()])[morning.leaving.id]
    assert (found.by_state, found.recipients) == ({"accepted": 10}, 12)


def test_many_sends_take_as_many_queries_as_one(morning: Any) -> None:
    states = [Send.State.SUBMITTED, Send.State.PAUSED, Send.State.CANCELLED, Send.State.FAILED]
    more = [bare_send(morning, number, state) for number, state in enumerate(states)]
    with CaptureQueriesContext(connection) as seen:
        found = counts.of([morning.leaving, *more])
    assert len(seen) == 3
    assert found[morning.leaving.id].by_state == counted(morning.leaving)
    assert found[more[1].id].by_state == {"accepted": 5}


def bare_send(morning: Any, number: int, state: Send.State) -> Send:
    """One without rows of its own."""
    slot = morning.now - timedelta(days=number + 1)
    origin = Origin.objects.create(id=number + 1, kind="edition", started_at=slot)
    edition = editions.edition(newsletter=morning.ready.newsletter, slot_at=slot, state=Edition.State.SENT)
    return Send.objects.create(edition=edition, origin=origin, state=state, recipients=5, created_at=slot)
