"""One article for all the names a site gives a story, and no news from renaming it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from pipeline.articles.identity import identify
from pipeline.articles.models import Alias, Article
from pipeline.sources.formats.entries import Entry
from pipeline.sources.models import Source
from tests.factories import sources

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def entry(number: int, **fields: object) -> Entry:
    link = f"https://news.example/2026/story-{number}/"
    known = {
        "id": f"http://news.example/?p={number}",
        "title": f"The envoys meet for the {number}th time",
        "link": link,
    }
    return Entry(**{**known, "published": NOW, **fields})  # type: ignore[arg-type]


@pytest.fixture
def source() -> Source:
    return sources.source(home_url="https://news.example/", now=NOW)


def observe(source: Source, *told: Entry, baseline: bool = False, now: datetime = NOW) -> identify.Seen:
    return identify.observe(source_id=source.id, told=told, now=now, baseline=baseline)


def test_a_story_is_fresh_once(source: Source) -> None:
    assert len(observe(source, entry(1)).fresh) == 1
    assert observe(source, entry(1)) == identify.Seen((), ())
    assert Article.objects.count() == 1


def test_looking_at_what_is_known_costs_a_handful_of_queries(
    source: Source, django_assert_max_num_queries: object
) -> None:
    told = [entry(n) for n in range(1, 21)]
    observe(source, *told)
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        assert observe(source, *told) == identify.Seen((), ())


def test_a_baseline_is_known_and_not_news(source: Source) -> None:
    observe(source, entry(1), baseline=True)
    assert Article.objects.get().state == Article.State.BASELINE


def test_a_new_slug_is_the_same_story_under_its_new_address(source: Source) -> None:
    observe(source, entry(1))
    seen = observe(source, entry(1, link="https://news.example/2026/a-better-slug/"))
    assert seen.fresh == ()
    assert Article.objects.get().url == "https://news.example/2026/a-better-slug/"


def test_two_channels_that_spell_an_address_differently_do_not_take_turns(source: Source) -> None:
    by_feed = entry(1, link="https://feeds.example/proxy/1")
    observe(source, entry(1))
    observe(source, by_feed)
    addresses = []
    for told in (entry(1, summary="by rest"), by_feed, entry(1, summary="by rest"), by_feed):
        observe(source, told)
        addresses.append(Article.objects.get().url)
    assert len(set(addresses)) == 1


def test_guids_that_move_to_https_are_the_numbers_they_hold(source: Source) -> None:
    told = [entry(n) for n in range(1, 11)]
    observe(source, *told, baseline=True)
    secured = [replace(one, id=one.id.replace("http:", "https:")) for one in told]
    assert len(observe(source, entry(11, id="https://news.example/?p=11"), *secured).fresh) == 1


def test_new_ids_and_new_addresses_for_known_titles_are_a_renaming(source: Source) -> None:
    told = [entry(n, id=f"urn:old:{n}") for n in range(1, 8)]
    observe(source, *told, baseline=True)
    moved = [replace(one, id=f"urn:new:{n}", link=f"https://news.example/archive/{n}") for n, one in enumerate(told)]
    assert len(observe(source, entry(99, id="urn:new:99"), *moved).fresh) == 1
    assert Article.objects.count() == 8


def test_one_story_with_a_known_title_is_no_renaming(source: Source) -> None:
    observe(source, entry(1, title="Cartoon of the day"), baseline=True)
    assert len(observe(source, entry(2, title="Cartoon of the day")).fresh) == 1


def test_two_articles_that_turn_out_to_be_one_are_merged_into_the_older(source: Source) -> None:
    observe(source, entry(1, id="urn:a", link="https://news.example/a"))
    observe(source, entry(2, id="urn:b", link="https://news.example/b"))
    seen = observe(source, entry(3, id="urn:a", link="https://news.example/b"))
    older, younger = Article.objects.order_by("id")
    assert seen.fresh == ()
    assert younger.state == Article.State.DUPLICATE
    assert set(Alias.objects.values_list("article_id", flat=True)) == {older.id}


def test_delete_and_recreate_under_the_same_slug_is_one_article(source: Source) -> None:
    observe(source, entry(1))
    assert observe(source, entry(2, link=entry(1).link)).fresh == ()
    assert identify.known_posts(source_id=source.id, wp_ids=[1, 2, 3]) == {1, 2}


def test_plain_permalinks_stay_apart(source: Source) -> None:
    told = [entry(n, link=f"https://news.example/?p={n}") for n in (1, 2, 3)]
    assert len(observe(source, *told).fresh) == 3


def test_another_telling_of_a_told_story_asks_for_another_reading(source: Source) -> None:
    observe(source, entry(1, summary="One envoy."))
    Article.objects.update(state=Article.State.ELIGIBLE)
    seen = observe(source, entry(1, summary="Two envoys."))
    assert len(seen.changed) == 1
    assert observe(source, entry(1, summary="Two envoys.")).changed == ()


def test_a_moved_date_on_a_whole_story_asks_for_nothing(source: Source) -> None:
    whole = entry(1, content_html="<p>All of it.</p>", is_whole=True, updated=NOW)
    observe(source, whole)
    Article.objects.update(state=Article.State.ELIGIBLE)
    assert observe(source, replace(whole, updated=NOW + timedelta(hours=1))).changed == ()


def test_an_entry_that_never_stops_changing_is_left_alone_in_the_end(source: Source) -> None:
    observe(source, entry(1, summary="0"))
    Article.objects.update(state=Article.State.ELIGIBLE)
    changes = [len(observe(source, entry(1, summary=f"{n}")).changed) for n in range(1, 40)]
    assert sum(changes) == 24


def test_a_story_taken_back_before_it_was_told_may_come_again(source: Source) -> None:
    observe(source, entry(1))
    Article.objects.update(state=Article.State.ARCHIVED, code="gone_before_told", missing_at=NOW)
    observe(source, entry(1), now=NOW + timedelta(seconds=30))
    assert Article.objects.get().state == Article.State.SEEN
    for returns in range(1, 7):
        Article.objects.update(state=Article.State.ARCHIVED, code="gone_before_told")
        observe(source, entry(1), now=NOW + timedelta(seconds=30))
        assert Article.objects.get().state == ("seen" if returns < 5 else "archived")


def test_of_two_that_are_one_the_told_one_stays(source: Source) -> None:
    observe(source, entry(1))
    observe(source, entry(2))
    first, second = Article.objects.order_by("id")
    Article.objects.filter(id=second.id).update(state=Article.State.ELIGIBLE, announced_at=NOW)
    assert identify.merge([first, Article.objects.get(id=second.id)]).id == second.id
    first.refresh_from_db()
    assert (first.state, first.params) == (Article.State.DUPLICATE, {"article": second.id})
    assert set(Alias.objects.values_list("article_id", flat=True)) == {second.id}


def test_the_same_names_at_another_site_are_another_article(source: Source) -> None:
    observe(source, entry(1))
    assert len(observe(sources.source(now=NOW), entry(1)).fresh) == 1


@pytest.mark.django_db(transaction=True)
def test_two_looks_that_find_a_story_at_once_make_one_article(source: Source) -> None:
    """The sitemap's look knows the address only; the feed's has begun before it commits."""
    ready, asked = threading.Event(), threading.Event()
    seen: list[identify.Seen] = []

    def sitemap() -> None:
        with transaction.atomic():
            observe(source, entry(1, id=""))
            ready.set()
            asked.wait(5)
        connection.close()

    def feed() -> None:
        threading.Timer(0.5, asked.set).start()
        seen.append(observe(source, entry(1)))
        connection.close()

    threads = [threading.Thread(target=sitemap), threading.Thread(target=feed)]
    threads[0].start()
    assert ready.wait(5)
    threads[1].start()
    for thread in threads:
        thread.join(10)
    assert [each.fresh for each in seen] == [()]
    article = Article.objects.get()
    kinds = Alias.objects.filter(article=article).values_list("kind", flat=True)
    assert sorted(kinds) == ["guid", "url", "wp_id"]


def test_numbers_of_other_sites_in_one_feed_are_no_names(source: Source) -> None:
    told = [
        entry(7, id=f"https://{site}/?p=7", link=f"https://{site}/seven/", title=f"Seven at {site}")
        for site in ("one.example.com", "two.example.org")
    ]
    assert len(observe(source, *told).fresh) == 2
