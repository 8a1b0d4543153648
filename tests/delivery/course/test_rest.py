"""Sending to the rest, and once more to those in doubt: whoever has it is never mailed again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.delivery.course.doubts import settle_doubts
from pipeline.delivery.course.rest import to_the_rest
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.send import cancel, finish, prepare
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry, User
from tests.delivery.course.conftest import Begin
from tests.factories import delivery as deliveries
from tests.factories import editions, staff

pytestmark = pytest.mark.django_db
NOW = editions.NOW
S = Delivery.State


def states() -> list[str]:
    return list(Delivery.objects.order_by("ordinal").values_list("state", flat=True))


def ended(send: Send, *answers: Delivery.State) -> None:
    deliveries.answered(send=send, states=answers)
    Batch.objects.update(state="done")


def test_after_a_cancellation_the_rest_gets_it_and_nobody_else(begun: Begin, ada: User) -> None:
    send = begun()
    deliveries.answered(send=send, states=[S.ACCEPTED, S.REFUSED, S.UNKNOWN])
    Batch.objects.filter(number=0).update(state="done")
    assert cancel(send_id=send.id, now=NOW, actor=ada, reason="wrong photo") == 3
    later = NOW + timedelta(minutes=9)
    assert to_the_rest(send_id=send.id, actor=ada, now=later) == 3
    assert states() == ["accepted", "refused", "unknown", "pending", "pending", "pending"]
    send.refresh_from_db()
    assert (send.state, send.ended_at, Edition.objects.get().state) == ("submitting", None, "sending")
    open_ = Batch.objects.order_by("number").values_list("state", "due_at")
    assert [state for state, _ in open_] == ["done", "pending", "pending"]
    assert {at for state, at in open_ if state == "pending"} == {later}
    assert Send.objects.count() == 1
    assert JournalEntry.objects.get(verb="to_the_rest").detail == {"readers": 3}


def test_batches_that_were_done_open_again_for_whom_they_still_hold(begun: Begin, ada: User) -> None:
    send = begun()
    Batch.objects.update(state="done")
    assert not finish(send_id=send.id, now=NOW)
    send.refresh_from_db()
    assert (send.state, send.code) == ("failed", "counts_differ_after")
    assert send.params == {"counts": "6 frozen, 6 listed, 6 of them without an end"}
    assert to_the_rest(send_id=send.id, actor=ada, now=NOW) == 0
    assert set(Batch.objects.values_list("state", flat=True)) == {"pending"}, "nobody was lost by the failure"


def test_cancelled_before_its_freeze_it_is_frozen_now(begun: Begin, ada: User) -> None:
    send = begun(readers=0)
    Send.objects.update(state="planned", prepared_at=None, expires_at=None)
    cancel(send_id=send.id, now=NOW, actor=ada, reason="no")
    deliveries.answered(send=send, states=[])
    assert to_the_rest(send_id=send.id, actor=ada, now=NOW) == 0
    assert prepare(send_id=send.id, now=NOW) == 0
    assert Edition.objects.get().state == "sending"


@pytest.mark.parametrize("state", ["submitting", "paused", "submitted", "planned"])
def test_there_is_no_rest_of_a_send_that_was_not_stopped(begun: Begin, ada: User, state: str) -> None:
    send = begun()
    Send.objects.update(state=state)
    with pytest.raises(Refused, match="no rest to send to"):
        to_the_rest(send_id=send.id, actor=ada, now=NOW)
    assert set(states()) == {"pending"}


def test_yesterdays_news_and_killed_stories_are_not_sent_to_the_rest(begun: Begin, ada: User) -> None:
    send = begun()
    cancel(send_id=send.id, now=NOW, actor=ada, reason="x")
    assert send.expires_at is not None
    with pytest.raises(Refused, match="no news any more"):
        to_the_rest(send_id=send.id, actor=ada, now=send.expires_at)
    Article.objects.filter(id=send.edition.items.filter(picked=True)[0].article_id).update(killed_at=NOW)
    with pytest.raises(Refused, match="killed or is under embargo"):
        to_the_rest(send_id=send.id, actor=ada, now=NOW)
    with pytest.raises(Refused, match="may look"):
        to_the_rest(send_id=send.id, actor=staff.ben(), now=NOW)
    assert set(states()) == {"cancelled"}


DOUBTS = (S.ACCEPTED, S.UNKNOWN, S.UNKNOWN, S.REFUSED, S.ACCEPTED, S.ACCEPTED)


def test_left_alone_those_in_doubt_stay_listed(begun: Begin) -> None:
    send = begun()
    ended(send, *DOUBTS)
    assert finish(send_id=send.id, now=NOW)
    assert states() == [state.value for state in DOUBTS]


def test_by_policy_those_in_doubt_are_mailed_once_more_and_once_only(begun: Begin) -> None:
    send = begun(in_doubt="resend")
    ended(send, *DOUBTS)
    assert not finish(send_id=send.id, now=NOW)
    assert states() == ["accepted", "pending", "pending", "refused", "accepted", "accepted"]
    send.refresh_from_db()
    assert send.state == "submitting"
    assert list(Batch.objects.order_by("number").values_list("state", flat=True)) == ["pending", "pending", "done"]
    assert JournalEntry.objects.get(verb="resend_doubts").detail == {"resent": 2}
    ended(send, *DOUBTS)
    assert finish(send_id=send.id, now=NOW), "doubtful again, it is left to a person"
    assert states().count("unknown") == 2


def test_a_person_resends_after_the_end_and_the_send_ends_again(begun: Begin, ada: User) -> None:
    send = begun()
    ended(send, *DOUBTS)
    finish(send_id=send.id, now=NOW)
    assert settle_doubts(send_id=send.id, actor=ada, resend=True, now=NOW) == 2
    send.refresh_from_db()
    assert (send.state, Edition.objects.get().state) == ("submitting", "sending")
    ended(send, *[S.ACCEPTED] * 6)
    assert finish(send_id=send.id, now=timezone.now())
    assert Edition.objects.get().state == "sent"


def test_a_person_who_leaves_them_alone_outweighs_the_policy(begun: Begin, ada: User) -> None:
    send = begun(in_doubt="resend")
    ended(send, *DOUBTS)
    assert settle_doubts(send_id=send.id, actor=ada, resend=False, now=NOW) == 2
    assert finish(send_id=send.id, now=NOW)
    assert JournalEntry.objects.get(verb="leave_doubts").detail == {"left": 2}


def test_doubts_of_old_news_or_of_a_stopped_send_are_not_resent(begun: Begin, ada: User) -> None:
    send = begun()
    ended(send, *DOUBTS)
    assert send.expires_at is not None
    with pytest.raises(Refused, match="no news any more"):
        settle_doubts(send_id=send.id, actor=ada, resend=True, now=send.expires_at)
    Send.objects.update(state="cancelled")
    with pytest.raises(Refused, match="let it end first"):
        settle_doubts(send_id=send.id, actor=ada, resend=True, now=NOW)
    assert states() == [state.value for state in DOUBTS]
