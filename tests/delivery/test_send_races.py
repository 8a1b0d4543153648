"""Workers and an editor at one send at the same moment: one wins, and what happened is not overwritten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.send import begin, cancel, finish, prepare, settle_doubts, to_the_rest
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition
from tests.factories import articles, audience, editions, staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def approved(transactional_db: None) -> Edition:
    for _ in range(4):
        articles.article()
    edition = editions.composed(newsletter=editions.newsletter())
    Edition.objects.update(state="approved", leaves_at=editions.NOW)
    return edition


def begun(edition: Edition) -> Send:
    assert begin(edition_id=edition.id, now=editions.NOW)
    return Send.objects.get()


def test_of_many_schedulers_one_begins_it(approved: Edition) -> None:
    won: list[bool] = []
    together = threading.Barrier(4)

    def scheduler() -> None:
        try:
            together.wait()
            won.append(begin(edition_id=approved.id, now=editions.NOW))
        finally:
            connection.close()

    _at_once([scheduler] * 4)
    assert sorted(won) == [False, False, False, True]
    assert Send.objects.count() == 1


def test_of_many_workers_one_freezes_the_audience(approved: Edition) -> None:
    audience.readers(count=50, follows=approved.newsletter.topic)
    made = begun(approved)
    frozen: list[int | None] = []
    together = threading.Barrier(4)

    def worker() -> None:
        try:
            together.wait()
            frozen.append(prepare(send_id=made.id, now=timezone.now()))
        finally:
            connection.close()

    _at_once([worker] * 4)
    assert sorted(frozen, key=str) == [50, None, None, None]
    assert Delivery.objects.count() == 50


@pytest.mark.parametrize(
    "change",
    [
        'markers = \'[{"kind": "embargo", "text": "until nine"}]\'',
        "killed_at = now()",
        "state = 'held', code = 'embargo'",
    ],
    ids=["embargo", "kill", "hold"],
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_story_barred_at_the_same_moment_is_never_missed(approved: Edition, change: str, kept: bool) -> None:
    """The desk's transaction has changed the story and not ended: the claim waits for it, and looks again."""
    carried = approved.items.filter(picked=True)[0].article_id
    won: list[bool] = []

    def scheduler() -> None:
        try:
            won.append(begin(edition_id=approved.id, now=editions.NOW))
        finally:
            connection.close()

    with psycopg.connect(**_known()) as desk:
        desk.execute(f"UPDATE dateline_article SET {change} WHERE id = {carried}".encode())  # noqa: S608 - our own words
        claiming = threading.Thread(target=scheduler)
        claiming.start()
        _until_someone_waits()
        assert won == []
        desk.commit() if kept else desk.rollback()
        claiming.join()
    assert won == [not kept]


def test_of_many_who_send_to_the_rest_one_does(approved: Edition) -> None:
    audience.readers(count=9, follows=approved.newsletter.topic)
    made = begun(approved)
    prepare(send_id=made.id, now=editions.NOW)
    cancel(send_id=made.id, now=editions.NOW, actor=None, reason="x")
    ada, told = staff.ada(), list[int | str]()
    together = threading.Barrier(3)

    def editor() -> None:
        try:
            together.wait()
            told.append(to_the_rest(send_id=made.id, actor=ada, now=editions.NOW))
        except Refused:
            told.append("refused")
        finally:
            connection.close()

    _at_once([editor] * 3)
    assert sorted(told, key=str) == [9, "refused", "refused"]


def test_a_send_that_ends_while_its_doubts_are_resent_ends_afterwards(approved: Edition) -> None:
    audience.readers(count=2, follows=approved.newsletter.topic)
    made = begun(approved)
    prepare(send_id=made.id, now=editions.NOW)
    Delivery.objects.update(state="unknown")
    Batch.objects.update(state="done")
    ada, together = staff.ada(), threading.Barrier(2)

    def editor() -> None:
        try:
            together.wait()
            settle_doubts(send_id=made.id, actor=ada, resend=True, now=editions.NOW)
        finally:
            connection.close()

    def sweeper() -> None:
        try:
            together.wait()
            finish(send_id=made.id, now=editions.NOW)
        finally:
            connection.close()

    _at_once([editor, sweeper])
    made.refresh_from_db()
    assert (made.state, Batch.objects.get().state) == ("submitting", "pending")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}


def _known() -> dict[str, Any]:
    return {k: v for k, v in connection.get_connection_params().items() if k in {"dbname", "user", "host", "port"}}


def _until_someone_waits() -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(**_known(), autocommit=True) as watching:
        deadline = time.monotonic() + 10
        while watching.execute(waiting).fetchone() != (1,) and time.monotonic() < deadline:
            time.sleep(0.01)


def _at_once(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_mail_accepted_while_the_send_is_cancelled_stays_accepted(approved: Edition) -> None:
    audience.readers(count=3, follows=approved.newsletter.topic)
    made = begun(approved)
    prepare(send_id=made.id, now=timezone.now())
    with psycopg.connect(**_known()) as worker:
        worker.execute("UPDATE dateline_delivery SET state = 'accepted' WHERE ordinal = 1")
        spared: list[int] = []

        def editor() -> None:
            try:
                spared.append(cancel(send_id=made.id, now=timezone.now(), actor=None, reason="stop"))
            finally:
                connection.close()

        cancelling = threading.Thread(target=editor)
        cancelling.start()
        _until_someone_waits()
        worker.commit()
        cancelling.join()
    assert spared == [2]
    assert list(Delivery.objects.order_by("ordinal").values_list("state", flat=True)) == [
        "accepted",
        "cancelled",
        "cancelled",
    ]


def test_readers_of_a_batch_that_is_being_taken_are_its_holders_to_end(approved: Edition) -> None:
    """Its claim is not kept yet: written down as spared, who is mailed now would be mailed once more with the rest."""
    audience.readers(count=3, follows=approved.newsletter.topic)
    made = begun(approved)
    prepare(send_id=made.id, now=timezone.now())
    spared: list[int] = []

    def editor() -> None:
        try:
            spared.append(cancel(send_id=made.id, now=timezone.now(), actor=None, reason="stop"))
        finally:
            connection.close()

    with psycopg.connect(**_known()) as worker:
        worker.execute("UPDATE dateline_batch SET state = 'claimed', fence = 1")
        cancelling = threading.Thread(target=editor)
        cancelling.start()
        _until_someone_waits()
        worker.commit()
        cancelling.join()
    assert spared == [0]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}
