"""What comes back does what it must, once, in any order, and never to a reader for a fault of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from pipeline.audience.models import Subscriber, Subscription, Suppression
from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.feedback.apply import record, record_all, record_answers
from pipeline.delivery.feedback.events import MOST_SOFT, Event, of_answer, worn_out
from pipeline.delivery.models import Delivery, Feedback, Send
from pipeline.delivery.send import fresh_origin_id
from pipeline.editions.models import Edition
from pipeline.engagement.models import Origin
from pipeline.staff.models import JournalEntry
from tests.factories import audience, editions
from tests.factories import delivery as deliveries

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def sent(db: None) -> list[Delivery]:
    return accepted(readers=3)


def accepted(*, readers: int = 1, days_ago: float = 0, slug: str = "morning-brief") -> list[Delivery]:
    """Deliveries of one edition, taken by the next server so many days ago."""
    now = timezone.now() - timedelta(days=days_ago)
    newsletter = editions.newsletter(slug=slug, now=now)
    audience.readers(count=readers, follows=newsletter.topic, now=now)
    return again(newsletter, now=now)


def again(newsletter: Any, *, now: Any) -> list[Delivery]:
    """The same readers' copies of one more edition."""
    origin = Origin.objects.create(id=fresh_origin_id(), kind=Origin.Kind.EDITION, started_at=now)
    edition = editions.edition(newsletter=newsletter, slot_at=now, state=Edition.State.SENT)
    send = Send.objects.create(edition=edition, origin=origin, state=Send.State.SUBMITTED, created_at=now)
    readers = Subscriber.objects.filter(subscriptions__topic=newsletter.topic).order_by("id")
    return [
        deliveries.delivery(send=send, subscriber=reader, ordinal=n, state=State.ACCEPTED, answered_at=now)
        for n, reader in enumerate(readers, start=1)
    ]


def event(of: Delivery | None, kind: str, **fields: Any) -> Event:
    known: dict[str, Any] = {"id": f"{kind}:{of.id if of else 0}", "way": "webhook", "at": timezone.now()}
    if of is not None:
        known |= {"delivery_id": of.id, "trusted": True}
    return Event(kind=kind, **{**known, **fields})


def reasons() -> list[str]:
    return sorted(Suppression.objects.values_list("reason", flat=True))


def state(of: Delivery) -> str:
    of.refresh_from_db()
    return of.state


def test_a_hard_bounce_suppresses_its_reader_and_no_other(sent: list[Delivery]) -> None:
    assert record(event(sent[0], "hard", reason="no-mailbox", status="5.1.1"), now=timezone.now())
    assert [state(one) for one in sent] == [State.BOUNCED, State.ACCEPTED, State.ACCEPTED]
    row = Suppression.objects.get()
    assert bytes(row.address_hash) == bytes(sent[0].subscriber.address_hash)
    assert (row.reason, row.detail) == ("bounced", "no-mailbox 5.1.1")
    kept = Feedback.objects.get()
    assert (kept.kind, kept.delivery_id, kept.status) == ("hard", sent[0].id, "5.1.1")


def test_an_event_told_again_changes_nothing(sent: list[Delivery]) -> None:
    told = event(sent[0], "complaint", reason="abuse")
    assert [record(told, now=timezone.now()) for _ in range(3)] == [True, False, False]
    assert record_all([told, told], now=timezone.now()) == 0
    assert Feedback.objects.count() == JournalEntry.objects.filter(verb="complain").count() == 1


def test_whoever_complains_is_never_mailed_again_and_it_is_written_down(sent: list[Delivery]) -> None:
    record(event(sent[1], "complaint", reason="abuse"), now=timezone.now())
    assert state(sent[1]) == State.COMPLAINED and reasons() == ["complained"]
    assert JournalEntry.objects.get(verb="complain").subject_id == sent[1].id


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "hard", "status": "5.7.1", "reason": "no-mailbox"},
        {"kind": "soft", "status": "5.7.26", "reason": "policy"},
        {"kind": "soft", "reason": "throttled"},
        {"kind": "soft", "reason": "policy"},
        {"kind": "auto-reply"},
        {"kind": "other"},
        {"kind": "delivered"},
    ],
)
def test_what_is_not_the_readers_doing_never_costs_them_anything(sent: list[Delivery], told: dict[str, str]) -> None:
    for number in range(3 * MOST_SOFT):
        record(event(sent[0], **told, id=f"e{number}"), now=timezone.now())
    assert state(sent[0]) == State.ACCEPTED and reasons() == []
    assert Feedback.objects.count() == 3 * MOST_SOFT


