"""An audience that is not the usual one: nothing leaves before a person has typed its size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from pipeline.delivery.batches import batch
from pipeline.delivery.course.drift import Estimate, confirm, estimate, usual
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.send import cancel, fresh_origin_id, sweep
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition, Newsletter
from pipeline.engagement.models import Origin
from pipeline.kernel.config import config
from pipeline.staff.models import JournalEntry, User
from tests.delivery.course.conftest import Begin
from tests.factories import editions, staff

pytestmark = pytest.mark.django_db
NOW = editions.NOW


@pytest.mark.parametrize(
    ("expected", "count", "pct", "strange"),
    [
        (None, 10_000, 10, False),
        (1000, 1100, 10, False),
        (1000, 1101, 10, True),
        (1000, 899, 10, True),
        (1000, 0, 10, True),
        (100, 150, 10, False),  # fifty readers are no accident
        (100, 151, 10, True),
        (1000, 1101, 20, False),
        (0, 51, 10, True),
        (12_000, 24_000, 10, True),
    ],
)
def test_strange_is_a_stated_share_and_more_than_fifty_readers(
    expected: int | None, count: int, pct: int, strange: bool
) -> None:
    assert Estimate(expected).is_strange(count, most_pct=pct) is strange


@pytest.mark.parametrize(("counts", "expected"), [([], None), ([7], 7), ([1, 2, 900], 2), ([10, 20, 30, 900], 25)])
def test_the_usual_is_a_median_that_one_accident_does_not_move(counts: list[int], expected: int | None) -> None:
    assert estimate(counts).expected == expected


def sent(newsletter: Newsletter, counts: dict[datetime, int], *, state: str = "submitted") -> None:
    for at, count in counts.items():
        edition = editions.edition(newsletter=newsletter, slot_at=at, state="sent")
        origin = Origin.objects.create(id=fresh_origin_id(), kind="edition", started_at=at)
        Send.objects.create(edition=edition, origin=origin, created_at=at, recipients=count, state=state)


def test_the_last_four_that_were_sent_count_and_may_be_of_one_weekday() -> None:
    newsletter = editions.newsletter()
    sunday = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
    sent(newsletter, {sunday - timedelta(days=n): 1000 + n if n % 7 else 5000 + n for n in range(1, 36)})
    sent(newsletter, {sunday - timedelta(hours=1): 9}, state="failed")
    assert usual(newsletter_id=newsletter.id, before=sunday).expected == 1002
    on_sundays = usual(newsletter_id=newsletter.id, before=sunday, weekday_in="Europe/Brussels")
    assert on_sundays.expected == 5018, "between the second and the third of 5007, 5014, 5021, 5028"


@pytest.fixture
def asking(begun: Begin) -> Send:
    newsletter = editions.newsletter()
    sent(newsletter, {NOW - timedelta(days=n): 4 for n in range(1, 5)})
    send = begun(readers=60, batch=20)
    assert (send.state, send.code, send.params) == ("asking", "audience_drift", {"frozen": 60, "expected": 4})
    assert send.expected == 4
    return send


def test_while_it_asks_no_batch_can_be_taken(asking: Send) -> None:
    ids = list(asking.batches.values_list("id", flat=True))
    assert [batch.submit(batch_id=n, config=config(), now=timezone.now()) for n in ids] == [None] * 3
    assert sweep(now=timezone.now()) == 0


def test_it_goes_on_when_the_frozen_number_is_typed(asking: Send, ada: User) -> None:
    later = NOW + timedelta(minutes=7)
    assert confirm(send_id=asking.id, actor=ada, typed_count=60, now=later) == 60
    asking.refresh_from_db()
    assert (asking.state, asking.code, asking.confirmed_by) == ("submitting", "", ada)
    assert set(Batch.objects.values_list("due_at", flat=True)) == {later}
    entry = JournalEntry.objects.get(verb="confirm")
    assert (entry.actor, entry.detail) == (ada, {"readers": 60, "expected": 4})
    with pytest.raises(Refused, match="nobody has to confirm"):
        confirm(send_id=asking.id, actor=ada, typed_count=60, now=later)


@pytest.mark.parametrize("typed", [0, 4, 59, 61, 600])
def test_another_number_sends_nothing(asking: Send, ada: User, typed: int) -> None:
    with pytest.raises(Refused, match="is not the number of readers"):
        confirm(send_id=asking.id, actor=ada, typed_count=typed, now=NOW)
    asking.refresh_from_db()
    assert asking.state == "asking"


def test_who_may_only_look_confirms_nothing(asking: Send) -> None:
    with pytest.raises(Refused, match="may look"):
        confirm(send_id=asking.id, actor=staff.ben(), typed_count=60, now=NOW)


def test_it_can_be_cancelled_instead(asking: Send, ada: User) -> None:
    assert cancel(send_id=asking.id, now=NOW, actor=ada, reason="the import doubled the list") == 60
    assert set(Delivery.objects.values_list("state", flat=True)) == {"cancelled"}


def test_unanswered_it_ends_when_it_is_no_news_any_more(asking: Send) -> None:
    assert asking.expires_at is not None
    sweep(now=asking.expires_at - timedelta(seconds=1))
    assert Send.objects.get(id=asking.id).state == "asking"
    sweep(now=asking.expires_at)
    assert Send.objects.get(id=asking.id).state == "cancelled"
    assert JournalEntry.objects.get(verb="cancel").reason == "nobody decided while it was news"
    assert Edition.objects.get(id=asking.edition_id).state == "cancelled"
