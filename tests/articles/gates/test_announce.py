"""Told once, after it settled and its page was looked at again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from pipeline.articles.gates import announce, holds
from pipeline.articles.gates.likeness import sketch
from pipeline.articles.models import Article, Bulletin, GateCount, Hold
from pipeline.articles.visit import Visit
from pipeline.kernel.outbound.http import Client
from pipeline.sources.models import Source
from pipeline.staff.models import JournalEntry, Stop
from tests.articles.conftest import BODY, Site
from tests.articles.conftest import client as client_fixture
from tests.articles.conftest import site as site_fixture
from tests.factories import articles, sources, staff

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
client, site = client_fixture, site_fixture


@pytest.fixture
def source(site: Site) -> Source:
    return sources.source(home_url=site.url, now=NOW)


def settled(
    source: Source, site: Site, *, headline: str = "Ministers agree on river ports", **fields: object
) -> Article:
    url = site.write("/ports/", headline, BODY)
    known = {"announced_at": None, "eligible_at": NOW - timedelta(seconds=60), "settles_at": NOW}
    return articles.article(source=source, url=url, headline=headline, now=NOW, **{**known, **fields})


def test_a_settled_story_is_told_once(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site)
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "eligible"
    assert announce.tell(article_id=article.id, now=NOW, client=client) is None
    assert Article.objects.get().announced_at == NOW
    assert Bulletin.objects.get().kind == "new"


def test_a_story_that_has_not_settled_is_not_told(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site, settles_at=NOW + timedelta(seconds=1))
    assert announce.tell(article_id=article.id, now=NOW, client=client) is None
    assert not Bulletin.objects.exists()


@pytest.mark.parametrize("status", [404, 410])
def test_a_story_taken_back_while_it_settled_is_not_told(
    source: Source, site: Site, client: Client, status: int
) -> None:
    article = settled(source, site)
    site.pages["/ports/"] = (status, "")
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "archived"
    assert GateCount.objects.get().code == "gone_before_told"
    assert Article.objects.get().code == "gone_before_told"


def test_a_mended_headline_is_the_same_story(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site, headline="Minsters agree on river ports")
    site.write("/ports/", "Ministers agree on the river ports")
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "eligible"


def test_another_story_at_the_address_waits_for_a_person(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site)
    site.write("/ports/", "Orchestra cancels autumn tour")
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "held"
    assert Hold.objects.get().code == "another_story"


def test_a_story_told_whole_may_have_a_page_with_a_headline_for_search_engines(
    source: Source, site: Site, client: Client
) -> None:
    article = settled(source, site, likeness=sketch(BODY), told={"entry": {"is_whole": True}})
    site.write("/ports/", "What you need to know today", BODY)
    announce.tell(article_id=article.id, now=NOW, client=client)
    assert Article.objects.get().announced_at == NOW


def test_an_embargo_that_appears_while_it_settles_holds_it(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site)
    site.write("/ports/", article.headline, lead="STRICTLY EMBARGOED until 0600 GMT 26 November 2026")
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "held"


def test_a_site_in_trouble_is_asked_again_and_believed_in_the_end(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site)
    site.pages["/ports/"] = (503, "")
    for turn in range(5):
        assert announce.tell(article_id=article.id, now=NOW + timedelta(minutes=turn), client=client) == "eligible"
        assert Article.objects.get().announced_at is None
    announce.tell(article_id=article.id, now=NOW + timedelta(minutes=6), client=client)
    assert Article.objects.get().announced_at is not None


def test_workers_that_meet_one_fault_at_once_have_tried_once(
    source: Source, site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = settled(source, site)
    site.pages["/ports/"] = (503, "")
    visit, more = announce.visiting.visit, iter(range(8))

    def slow(asked: Article, *, client: Client | None = None) -> Visit:
        for _ in more:  # other workers, rung for by the next ticks, while this one waits for the page
            announce.tell(article_id=article.id, now=NOW, client=client)
        return visit(asked, client=client)

    monkeypatch.setattr(announce.visiting, "visit", slow)
    announce.tell(article_id=article.id, now=NOW, client=client)
    assert (Article.objects.get().tries, Article.objects.get().announced_at) == (1, None)


def test_a_block_page_for_our_client_does_not_stop_a_story(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site)
    site.pages["/ports/"] = (403, "<html><body>Just a moment</body></html>")
    announce.tell(article_id=article.id, now=NOW, client=client)
    assert Article.objects.get().announced_at == NOW


def test_nothing_is_told_after_the_stop_commits(source: Source, site: Site, client: Client) -> None:
    article, editor = settled(source, site), staff.user()
    assert holds.stop_telling(actor=editor, now=NOW, reason="wrong numbers on the site")
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "held"
    assert not Bulletin.objects.exists()
    assert holds.resume_telling(actor=editor, now=NOW)
    assert not Stop.objects.exists()
    assert set(JournalEntry.objects.values_list("verb", flat=True)) == {"stop", "resume"}


def test_what_waited_too_long_is_not_news_any_more(source: Source, site: Site, client: Client) -> None:
    article = settled(source, site, eligible_at=NOW - timedelta(hours=40))
    assert announce.tell(article_id=article.id, now=NOW, client=client) == "archived"


def test_the_tick_rings_for_what_has_settled_and_nothing_else(source: Source, site: Site) -> None:
    settled(source, site)
    articles.article(source=source, now=NOW)
    articles.article(source=source, now=NOW, announced_at=None, settles_at=NOW + timedelta(minutes=1))
    assert announce.ring_due(now=NOW) == 1


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    yield


@pytest.mark.django_db(transaction=True)
def test_eight_workers_that_tell_the_same_story_tell_it_once(
    committed: None, source: Source, site: Site, client: Client
) -> None:
    article = settled(source, site)
    barrier = threading.Barrier(8)

    def worker() -> None:
        barrier.wait()
        announce.tell(article_id=article.id, now=NOW, client=client)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Bulletin.objects.filter(kind="new").count() == 1