def softly(copies: Iterable[Delivery], **fields: Any) -> None:
    for copy in copies:
        record(event(copy, "soft", reason="mailbox-full", status="5.2.2", **fields), now=timezone.now())


def week(days: Iterable[float]) -> list[Delivery]:
    """One reader's copies of editions so many days ago, oldest first."""
    first, *rest = sorted(days, reverse=True)
    copies = accepted(days_ago=first)
    newsletter = copies[0].send.edition.newsletter
    for ago in rest:
        copies += again(newsletter, now=timezone.now() - timedelta(days=ago))
    return copies


def test_five_editions_that_came_back_softly_end_it_and_four_do_not() -> None:
    copies = week([4, 3, 2, 1, 0])
    softly(copies[:4])
    assert reasons() == []
    softly(copies[4:])
    assert reasons() == ["bounced"] and "5 times in 30 days" in Suppression.objects.get().detail


def test_one_edition_that_comes_back_five_times_counts_once() -> None:
    [copy] = accepted()
    for number in range(9):
        record(event(copy, "soft", reason="mailbox-full", id=f"again {number}"), now=timezone.now())
    assert reasons() == []


def test_an_edition_that_arrived_between_them_begins_the_count_again() -> None:
    copies = week([4, 3, 2.5, 2, 1, 0])
    softly(copies[:2])
    record(event(copies[2], "delivered"), now=timezone.now())
    softly(copies[3:])
    assert reasons() == []


def test_an_edition_nobody_said_anything_of_for_a_week_arrived() -> None:
    """Through a relay nobody tells of success: the proof is that nothing came back while servers still try."""
    copies = week([14, 13, 10, 2, 1, 0])
    softly(copies[:2] + copies[3:])
    assert reasons() == []


def test_a_soft_bounce_of_a_mail_that_was_delivered_counts_for_nothing() -> None:
    copies = week([4, 3, 2, 1, 0])
    for copy in copies:
        record(event(copy, "delivered"), now=timezone.now())
    softly(copies)
    assert reasons() == [] and {state(copy) for copy in copies} == {State.ACCEPTED}


def test_soft_bounces_count_within_the_window_and_since_the_last_arrival() -> None:
    softs = [(timezone.now() - timedelta(days=n), n) for n in range(5)]
    assert worn_out(softs, arrived=[]) and not worn_out(softs[:4], arrived=[])
    assert not worn_out(softs, arrived=[timezone.now() - timedelta(days=2.5)])
    assert not worn_out([(at - timedelta(days=29 * n), n) for at, n in softs], arrived=[])


