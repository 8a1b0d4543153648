"""A send from its plan to its end: begun once, frozen whole, and stopped when someone says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.audience import subscribe, suppress
from pipeline.audience.models import Subscriber, Suppression
from pipeline.delivery import send as sending
from pipeline.delivery.course import freeze
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.send import CountsDiffer, begin, cancel, finish, pause, prepare, resume, sweep
from pipeline.editions.models import Edition, Newsletter
from pipeline.engagement.models import Link, Origin
from pipeline.kernel.config import config
from pipeline.kernel.queue import Queue
from pipeline.staff.models import JournalEntry
from tests.factories import articles, audience, editions, staff
from tests.factories import delivery as deliveries

pytestmark = pytest.mark.django_db
BELLS = f"dateline:{Queue.SEND.value}"


@pytest.fixture
def newsletter(db: None) -> Newsletter:
    return editions.newsletter()


@pytest.fixture
def approved(newsletter: Newsletter) -> Edition:
    for _ in range(4):
        articles.article()
    edition = editions.composed(newsletter=newsletter)
    Edition.objects.filter(id=edition.id).update(state="approved", leaves_at=editions.NOW)
    edition.refresh_from_db()
    return edition


@pytest.fixture
def bells(db: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete(BELLS)
        yield client
        client.delete(BELLS)


def begun(edition: Edition) -> Send:
    assert begin(edition_id=edition.id, now=editions.NOW)
    return Send.objects.get()


def prepared(edition: Edition, *, readers: int = 3) -> Send:
    if readers:
        audience.readers(count=readers, follows=edition.newsletter.topic)
    made = begun(edition)
    prepare(send_id=made.id, now=timezone.now())
    made.refresh_from_db()
    return made


def test_a_begun_edition_has_an_origin_that_knows_every_link(approved: Edition) -> None:
    made = begun(approved)
    approved.refresh_from_db()
    assert (approved.state, approved.origin_id, made.state) == ("sending", made.origin_id, "planned")
    assert 0 < made.origin_id < 2**32
    kept = [
        {"number": one.number, "url": one.url, "kind": one.kind, "slot": one.slot, "article_id": one.article_id}
        for one in Link.objects.filter(origin=made.origin).order_by("number")
    ]
    assert kept == approved.rendering.links
    assert len(kept) >= 6


def test_an_edition_is_begun_once(approved: Edition) -> None:
    assert begin(edition_id=approved.id, now=editions.NOW)
    assert not begin(edition_id=approved.id, now=editions.NOW)
    assert (Send.objects.count(), Origin.objects.count()) == (1, 1)


@pytest.mark.parametrize("state", [state for state in Edition.State.values if state != "approved"])
def test_only_an_approved_edition_is_begun(approved: Edition, state: str) -> None:
    Edition.objects.update(state=state)
    assert not begin(edition_id=approved.id, now=editions.NOW)
    assert not Send.objects.exists()


def test_it_does_not_leave_before_its_time_or_without_its_bytes(approved: Edition) -> None:
    assert not begin(edition_id=approved.id, now=editions.NOW - timedelta(microseconds=1))
    approved.rendering.delete()
    assert not begin(edition_id=approved.id, now=editions.NOW)


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_of_a_newsletter_that_rests_only_what_a_person_approved_or_sends_by_hand_is_begun(
    approved: Edition, state: str
) -> None:
    Newsletter.objects.update(state=state)
    assert not begin(edition_id=approved.id, now=editions.NOW)
    assert begin(edition_id=approved.id, now=editions.NOW, by_hand=True)
    Edition.objects.filter(id=approved.id).update(state="approved", approved_by=staff.ada())
    Send.objects.all().delete()
    assert begin(edition_id=approved.id, now=editions.NOW)


def test_an_edition_with_a_killed_story_is_not_begun(approved: Edition) -> None:
    carried = approved.items.filter(picked=True)[0].article_id
    left_out = articles.article(state=Article.State.KILLED)
    editions.item(edition=approved, article=left_out, picked=False, code="killed")
    Article.objects.filter(id=carried).update(state=Article.State.KILLED)
    assert not begin(edition_id=approved.id, now=editions.NOW)
    Article.objects.filter(id=carried).update(state=Article.State.ELIGIBLE)
    assert begin(edition_id=approved.id, now=editions.NOW), "one that was left out does not matter"


EMBARGO = [{"kind": "embargo", "text": "EMBARGOED UNTIL 09:00"}]


@pytest.mark.parametrize(
    ("now", "then", "leaves"),
    [
        ({"markers": EMBARGO}, {"code": "released"}, True),
        ({"markers": EMBARGO, "code": "news"}, {"markers": []}, True),
        ({"state": "held", "code": "embargo"}, {"state": "eligible"}, True),
        ({"markers": [{"kind": "correction", "text": "x"}]}, {}, None),
        ({"markers": EMBARGO, "code": "released"}, {}, None),
    ],
    ids=["lifted", "gone from the page", "held", "a correction", "lifted before"],
)
def test_an_embargo_stops_it_until_a_person_has_lifted_it(
    approved: Edition, now: dict[str, Any], then: dict[str, Any], leaves: bool | None
) -> None:
    """The claim itself refuses: no clock lifts an embargo, and whichever zone leaves first makes no difference."""
    carried = Article.objects.filter(id=approved.items.filter(picked=True)[0].article_id)
    carried.update(**now)
    assert begin(edition_id=approved.id, now=editions.NOW) is (leaves is None)
    if leaves:
        carried.update(**then)
        assert begin(edition_id=approved.id, now=editions.NOW)


def test_everyone_who_chose_it_gets_a_place_and_nobody_else(approved: Edition) -> None:
    topic, other = approved.newsletter.topic, audience.topic(slug="evening", name="Evening")
    now = timezone.now()
    wanted = audience.readers(count=3, follows=topic)
    audience.subscriber(address="other@example.org", follows=other)
    audience.subscriber(address="unasked@example.org")
    audience.subscriber(address="pending@example.org", follows=topic, state=Subscriber.State.PENDING)
    audience.subscriber(address="erased@example.org", follows=topic, state=Subscriber.State.ERASED)
    left = audience.subscriber(address="left@example.org", follows=topic)
    subscribe.leave(subscriber_id=left.id, topic_id=topic.id, origin="test", now=now)
    bounced = audience.subscriber(address="bounced@example.org", follows=topic)
    suppress.suppress(address=bounced.address, reason=Suppression.Reason.BOUNCED, now=now)
    made = begun(approved)
    assert prepare(send_id=made.id, now=now) == 3
    rows = Delivery.objects.order_by("ordinal")
    assert [(row.subscriber_id, row.address, row.ordinal) for row in rows] == [
        (reader.id, reader.address, n) for n, reader in enumerate(wanted, start=1)
    ]
    assert {(row.state, row.reason, row.tries) for row in rows} == {("pending", "", 0)}
    made.refresh_from_db()
    assert (made.state, made.recipients, made.prepared_at) == ("submitting", 3, now)


def test_a_reader_who_comes_after_the_freeze_waits_for_the_next_edition(approved: Edition) -> None:
    made = prepared(approved)
    audience.subscriber(address="late@example.org", follows=approved.newsletter.topic)
    assert prepare(send_id=made.id, now=timezone.now()) is None
    assert Delivery.objects.count() == 3


@pytest.mark.parametrize(("readers", "sizes"), [(0, []), (1, [1]), (4, [4]), (5, [4, 1]), (9, [4, 4, 1])])
def test_batches_are_cut_without_remainder(
    approved: Edition, monkeypatch: pytest.MonkeyPatch, readers: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(freeze, "BATCH_SIZE", 4)
    made = prepared(approved, readers=readers)
    batches = made.batches.order_by("number")
    assert [batch.deliveries.count() for batch in batches] == sizes
    assert [batch.number for batch in batches] == list(range(len(sizes)))
    assert list(made.deliveries.order_by("ordinal").values_list("ordinal", flat=True)) == list(range(1, readers + 1))


def test_an_audience_of_nobody_ends_at_once(approved: Edition, django_capture_on_commit_callbacks: Any) -> None:
    made = begun(approved)
    with django_capture_on_commit_callbacks(execute=True):
        assert prepare(send_id=made.id, now=timezone.now()) == 0
    made.refresh_from_db()
    approved.refresh_from_db()
    assert (made.state, approved.state) == ("submitted", "sent")


def test_a_freeze_that_does_not_count_right_keeps_nothing_and_fails_aloud(
    approved: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    audience.readers(count=5, follows=approved.newsletter.topic)
    made = begun(approved)
    monkeypatch.setattr(freeze, "_DELIVERIES", freeze._DELIVERIES + " WHERE frozen.ordinal <> 3")
    with pytest.raises(CountsDiffer, match="5 counted, 4 frozen"):
        prepare(send_id=made.id, now=timezone.now())
    made.refresh_from_db()
    assert (made.state, made.code, made.params) == ("failed", "counts_differ", {"counts": "5 counted, 4 frozen"})
    assert not Delivery.objects.exists()
    assert not Batch.objects.exists()
    assert prepare(send_id=made.id, now=timezone.now()) is None


def test_a_freeze_that_was_cut_off_is_done_again_from_the_start(
    approved: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    audience.readers(count=5, follows=approved.newsletter.topic)
    made = begun(approved)
    whole = freeze._DELIVERIES
    monkeypatch.setattr(freeze, "_DELIVERIES", "SELECT 1/0")
    with pytest.raises(Exception, match="division by zero"):
        prepare(send_id=made.id, now=timezone.now())
    made.refresh_from_db()
    assert (made.state, Batch.objects.count()) == ("preparing", 0)
    monkeypatch.setattr(freeze, "_DELIVERIES", whole)
    assert prepare(send_id=made.id, now=timezone.now()) == 5


def test_twenty_thousand_readers_are_frozen_in_a_moment(approved: Edition) -> None:
    """A statement for all of them, and not one for each: benchmarks/ has the figures."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH made AS (
                   INSERT INTO dateline_subscriber (address, address_hash, name, state, language, zone, created_at)
                   SELECT 'r' || n || '@example.net', decode(md5(n::text), 'hex'), '', 'active', 'en', 'UTC', now()
                     FROM generate_series(1, 20000) n RETURNING id)
               INSERT INTO dateline_subscription (subscriber_id, topic_id, since) SELECT id, %s, now() FROM made""",
            [approved.newsletter.topic_id],
        )
    made = begun(approved)
    with CaptureQueriesContext(connection) as asked:
        assert prepare(send_id=made.id, now=timezone.now()) == 20_000
    assert len(asked) < 60
    assert made.batches.count() == 20
    assert made.deliveries.values("subscriber_id").distinct().count() == 20_000


def test_pausing_and_resuming_are_kept_in_the_journal_and_ring_for_what_waits(
    approved: Edition, bells: redis.Redis, django_capture_on_commit_callbacks: Any
) -> None:
    made, ada = prepared(approved), staff.ada()
    Send.objects.update(expires_at=timezone.now() + timedelta(hours=2))
    assert pause(send_id=made.id, now=timezone.now(), actor=ada)
    assert not pause(send_id=made.id, now=timezone.now(), actor=ada)
    made.refresh_from_db()
    assert (made.state, made.code) == ("paused", "paused")
    assert sweep(now=timezone.now() + timedelta(hours=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert resume(send_id=made.id, now=timezone.now(), actor=ada)
    assert not resume(send_id=made.id, now=timezone.now(), actor=ada)
    made.refresh_from_db()
    assert (made.state, made.code) == ("submitting", "")
    assert bells.llen(BELLS) == 1
    assert [(entry.verb, entry.actor) for entry in JournalEntry.objects.order_by("id")] == [
        ("paused", ada),
        ("submitting", ada),
    ]


def test_cancelling_spares_who_was_not_mailed_and_says_how_many(approved: Edition) -> None:
    made = prepared(approved, readers=6)
    deliveries.answered(send=made, states=[Delivery.State.ACCEPTED, Delivery.State.REFUSED, Delivery.State.DEFERRED])
    assert cancel(send_id=made.id, now=timezone.now(), actor=staff.ada(), reason="wrong photo") == 4
    assert (
        list(made.deliveries.order_by("ordinal").values_list("state", flat=True))
        == ["accepted", "refused"] + ["cancelled"] * 4
    )
    made.refresh_from_db()
    approved.refresh_from_db()
    assert (made.state, approved.state, approved.code) == ("cancelled", "cancelled", "cancelled")
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.reason, entry.detail) == ("cancel", "wrong photo", {"spared": 4})
    assert cancel(send_id=made.id, now=timezone.now(), actor=None, reason="again") == 0
    assert not resume(send_id=made.id, now=timezone.now())


@pytest.mark.parametrize("state", ["planned", "preparing"])
def test_cancelled_before_the_freeze_it_never_freezes(approved: Edition, state: str) -> None:
    audience.readers(count=2, follows=approved.newsletter.topic)
    made = begun(approved)
    Send.objects.update(state=state)
    cancel(send_id=made.id, now=timezone.now(), actor=None, reason="no")
    assert prepare(send_id=made.id, now=timezone.now()) is None
    assert not Delivery.objects.exists()


def test_a_send_ends_with_its_last_batch_and_once(approved: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeze, "BATCH_SIZE", 2)
    made, now = prepared(approved), timezone.now()
    Delivery.objects.update(state="accepted")
    first, last = made.batches.order_by("number")
    Batch.objects.filter(id=first.id).update(state="done")
    assert not finish(send_id=made.id, now=now)
    Batch.objects.filter(id=last.id).update(state="done")
    assert finish(send_id=made.id, now=now)
    assert not finish(send_id=made.id, now=now)
    made.refresh_from_db()
    approved.refresh_from_db()
    assert (made.state, made.ended_at, approved.state, approved.ended_at) == ("submitted", now, "sent", now)


def test_the_sweep_rings_for_what_nobody_holds_and_not_for_ever_at_once(
    approved: Edition, bells: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freeze, "BATCH_SIZE", 1)
    made = prepared(approved, readers=5)
    now = timezone.now() + timedelta(seconds=1)
    free, rung, held, dead, later = made.batches.order_by("number")
    Batch.objects.filter(id=rung.id).update(rung_at=now - timedelta(seconds=2))
    Batch.objects.filter(id=held.id).update(state="claimed", lease_until=now + timedelta(minutes=5))
    Batch.objects.filter(id=dead.id).update(state="claimed", lease_until=now - timedelta(seconds=1))
    Batch.objects.filter(id=later.id).update(due_at=now + timedelta(seconds=1))
    assert sweep(now=now) == 2
    assert bells.llen(BELLS) == 2
    assert set(Batch.objects.filter(rung_at=now).values_list("id", flat=True)) == {free.id, dead.id}
    assert sweep(now=now) == 0, "a bell is a hint: one every few seconds is enough"
    assert sweep(now=now + sending.RING_AFTER + timedelta(seconds=1)) == 4


def test_a_bell_rung_by_a_clock_that_was_ahead_is_no_reason_for_silence(approved: Edition, bells: redis.Redis) -> None:
    audience.readers(count=2, follows=approved.newsletter.topic)
    made = begun(approved)
    prepare(send_id=made.id, now=timezone.now())
    now = timezone.now()
    made.batches.update(rung_at=now + timedelta(hours=2))
    assert sweep(now=now) == made.batches.count() > 0
    assert sweep(now=now) == 0


def test_the_sweep_finds_a_send_whose_bell_was_lost(approved: Edition, bells: redis.Redis) -> None:
    begun(approved)
    sweep(now=editions.NOW + sending.RING_AFTER)
    assert bells.llen(BELLS) == 0
    sweep(now=editions.NOW + sending.RING_AFTER + timedelta(seconds=1))
    assert bells.llen(BELLS) == 1


def test_the_sweep_closes_a_send_whose_last_holder_died_before_it_could(approved: Edition) -> None:
    made = prepared(approved)
    Delivery.objects.update(state="accepted")
    Batch.objects.update(state="done")
    sweep(now=timezone.now())
    made.refresh_from_db()
    assert made.state == "submitted"
