"""Nothing leaves after a stop commits: it waits for calls under way, and whoever comes after it finds it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from pipeline.channels.base import Message, Published
from pipeline.delivery.posting.publish import publish
from pipeline.posts.acts import brake
from pipeline.posts.models import Post
from pipeline.staff.models import JournalEntry, Stop
from tests.factories import articles, posts


@pytest.mark.django_db
def test_stopping_twice_is_stopping_once_and_both_ends_stand_in_the_journal() -> None:
    now = timezone.now()
    assert brake.pull(actor=None, now=now, reason="a tragedy")
    assert not brake.pull(actor=None, now=now, reason="again")
    assert brake.is_pulled()
    assert Stop.objects.get().reason == "a tragedy"
    assert brake.release(actor=None, now=now)
    assert not brake.release(actor=None, now=now)
    assert not brake.is_pulled()
    assert list(JournalEntry.objects.order_by("id").values_list("verb", flat=True)) == ["stop", "resume"]


@pytest.mark.django_db
@pytest.mark.parametrize(("act", "ends"), [("publish", "due"), ("reply", "due"), ("edit", "due"), ("delete", "posted")])
def test_while_stopped_only_what_is_wrong_is_taken_down(act: str, ends: str) -> None:
    now, account, story = timezone.now(), posts.account(now=timezone.now()), articles.article(now=timezone.now())
    network = posts.Network()
    network.live.append(posts.Live("p0", "Wrong", "m"))
    about = posts.post(article=story, account=account, state="posted", remote_id="p0", now=now)
    row = posts.post(article=story, account=account, purpose="second", act=act, about=about, state="due", now=now)
    brake.pull(actor=None, now=now, reason="a tragedy")
    publish(post_id=row.id, now=now, channel=network)
    row.refresh_from_db()
    assert row.state == ends
    assert network.asked == (["delete p0"] if act == "delete" else [])
    brake.release(actor=None, now=now)
    if act != "delete":
        assert publish(post_id=row.id, now=now, channel=network) == "posted", "what waited leaves afterwards"


class Slow(posts.Network):
    """Notes when it was written to; a call takes a while."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.times = threading.Event(), list[float]()

    def publish(self, message: Message) -> Published:
        self.begun.set()
        time.sleep(0.15)
        self.times.append(time.monotonic())
        return super().publish(message)


@pytest.mark.django_db(transaction=True)
def test_nothing_leaves_after_the_stop_commits() -> None:
    now, network = timezone.now(), Slow()
    account = posts.account(now=now)
    rows = [posts.post(article=articles.article(now=now), account=account, state="due", now=now) for _ in range(24)]

    def worker(mine: list[Post]) -> None:
        try:
            for row in mine:
                publish(post_id=row.id, now=timezone.now(), channel=network)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(rows[number::3],)) for number in range(3)]
    for thread in threads:
        thread.start()
    assert network.begun.wait(20)
    time.sleep(0.2)
    brake.pull(actor=None, now=timezone.now(), reason="a tragedy")
    stopped_at, left = time.monotonic(), len(network.live)
    for thread in threads:
        thread.join()
    assert 0 < left < len(rows), "it was pulled in the middle"
    assert len(network.live) == left
    assert max(network.times) <= stopped_at
    assert Post.objects.filter(state="posted").count() == left
    assert Post.objects.filter(state="due").count() == len(rows) - left, "and nobody is left in doubt"


@pytest.mark.django_db(transaction=True)
def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brake, "PATIENCE_S", 1)
    holding, done = threading.Event(), threading.Event()

    def hung() -> None:
        try:
            with brake.on_the_wire():
                holding.set()
                done.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hung)
    thread.start()
    assert holding.wait(20)
    try:
        assert brake.pull(actor=None, now=timezone.now(), reason="a tragedy")
        assert brake.is_pulled()
    finally:
        done.set()
        thread.join()


@pytest.mark.django_db
def test_a_worker_that_fails_lets_go_of_the_wire() -> None:
    def fails() -> Any:
        with brake.on_the_wire():
            raise ValueError("it fell over")

    with pytest.raises(ValueError, match="it fell over"):
        fails()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)
