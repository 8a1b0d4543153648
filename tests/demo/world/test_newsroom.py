from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any

import feedparser
import httpx
import pytest
from lxml import html

from pipeline.demo.world.newsroom import FEED_ITEMS, Newsroom, Release
from pipeline.demo.world.serving import HOST, Answer, LocalServer
from pipeline.demo.world.stories import stories

NOW = datetime(2026, 4, 19, 8, 0, 0, tzinfo=UTC)


def seek(page: html.HtmlElement, path: str) -> Any:
    """What an XPath finds; its type depends on the path, which the type checker cannot read."""
    return page.xpath(path)


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    site = Newsroom(archive=14, clock=lambda: NOW)
    for place in range(len(stories()) - 14 + 3):
        site.publish_next(NOW + timedelta(minutes=place))
    site.start()
    yield site
    site.stop()


@pytest.fixture
def client(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=newsroom.url, trust_env=False) as client:
        yield client


@pytest.fixture
def small() -> Iterator[Newsroom]:
    site = Newsroom(archive=3, clock=lambda: NOW)
    site.start()
    yield site
    site.stop()


def graph(page: html.HtmlElement) -> list[dict[str, object]]:
    scripts = seek(page, '//script[@type="application/ld+json"]')
    return json.loads(scripts[0].text)["@graph"] if scripts else []


def test_the_archive_is_old_and_the_next_story_is_new() -> None:
    site = Newsroom(archive=14, clock=lambda: NOW)
    assert len(site.published) == 14
    assert all(release.published_at < NOW - timedelta(hours=48) for release in site.published)
    assert site.published == sorted(site.published, key=lambda release: release.published_at)
    assert site.publish_next(NOW).published_at == NOW
    assert site.published[-1].story is stories()[14]


def test_two_stories_in_one_second_are_dated_a_second_apart() -> None:
    site = Newsroom(archive=1, clock=lambda: NOW)
    first, second = site.publish_next(NOW), site.publish_next(NOW)
    assert second.published_at - first.published_at == timedelta(seconds=1)


def test_publishing_goes_on_after_the_stock_is_used_up() -> None:
    site = Newsroom(archive=14, clock=lambda: NOW)
    for place in range(60):
        site.publish_next(NOW + timedelta(minutes=place))
    slugs = [release.story.slug for release in site.published]
    assert len(set(slugs)) == len(slugs) == 74


