"""Sitemaps and robots.txt: what is read in them, and what is named unusable."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.raw.markup import UnusableInput
from pipeline.sources.formats import sitemaps
from pipeline.sources.formats.sitemaps import Sitemap

SAMPLES = Path(__file__).parents[2] / "samples" / "sitemaps"
WHERE = "https://gazette.example/sitemap.xml"
OPEN = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def read(name: str) -> Sitemap:
    return sitemaps.read(sample(name), url=WHERE)


def test_a_news_sitemap_gives_headlines_with_their_dates() -> None:
    found = read("news.xml")
    envoy, ferry = found.entries
    assert found.is_news and not found.children
    assert envoy.id == envoy.link == "https://gazette.example/2026/04/envoy/"
    assert envoy.title == "Kenya’s envoy & the fish"
    assert envoy.published == datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
    assert (envoy.language, envoy.image) == ("en", "https://gazette.example/market.jpg")
    assert ferry.title == "Ferry & timetable"
    assert ferry.published == datetime(2026, 4, 18, tzinfo=UTC)
    assert found.warnings == ("date with no time",)


def test_a_plain_sitemap_gives_addresses_and_says_what_it_left_out() -> None:
    found = read("posts.xml")
    assert not found.is_news
    assert [(entry.link, entry.updated) for entry in found.entries] == [
        ("https://gazette.example/2026/04/envoy/", datetime(2026, 4, 19, 4, 20, 31, tzinfo=UTC)),
        ("https://www.gazette.example/2026/04/ferry/?a=1&b=2", None),
    ]
    assert set(found.warnings) == {
        "address is missing, relative or none of the web: left out (3 times)",
        "address of another site: left out",
        "address is listed twice",
    }


def test_of_an_index_the_last_list_of_stories_comes_first() -> None:
    children = read("core-index.xml").children
    assert len(children) == 6
    assert [url.rpartition("-")[2] for url in sitemaps.story_lists(children)] == ["10.xml", "2.xml", "1.xml"]


def test_of_an_index_news_comes_before_what_changed_last() -> None:
    assert [url.rpartition("/")[2] for url in sitemaps.story_lists(read("dated-index.xml").children)] == [
        "news-sitemap.xml",
        "post-sitemap1.xml",
        "post-sitemap2.xml",
    ]


def test_a_sitemap_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    found = read("cut-off.xml")
    assert [entry.link for entry in found.entries] == ["https://gazette.example/1/"]
    assert found.warnings[0].startswith("not well-formed")


def test_a_declared_charset_is_honoured() -> None:
    assert read("latin-1.xml").entries[0].link == "https://gazette.example/café/"


def test_gzip_is_inflated() -> None:
    assert sitemaps.read(gzip.compress(sample("posts.xml")), url=WHERE) == read("posts.xml")


UNUSABLE = {
    "entities.xml": "it declares a document type or entities",
    "html-page.xml": "this is a web page, not a sitemap",
    "feed.xml": "this is a feed, not a sitemap",
    "empty.xml": "empty: no bytes of a sitemap",
    "robots.txt": "not a sitemap: it is no XML",
}


@pytest.mark.parametrize(("name", "why"), UNUSABLE.items())
def test_what_is_no_sitemap_is_named_in_one_line(name: str, why: str) -> None:
    with pytest.raises(UnusableInput, match=why):
        read(name)


HOSTILE = {
    "a gzip bomb": gzip.compress(b" " * 40_000_000),
    "bytes that only say gzip": b"\x1f\x8b" + b"x" * 100,
    "more than ten megabytes": b"<" * 10_000_001,
    "nested for ever": b"<urlset>" + b"<url>" * 500_000,
    "a tag of attributes": OPEN + b"<url " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/></urlset>",
    "nothing but brackets": b"<" * 5_000_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_named_unusable_within_two_seconds(data: bytes) -> None:
    started = time.thread_time()
    with pytest.raises(UnusableInput):
        sitemaps.read(data, url=WHERE)
    assert time.thread_time() - started < 2


def test_fifty_thousand_addresses_are_taken_and_no_more() -> None:
    many = b"".join(b"<url><loc>https://gazette.example/%d/</loc></url>" % n for n in range(50_010))
    found = sitemaps.read(OPEN + many + b"</urlset>", url=WHERE)
    assert len(found.entries) == 50_000
    assert found.warnings == ("more than 50,000 addresses: the rest is left out",)


@given(st.binary(max_size=200) | st.text("<>/urlsetoc &;=\"'", max_size=80).map(lambda text: OPEN + text.encode()))
def test_any_bytes_are_read_or_named_unusable(data: bytes) -> None:
    try:
        assert isinstance(sitemaps.read(data, url=WHERE), Sitemap)
    except UnusableInput as error:
        assert "\n" not in str(error)


def test_robots_names_sitemaps_and_what_we_may_read() -> None:
    robots = sitemaps.robots(sample("robots.txt"), url="https://gazette.example/robots.txt")
    assert robots.sitemaps == (
        "https://gazette.example/sitemap_index.xml",
        "https://gazette.example/news-sitemap.xml",
    )
    assert robots.allows("https://gazette.example/feed/")
    assert not robots.allows("https://gazette.example/members/story/")
    assert robots.allows("https://gazette.example/wp-admin/")  # our own group counts, not everyone's


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (b"User-agent: *\nDisallow: /\n", False),
        (b"User-agent: *\nDisallow:\n", True),
        (b"User-agent: OtherBot\nDisallow: /\n", True),
        (b"", True),
        (b"<html><body>User-agent: *\nDisallow: /</body></html>", True),
        (b"\xff\xfe\x00garbage\n\n:::\n", True),
    ],
)
def test_robots_is_honoured_where_it_is_one(text: bytes, allowed: bool) -> None:
    robots = sitemaps.robots(text, url="https://gazette.example/robots.txt")
    assert robots.allows("https://gazette.example/feed/") is allowed


@given(st.binary(max_size=300))
def test_any_bytes_in_robots_are_harmless(data: bytes) -> None:
    assert sitemaps.robots(data, url="https://gazette.example/robots.txt").allows("https://gazette.example/") in {
        True,
        False,
    }
