"""Telling other programs, over real HTTP: signed, repeated under one id, given up after a day."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from pipeline.articles.gates import bulletins, holds
from pipeline.articles.models import Bulletin
from pipeline.commands.connecting import add_hook
from pipeline.commands.unusable import UnusableInput
from pipeline.demo.world.serving import Answer, LocalServer, Request
from pipeline.hooks import deliver as delivering
from pipeline.hooks.deliver import LEASE, WAITS_S, deliver
from pipeline.hooks.events import EVENTS, UnknownEvent
from pipeline.hooks.models import Hook, Notice
from pipeline.hooks.tell import forget, open_hook, tell
from pipeline.kernel.outbound.http import Client
from pipeline.ranking import rank
from pipeline.staff.models import JournalEntry
from tests.factories import articles

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 6, 30, tzinfo=UTC)


class Listener:
    """A program that was told; answers what a test wants."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.answer = Answer(b"thanks", status=200)
        self._server = LocalServer(answer=self._take, name="listener")
        self._server.start()
        self.client = Client(site_url="http://here.example", allow=frozenset({self.url.removeprefix("http://")}))

    @property
    def url(self) -> str:
        return self._server.url

    def _take(self, request: Request) -> Answer:
        self.heard.append(request)
        return self.answer

    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(request.body) for request in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.client.close()
    made._server.stop()


def hook(listener: Listener, *events: str) -> tuple[Hook, str]:
    return open_hook(url=f"{listener.url}/hear", events=events or EVENTS, name="A program", now=NOW)


def told(n: int = 1, *, at: datetime = NOW) -> None:
    for number in range(n):
        tell(event="reader.left", body={"topic": f"brief-{number}"}, now=at)