def test_every_story_has_a_page_that_says_what_the_feed_says(newsroom: Newsroom, client: httpx.Client) -> None:
    told: dict[str, feedparser.FeedParserDict] = {}
    pages = -(-len(newsroom.published) // FEED_ITEMS)
    for number in range(1, pages + 1):
        feed = feedparser.parse(BytesIO(client.get(f"/feed/?paged={number}").content))
        assert not feed.bozo
        told |= {entry.link: entry for entry in feed.entries}
    assert len(told) == len(newsroom.published)
    for release in newsroom.published:
        entry, story = told[newsroom.url + release.path], release.story
        page = html.document_fromstring(client.get(release.path).content)
        assert seek(page, "string(//h1[@class='entry-title'])") == story.title == entry.title
        assert seek(page, "//link[@rel='canonical']/@href") == [entry.link]
        assert seek(page, "//link[@rel='shortlink']/@href") == [entry.id] == [newsroom.url + release.guid_path]
        assert entry.author == story.author
        assert [tag.term for tag in entry.tags] == [*story.section, *story.tags]
        assert parsedate_to_datetime(entry.published) == release.published_at
        first = seek(page, "string((//div[@class='entry-content']/p)[1])")
        assert first == f"{release.dateline} {story.blocks[0].text}".strip()
        assert story.blocks[0].text in entry.content[0].value.replace("&#39;", "'").replace("&#34;", '"')


def test_machines_are_told_what_the_story_says_they_are(newsroom: Newsroom, client: httpx.Client) -> None:
    for release in newsroom.published:
        story, page = release.story, html.document_fromstring(client.get(release.path).content)
        found = {str(each["@type"]): each for each in graph(page)}
        og = seek(page, "//meta[@property='og:title']/@content")
        assert bool(found) == (story.markup == "jsonld")
        assert og == ([] if story.markup == "bare" else [story.title])
        if found:
            assert found[story.kind]["headline"] == story.title
            assert found[story.kind]["datePublished"] == release.published_at.isoformat()
            crumbs = [each["name"] for each in found["BreadcrumbList"]["itemListElement"]]  # type: ignore[attr-defined]
            assert crumbs == ["Home", *story.section]


def test_a_page_has_the_furniture_of_a_news_site(newsroom: Newsroom, client: httpx.Client) -> None:
    page = html.document_fromstring(client.get("/rotterdam-montevideo-paperless-fruit/").content)
    assert seek(page, "//nav[@class='breadcrumb']/a/text()") == ["Home", "Economy", "Trade"]
    assert seek(page, "string(//p[@class='also'])").startswith("Also read: ")
    assert seek(page, "string(//p[@class='follow'])") == "Follow us on X and WhatsApp"
    assert seek(page, "//section[@class='author-box']") and seek(page, "//div[@class='share']")
    assert "Photo: Meridian Dispatch" in seek(page, "string(//figcaption)")


def test_also_read_leads_to_a_story_that_is_out(newsroom: Newsroom, client: httpx.Client) -> None:
    for release in newsroom.published:
        page = html.document_fromstring(client.get(release.path).content)
        assert all(client.get(link).status_code == 200 for link in seek(page, "//p[@class='also']/a/@href"))


def test_the_arabic_page_reads_from_right_to_left(client: httpx.Client) -> None:
    page = html.document_fromstring(client.get("/amman-water-diaries-arabic/").content)
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")


def test_every_link_of_the_front_page_leads_somewhere(newsroom: Newsroom, client: httpx.Client) -> None:
    page = html.document_fromstring(client.get("/").content)
    links = {link for link in seek(page, "//a/@href | //img/@src") if link.startswith(newsroom.url)}
    assert len(links) > 30
    assert {link for link in links if client.get(link).status_code != 200} == set()


def test_sections_authors_and_short_links_answer(newsroom: Newsroom, client: httpx.Client) -> None:
    assert "Ambassadors" in client.get("/category/diplomatic-news/ambassadors/").text
    assert "Joost van Eyndhoven" in client.get("/author/joost-van-eyndhoven/").text
    assert client.get("/category/no-such-thing/").status_code == 404
    release = newsroom.published[4]
    moved = client.get(release.guid_path)
    assert (moved.status_code, moved.headers["location"]) == (301, newsroom.url + release.path)
    assert client.post("/feed/").status_code == 405


def test_pictures_are_png(newsroom: Newsroom, client: httpx.Client) -> None:
    pictured = next(release for release in newsroom.published if release.story.image)
    answer = client.get(pictured.image_path)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def conditional(site: Newsroom, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(f"{site.url}/feed/", headers=named, trust_env=False)


def test_validators_work_as_wordpress_has_them(small: Newsroom) -> None:
    first = conditional(small)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert etag.startswith('"') and len(etag) == 34
    earlier = "Mon, 01 Jan 2001 00:00:00 GMT"
    for status, headers in (
        (304, {"If_None_Match": etag}),
        (304, {"If_Modified_Since": modified}),
        (304, {"If_None_Match": etag, "If_Modified_Since": modified}),
        (200, {"If_None_Match": "W/" + etag}),
        (200, {"If_None_Match": etag[:-1] + '-gzip"'}),
        (200, {"If_None_Match": etag[:-1] + '-gzip"', "If_Modified_Since": modified}),
        (200, {"If_None_Match": etag, "If_Modified_Since": earlier}),
        (200, {"If_Modified_Since": "not a date"}),
    ):
        assert conditional(small, **headers).status_code == status, headers


def test_publishing_changes_the_validators_and_a_304_repeats_them(small: Newsroom) -> None:
    before = conditional(small)
    small.publish_next(NOW)
    after = conditional(small, If_None_Match=before.headers["etag"])
    assert after.status_code == 200
    again = conditional(small, If_None_Match=after.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == after.headers["etag"] != before.headers["etag"]


def test_the_interval_publishes_by_itself() -> None:
    site = Newsroom(archive=2, interval_s=0.02, clock=lambda: NOW)
    site.start()
    until = time.monotonic() + 5
    while len(site.published) < 5 and time.monotonic() < until:
        time.sleep(0.01)
    site.stop()
    out = len(site.published)
    assert out >= 5
    time.sleep(0.1)
    assert len(site.published) == out


def test_most_popular_shows_what_dateline_says_and_nothing_without_it(small: Newsroom) -> None:
    dateline = LocalServer(answer=lambda _: Answer(b"<ol><li>A much read story</li></ol>"))
    dateline.start()
    assert "Most Popular" not in httpx.get(small.url, trust_env=False).text
    small.popular_url = dateline.url
    shown = httpx.get(small.url, trust_env=False).text
    dateline.stop()
    assert "Most Popular" in shown and "A much read story" in shown


def test_a_popular_box_that_does_not_answer_leaves_the_page_whole(small: Newsroom) -> None:
    with socket.create_server((HOST, 0)) as silent:
        small.popular_url = f"http://{HOST}:{silent.getsockname()[1]}/"
        started = time.monotonic()
        page = httpx.get(small.url, trust_env=False)
    assert page.status_code == 200 and "Most Popular" not in page.text
    assert time.monotonic() - started < 3


def test_stopping_releases_the_port_and_joins_every_thread() -> None:
    before = set(threading.enumerate())
    site = Newsroom(archive=2, interval_s=5, clock=lambda: NOW)
    site.start()
    port = int(site.url.rpartition(":")[2])
    with httpx.Client(base_url=site.url, trust_env=False) as idle:
        idle.get("/feed/")
        started = time.monotonic()
        site.stop()
    assert time.monotonic() - started < 2
    socket.create_server((HOST, port)).close()
    assert set(threading.enumerate()) <= before


def test_a_release_knows_its_addresses() -> None:
    release = Release(7, stories()[0], NOW, None)
    assert release.guid_path == "/?p=7"
    assert release.image_path == f"/wp-content/uploads/2026/04/{stories()[0].slug}.png"
