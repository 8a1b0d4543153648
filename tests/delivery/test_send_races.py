"""Workers and an editor at one send at the same moment: one wins, and what happened is not overwritten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from pipeline.delivery.models import Delivery, Send
from pipeline.delivery.send import begin, cancel, prepare
from pipeline.editions.models import Edition
from tests.factories import articles, audience, editions

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
    known = {k: v for k, v in connection.get_connection_params().items() if k in {"dbname", "user", "host", "port"}}
    with psycopg.connect(**known) as worker:
        worker.execute("UPDATE dateline_delivery SET state = 'accepted' WHERE ordinal = 1")
        spared: list[int] = []

        def editor() -> None:
            try:
                spared.append(cancel(send_id=made.id, now=timezone.now(), actor=None, reason="stop"))
            finally:
                connection.close()

        cancelling = threading.Thread(target=editor)
        cancelling.start()
        with psycopg.connect(**known, autocommit=True) as watching:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            deadline = time.monotonic() + 10
            while watching.execute(waiting).fetchone() != (1,) and time.monotonic() < deadline:
                time.sleep(0.01)
        worker.commit()
        cancelling.join()
    assert spared == [2]
    assert list(Delivery.objects.order_by("ordinal").values_list("state", flat=True)) == [
        "accepted",
        "cancelled",
        "cancelled",
    ]
