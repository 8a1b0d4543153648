"""The twelve acceptance cases of the watching reference, section 7: real HTTP, real rows, the functions workers call.

Every story that is watched is read again after each look, which is more than the doorbell asks for: a case in which
that announced or changed anything would fail.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models import Q

from pipeline.articles import intake, revise
from pipeline.articles.gates import announce
from pipeline.articles.models import Article, Bulletin, Hold, Version
from pipeline.kernel.outbound.http import Client
from pipeline.sources import watch
from pipeline.sources.looks import courtesy, rest
from pipeline.sources.models import Channel, Look
from pipeline.sources.pushes import hints
from tests.factories import acceptance, sources
from tests.factories.acceptance import CASES
from tests.factories.paper import START, Served
from tests.factories.sites import Asked, Reply

STEP, LONG_STEP = timedelta(seconds=60), timedelta(minutes=5)
#: More than these at once are an import whose stories nobody reads again.
READ_AGAIN_AT_MOST = 30
BY_NAME = {case.name[0]: case for case in CASES}


class Watcher:
    """A source, watched by the code that workers run, on a clock of its own."""

    def __init__(self, site: Served) -> None:
        self.site, self.paper, self.now = site, site.paper, START
        self.client = site.client()
        self.source = sources.source(
            home_url=site.url, now=START, baseline_at=None, looks=0, last_success_at=None, settle_s=60
        )

    def wait(self, *, minutes: float) -> None:
        until = self.now + timedelta(minutes=minutes)
        while self.now < until:
            self.now = min(self.now + (STEP if minutes <= 10 else LONG_STEP), until)
            self.work()

    def look(self, *ways: str) -> None:
        for way in ways:
            watch.look(channel_id=self.due(way), now=self.now, client=self.client, gap_s=0.0)
        self.work()

    def look_anew(self, *ways: str) -> None:
        Channel.objects.filter(kind__in=ways).update(last_full_at=None)
        self.look(*ways)

    def due(self, way: str) -> int:
        address = self.site.url + {"feed": "feed/", "rest": "wp-json/"}[way]
        channel = Channel.objects.filter(kind=way).first() or sources.channel(source=self.source, url=address, kind=way)
        Channel.objects.filter(id=channel.id).update(next_due_at=self.now, leased_until=None)
        return channel.id

    def work(self) -> None:
        """What the sweeps would ring for."""
        for article_id in ids(Q(state__in=intake.OPEN_STATES)):
            intake.take_in(article_id=article_id, now=self.now, client=self.client)
        for article_id in ids(Q(state="eligible", announced_at=None, settles_at__lte=self.now)):
            announce.tell(article_id=article_id, now=self.now, client=self.client)
        watched = ids(Q(state__in=revise.REVISED))
        for article_id in watched if len(watched) <= READ_AGAIN_AT_MOST else ():
            revise.look_again(article_id=article_id, now=self.now, client=self.client)


def ids(which: Q) -> list[int]:
    return list(Article.objects.filter(which).order_by("id").values_list("id", flat=True))


def outcomes() -> dict[str, int]:
    """As a replay tells them: how many articles were announced, held or ignored, by reason."""
    found: Counter[str] = Counter()
    for state, code, announced_at in Article.objects.values_list("state", "code", "announced_at"):
        found["announce news" if announced_at else f"{'hold' if state == 'held' else 'ignore'} {code}"] += 1
    return dict(found)


def told() -> int:
    return Bulletin.objects.filter(kind="new").count()


@pytest.fixture
def site() -> Iterator[Served]:
    courtesy._robots.clear()
    rest._trees.clear()
    made = Served()
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join(5)


@pytest.fixture
def watcher(site: Served, db: None) -> Iterator[Watcher]:
    made = Watcher(site)
    yield made
    made.client.close()


def played(letter: str, watcher: Watcher) -> None:
    """Play a case, which must end as it does for a replay: no story told twice, none told that should not be."""
    case = BY_NAME[letter]
    case.play(watcher)
    assert outcomes() == case.expects, case.tells
    assert told() == case.expects.get("announce news", 0)
    assert Bulletin.objects.exclude(kind="new").count() == 0


@pytest.mark.parametrize("letter", "befghij")
def test_a_case_ends_as_it_must(letter: str, watcher: Watcher) -> None:
    played(letter, watcher)


def test_imported_posts_are_all_known_within_an_hour_though_no_feed_shows_them(watcher: Watcher) -> None:
    played("a", watcher)
    found = Article.objects.filter(code="old").values_list("first_seen_at", flat=True)
    assert len(found) == 500
    assert max(found) - START < timedelta(hours=1)


def test_a_bulk_edit_makes_no_version_and_a_real_change_after_it_does(watcher: Watcher) -> None:
    played("c", watcher)
    assert set(Version.objects.values_list("kind", flat=True)) == {"first"}
    watcher.paper.stories[-1].words = "The council voted again, and 41 of 60 members were against it this time."
    watcher.look_anew("feed", "rest")
    assert Version.objects.filter(kind="material").count() == 1


def test_posts_made_anew_are_one_batch_for_one_person(watcher: Watcher) -> None:
    """The feed's pages lead to fifty of them and REST to a hundred more; the others are the daily sitemap's to find."""
    BY_NAME["d"].play(watcher)
    held = outcomes()
    assert held.keys() == {"ignore first_look", "hold burst"} and held["hold burst"] >= 100
    assert told() == 0
    assert Hold.objects.count() == held["hold burst"]
    assert Hold.objects.values("batch").distinct().count() == 1


def test_a_moved_story_keeps_its_row_and_follows_its_link(watcher: Watcher) -> None:
    played("l", watcher)
    story = Article.objects.get(announced_at__isnull=False)
    assert story.url == f"{watcher.site.url}ferry-returns/"
    names = {value.rpartition("/")[2] for value in story.aliases.values_list("value", flat=True)}
    assert {"ferry-retruns", "ferry-returns"} <= names


def test_no_story_is_gone_for_a_block_page_and_one_really_gone_is(watcher: Watcher) -> None:
    played("k", watcher)
    assert not Article.objects.filter(Q(state="gone") | ~Q(missing_at=None)).exists()
    watcher.paper.take_back(watcher.paper.stories[-1])
    for _ in range(3):
        watcher.look_anew("feed", "rest")
        watcher.wait(minutes=6)
    assert Article.objects.get(announced_at__isnull=False).state == "gone"
    assert Bulletin.objects.filter(kind="gone").count() == 1


def test_a_block_page_at_a_storys_own_address_changes_nothing_of_it(watcher: Watcher) -> None:
    """Without REST the page is all there is, and for an hour it says something else."""
    acceptance.begin(watcher, "feed")
    watcher.paper.publish(at=watcher.now)
    watcher.look("feed")
    watcher.wait(minutes=3)
    before = Article.objects.filter(announced_at__isnull=False).values("headline", "text", "state").get()
    watcher.paper.blocked = True
    watcher.wait(minutes=15)
    assert Article.objects.filter(announced_at__isnull=False).values("headline", "text", "state").get() == before
    assert Bulletin.objects.exclude(kind="new").count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_it_tells_and_thirty_pings_announce_once(site: Served) -> None:
    watcher = Watcher(site)
    acceptance.begin(watcher, "feed", "rest")
    watcher.paper.publish(at=watcher.now)
    watcher.look("feed")
    article_id = Article.objects.get(state="eligible").id
    watcher.now += timedelta(seconds=61)
    _killed_before_it_tells(watcher, article_id)
    assert Article.objects.get(id=article_id).announced_at is None

    channels = [watcher.due("feed"), watcher.due("rest")]

    def pinged() -> None:
        with site.client() as client:
            hints.hear(source_id=watcher.source.id, now=watcher.now)
            for channel_id in channels:
                watch.look(channel_id=channel_id, now=watcher.now, client=client, gap_s=0.0)
            announce.tell(article_id=article_id, now=watcher.now, client=client)

    _at_once([pinged] * 30)
    watcher.wait(minutes=3)
    assert told() == 1
    assert Article.objects.exclude(state="baseline").count() == 1
    assert Look.objects.filter(source_id=watcher.source.id).count() <= 4
    watcher.client.close()


def _killed_before_it_tells(watcher: Watcher, article_id: int) -> None:
    """A worker has screened a story and looks at its page once more when it is killed."""
    reached, go_on = threading.Event(), threading.Event()
    answer = watcher.site.paper.answer

    def slow(asked: Asked) -> Reply:
        reached.set()
        go_on.wait(10)
        return answer(asked)

    watcher.site.paper.answer = slow  # type: ignore[method-assign]
    connections.close_all()  # a forked child must not share the socket
    worker = multiprocessing.get_context("fork").Process(
        target=_tell, args=(watcher.site.client(), article_id, watcher)
    )
    worker.start()
    assert reached.wait(10)
    worker.kill()
    worker.join(10)
    assert worker.exitcode == -9
    watcher.site.paper.answer = answer  # type: ignore[method-assign]
    go_on.set()


def _tell(client: Client, article_id: int, watcher: Watcher) -> None:
    announce.tell(article_id=article_id, now=watcher.now, client=client)


def _at_once(works: list[Callable[[], None]]) -> None:
    def closing(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=closing, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