@pytest.mark.django_db(transaction=True)
def test_two_halves_of_the_last_straw_brought_at_once_are_both_seen() -> None:
    copies = week([4, 3, 2, 1, 0])
    softly(copies[:3])
    told, counted = threading.Event(), threading.Event()

    def first() -> None:
        """Has counted four, and has not said so to anybody yet."""
        with transaction.atomic():
            softly(copies[3:4])
            told.set()
            counted.wait(0.5)
        connection.close()

    def second() -> None:
        told.wait(10)
        softly(copies[4:])
        counted.set()
        connection.close()

    threads = [threading.Thread(target=half) for half in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reasons() == ["bounced"]


def test_hard_bounce_complaint_and_leaving_end_the_same_in_any_order(sent: list[Delivery]) -> None:
    ends = set()
    for number, order in enumerate(permutations(["hard", "complaint", "left", "soft", "other"])):
        Suppression.objects.all().delete()
        Subscription.objects.update(left_at=None)
        Delivery.objects.update(state=State.ACCEPTED)
        for kind in order:
            record(event(sent[0], kind, reason="no-mailbox", id=f"{number} {kind}"), now=timezone.now())
        left = Subscription.objects.filter(subscriber=sent[0].subscriber).exclude(left_at=None).exists()
        ends.add((state(sent[0]), tuple(reasons()), left))
    assert ends == {(State.COMPLAINED, ("complained",), True)}


def test_a_providers_own_unsubscribe_link_leaves_that_newsletter(sent: list[Delivery]) -> None:
    record(event(sent[0], "left"), now=timezone.now())
    gone = Subscription.objects.exclude(left_at=None)
    assert [row.subscriber_id for row in gone] == [sent[0].subscriber_id]
    assert reasons() == []


def test_word_of_a_delivery_settles_a_doubt(sent: list[Delivery]) -> None:
    Delivery.objects.filter(id=sent[0].id).update(state=State.UNKNOWN)
    record(event(sent[0], "delivered"), now=timezone.now())
    assert state(sent[0]) == State.ACCEPTED


def test_an_address_alone_names_the_latest_copy_and_a_stranger_suppresses_nobody_by_it(sent: list[Delivery]) -> None:
    told = {"address": sent[0].address.upper(), "reason": "no-mailbox"}
    record(event(None, "hard", **told, id="stranger"), now=timezone.now())
    assert Feedback.objects.get().delivery_id == sent[0].id and reasons() == []
    record(event(None, "hard", **told, id="provider", trusted=True), now=timezone.now())
    assert reasons() == ["bounced"]


def test_what_is_about_nobody_we_wrote_to_is_kept_and_does_nothing(sent: list[Delivery]) -> None:
    record(event(None, "hard", address="never@quay.example", trusted=True), now=timezone.now())
    old = timezone.now() - timedelta(days=60)
    Delivery.objects.update(answered_at=old)
    record(event(None, "complaint", address=sent[0].address, id="late", trusted=True), now=timezone.now())
    assert set(Feedback.objects.values_list("delivery_id", flat=True)) == {None} and reasons() == []


def test_a_providers_number_is_believed_from_that_provider_only(sent: list[Delivery]) -> None:
    Delivery.objects.filter(id=sent[2].id).update(remote_id="pm-7", transport="postmark")
    known = {"remote_id": "pm-7", "reason": "no-mailbox", "trusted": True}
    record(event(None, "hard", **known, transport="ses", id="a"), now=timezone.now())
    assert reasons() == []
    record(event(None, "hard", **known, transport="postmark", id="b"), now=timezone.now())
    assert state(sent[2]) == State.BOUNCED


def test_a_name_that_fits_another_reader_is_not_believed(sent: list[Delivery]) -> None:
    told = event(sent[0], "hard", reason="no-mailbox", address=sent[1].address)
    record(told, now=timezone.now())
    assert state(sent[0]) == State.ACCEPTED and state(sent[1]) == State.BOUNCED


def test_text_no_database_can_hold_is_kept_as_far_as_it_goes(sent: list[Delivery]) -> None:
    record(event(sent[0], "soft", reason="x\x00y", said="\ud800\x00 full", id="n\x00ul"), now=timezone.now())
    assert Feedback.objects.get().reason == "x y"


@pytest.mark.parametrize(
    ("receipt", "kind"),
    [
        (Receipt(1, Outcome.REFUSED, 550, "5.1.1", "user unknown"), "hard"),
        (Receipt(1, Outcome.REFUSED, 552, "5.2.2", "mailbox full"), "soft"),
        (Receipt(1, Outcome.REFUSED, 550, "5.7.1", "user unknown"), "soft"),
        (Receipt(1, Outcome.REFUSED, 0, "5.1.3", "no address"), None),
        (Receipt(1, Outcome.DEFERRED, 450, "4.1.1", "user unknown"), None),
        (Receipt(1, Outcome.ACCEPTED, 250, "2.0.0", ""), None),
        (Receipt(1, Outcome.UNKNOWN), None),
    ],
)
def test_an_answer_says_something_of_the_reader_only_where_a_server_refused(receipt: Receipt, kind: str | None) -> None:
    told = of_answer(receipt, at=timezone.now())
    assert (told.kind if told else None) == kind


def test_a_deferral_counts_once_its_delivery_is_given_up() -> None:
    copies = week([4, 3, 2, 1, 0])
    full = [Receipt(copy.id, Outcome.DEFERRED, 452, "4.2.2", "mailbox full") for copy in copies]
    assert record_answers(full, now=timezone.now()) == 0, "it may still be taken"
    Delivery.objects.update(state=State.REFUSED)
    assert record_answers(full, now=timezone.now()) == 5
    assert reasons() == ["bounced"]


def test_a_server_that_knows_no_such_user_suppresses_while_we_are_connected(sent: list[Delivery]) -> None:
    Delivery.objects.filter(id=sent[0].id).update(state=State.REFUSED)
    told = of_answer(Receipt(sent[0].id, Outcome.REFUSED, 550, "5.1.1", "user unknown"), at=timezone.now())
    assert told is not None and record(told, now=timezone.now())
    assert state(sent[0]) == State.REFUSED and reasons() == ["bounced"]


def test_a_thousand_events_are_recorded_in_a_few_statements(
    sent: list[Delivery], django_assert_max_num_queries: Any
) -> None:
    told = [event(sent[n % 3], "delivered", id=f"d{n}") for n in range(1000)]
    with django_assert_max_num_queries(8):
        assert record_all(told, now=timezone.now()) == 1000