def test_what_is_told_is_signed_over_its_bytes_and_time(listener: Listener) -> None:
    _, secret = hook(listener)
    told()
    assert deliver(now=NOW, client=listener.client) == 1
    [request] = listener.heard
    fields = dict(part.split("=") for part in request.headers["dateline-signature"].split(","))
    signed = fields["t"].encode() + b"." + request.body
    assert fields["v1"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert int(fields["t"]) == int(NOW.timestamp())
    [body] = listener.bodies()
    assert body == {
        "id": Notice.objects.get().id, "event": "reader.left", "at": "2026-04-19T06:30:00Z", "data": {"topic": "brief-0"},
    }  # fmt: skip
    assert request.headers["dateline-event"] == "reader.left"
    assert Notice.objects.get().state == Notice.State.TOLD


def test_only_who_asked_is_told(listener: Listener) -> None:
    hook(listener, "edition.sent")
    assert tell(event="reader.left", body={}, now=NOW) == 0
    assert tell(event="edition.sent", body={}, now=NOW) == 1


def test_an_act_that_was_rolled_back_is_told_to_nobody(listener: Listener) -> None:
    hook(listener)
    with transaction.atomic():
        told()
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_an_event_without_a_name_in_the_list_is_a_bug() -> None:
    with pytest.raises(UnknownEvent):
        tell(event="article.invented", body={}, now=NOW)


def test_a_failure_is_tried_again_under_the_same_id_and_later_each_time(listener: Listener) -> None:
    hook(listener)
    told()
    listener.answer = Answer(status=500)
    at = NOW
    for wait_s in WAITS_S:
        assert deliver(now=at, client=listener.client) == 0
        notice = Notice.objects.get()
        waited = (notice.due_at - at).total_seconds()
        assert wait_s <= waited <= wait_s * 1.2 + 0.001
        assert deliver(now=notice.due_at - timedelta(seconds=1), client=listener.client) == 0
        at = notice.due_at
    assert len(listener.heard) == len(WAITS_S), "nobody was asked before the time"
    assert deliver(now=at, client=listener.client) == 0
    notice = Notice.objects.get()
    assert notice.state == Notice.State.GIVEN_UP and notice.said == "answered 500"
    assert timedelta(hours=20) < at - NOW < timedelta(hours=30)
    assert Hook.objects.get().state == Hook.State.RESTING
    assert len({body["id"] for body in listener.bodies()}) == 1


def test_a_resting_hook_lists_what_it_missed_and_a_new_secret_wakes_it(listener: Listener) -> None:
    one, old = hook(listener)
    Hook.objects.update(state=Hook.State.RESTING)
    told()
    assert Notice.objects.get().state == Notice.State.GIVEN_UP
    again, new = hook(listener)
    assert (again.id, again.state) == (one.id, Hook.State.ACTIVE) and new != old
    told()
    assert deliver(now=NOW, client=listener.client) == 1


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_opened_twice_at_once_is_one_hook(listener: Listener) -> None:
    barrier = threading.Barrier(4)

    def pressed() -> None:
        barrier.wait()
        hook(listener)
        connection.close()

    threads = [threading.Thread(target=pressed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Hook.objects.count() == 1


def test_410_switches_a_hook_off(listener: Listener) -> None:
    hook(listener)
    told(2)
    listener.answer = Answer(status=410)
    deliver(now=NOW, client=listener.client)
    assert Hook.objects.get().state == Hook.State.OFF
    assert deliver(now=NOW + timedelta(days=2), client=listener.client) == 0
    assert len(listener.heard) == 1
    assert tell(event="reader.left", body={}, now=NOW) == 0


def test_one_that_fails_does_not_keep_others_waiting(listener: Listener) -> None:
    open_hook(url="http://127.0.0.1:9/closed", events=["reader.left"], name="Private", now=NOW)
    hook(listener)
    told(3)
    assert deliver(now=NOW, client=listener.client) == 3
    refused = Notice.objects.filter(hook__name="Private", tries=1).get()
    assert refused.said and refused.state == Notice.State.PENDING


def test_a_private_address_is_never_asked() -> None:
    open_hook(url="http://127.0.0.1/", events=["reader.left"], name="Private", now=NOW)
    told()
    deliver(now=NOW, client=Client(site_url="http://here.example"))
    assert "public internet" in Notice.objects.get().said


def test_a_worker_that_died_is_followed_by_another_after_its_lease(listener: Listener) -> None:
    hook(listener)
    told()
    Notice.objects.update(leased_until=NOW + LEASE, tries=1)
    assert deliver(now=NOW, client=listener.client) == 0
    assert deliver(now=NOW + LEASE, client=listener.client) == 1


def test_a_last_try_that_failed_late_does_not_put_to_rest_a_hook_that_took_it_from_another(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(listener)
    told()
    Notice.objects.update(tries=len(WAITS_S))
    post = delivering._post

    def slow(notice: Notice, *, client: Client, now: datetime) -> delivering.Outcome:
        monkeypatch.setattr(delivering, "_post", post)
        assert deliver(now=now + LEASE, client=client) == 1  # another worker, while this one was paused
        return delivering.Outcome(0, "it was not answered in time")

    monkeypatch.setattr(delivering, "_post", slow)
    assert deliver(now=NOW, client=listener.client) == 0
    assert Notice.objects.get().state == Notice.State.TOLD
    assert (Hook.objects.get().state, Hook.objects.get().failing_since) == (Hook.State.ACTIVE, None)


def test_a_hook_that_is_removed_while_it_is_told_stops_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed, _ = hook(listener)
    open_hook(url=f"{listener.url}/other", events=["reader.left"], name="Another", now=NOW)
    told()
    post = delivering._post

    def meanwhile(notice: Notice, *, client: Client, now: datetime) -> delivering.Outcome:
        Hook.objects.filter(id=doomed.id).delete()
        return post(notice, client=client, now=now)

    monkeypatch.setattr(delivering, "_post", meanwhile)
    assert deliver(now=NOW, client=listener.client) == 2
    assert Notice.objects.get().state == Notice.State.TOLD


def test_a_far_retry_after_is_kept_but_for_an_hour_at_most(listener: Listener) -> None:
    hook(listener)
    told()
    listener.answer = Answer(status=503, headers=(("Retry-After", "999999"),))
    deliver(now=NOW, client=listener.client)
    assert timedelta(hours=1) <= Notice.objects.get().due_at - NOW <= timedelta(hours=1.2)


def test_a_story_is_told_when_announced_and_when_killed(listener: Listener) -> None:
    hook(listener, "article.announced", "article.killed")
    story = articles.article(now=NOW)
    bulletins.say(story, kind=Bulletin.Kind.NEW, now=NOW)
    holds.kill(article_id=story.id, actor=None, now=NOW, reason="It was wrong.")
    deliver(now=NOW, client=listener.client)
    assert [body["event"] for body in listener.bodies()] == ["article.announced", "article.killed"]
    [_, killed] = listener.bodies()
    assert killed["data"] == {
        "id": story.id, "url": story.url, "headline": story.headline, "section": story.section_path, "version": 1,
        "said": "It was wrong.",
    }  # fmt: skip


def test_most_popular_is_told_when_its_order_changes_and_not_when_its_numbers_do(listener: Listener) -> None:
    hook(listener, "popular.changed")
    articles.article(now=NOW, age_s=3600)
    rank.refresh(now=NOW)
    first = Notice.objects.count()
    assert first == len(rank.WINDOWS)
    rank.refresh(now=NOW + timedelta(seconds=2))
    assert Notice.objects.count() == first
    articles.article(now=NOW, age_s=600)
    rank.refresh(now=NOW + timedelta(seconds=4))
    assert Notice.objects.count() == 2 * first


def test_what_nobody_needs_is_forgotten(listener: Listener) -> None:
    hook(listener)
    told(2)
    assert forget(now=NOW + timedelta(days=90)) == 0, "what waits is never forgotten"
    deliver(now=NOW, client=listener.client)
    assert forget(now=NOW + timedelta(days=6)) == 0
    assert forget(now=NOW + timedelta(days=8)) == 2


def test_the_command_shows_the_secret_once_and_keeps_it_sealed() -> None:
    made = add_hook.run(url="https://cms.example/hear", name="", events=["edition.sent"])
    assert made["secret"] not in Hook.objects.get().secret
    assert made["warnings"] == [] and made["events"] == ["edition.sent"]
    assert JournalEntry.objects.get(verb="open_hook").subject_id == made["hook"]


@pytest.mark.parametrize(
    ("url", "events"),
    [("ftp://cms.example/", ["edition.sent"]), ("https://a:b@cms.example/", ["edition.sent"]), ("https://cms.example/", ["x"])],
)  # fmt: skip
def test_the_command_refuses_what_could_never_be_told(url: str, events: list[str]) -> None:
    with pytest.raises(UnusableInput):
        add_hook.run(url=url, name="", events=events)
    assert not Hook.objects.exists()
