"""What pages and headers point to."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources import links
from pipeline.sources.links import Link

PAGE = "https://gazette.example/2026/04/story/"


def of(head: str, page: str = PAGE) -> links.Page:
    return links.in_page(f"<html lang=fr><head>{head}</head>".encode(), base=page)


def test_a_header_names_links_with_several_relations_and_quotes() -> None:
    value = (
        '<https://gazette.example/wp-json/>; rel="https://api.w.org/", '
        '</hub?a=1,2>; rel=hub; title="a, b", <https://gazette.example/feed/>; rel="self canonical"; type="text/html; x"'
    )
    assert links.in_header(value, base=PAGE) == (
        Link(url="https://gazette.example/wp-json/", relations=frozenset({"https://api.w.org/"})),
        Link(url="https://gazette.example/hub?a=1,2", relations=frozenset({"hub"})),
        Link(
            url="https://gazette.example/feed/", relations=frozenset({"self", "canonical"}), type="text/html"
        ),
    )  # fmt: skip


def test_a_head_says_what_it_is_and_where_it_points() -> None:
    page = of(
        "<title>Story &amp; more</title><META NAME=generator CONTENT='WordPress 6.8.7'>"
        "<!-- <link rel=alternate type=application/rss+xml href=/old/> -->"
        "<link href='/feed/?a=1&amp;b=2' type='application/rss+xml' rel='Alternate'><link rel=stylesheet href=x.css>"
    )
    assert (page.title, page.generator, page.language) == ("Story & more", "WordPress 6.8.7", "fr")
    assert links.feeds(page.links, page=PAGE) == ("https://gazette.example/feed/?a=1&b=2",)


def test_a_base_moves_relative_links() -> None:
    page = of("<base href='https://cdn.example/x/'><link rel=hub href=hub>")
    assert links.named(page.links, "hub") == ("https://cdn.example/x/hub",)


def test_a_feed_names_its_hub_and_itself() -> None:
    body = b'<rss><channel><atom:link rel="self" href="https://gazette.example/feed/"/><link>https://gazette.example/</link><atom:link rel="hub" href="https://hub.example/"/>'
    page = links.in_page(body, base="https://gazette.example/feed/")
    assert links.named(page.links, "hub") == ("https://hub.example/",)
    assert links.named(page.links, "self") == ("https://gazette.example/feed/",)


@pytest.mark.parametrize(
    "url",
    [
        "https://gazette.example/comments/feed/",
        "https://gazette.example/?feed=comments-rss2",
        "https://gazette.example/feed/?withcomments=1",
        "https://gazette.example/en/comments",
    ],
)
def test_feeds_of_comments_are_never_taken(url: str) -> None:
    assert links.is_comments(url)
    assert links.feeds(of(f"<link rel=alternate type=application/rss+xml href='{url}'>").links, page=PAGE) == ()


def test_a_story_about_comments_is_not_one() -> None:
    assert not links.is_comments("https://gazette.example/minister-comments/feed/")


def test_a_feed_below_the_page_comes_last() -> None:
    head = "".join(f"<link rel=alternate type=application/rss+xml href='{path}'>" for path in ("feed/", "/feed/"))
    assert links.feeds(of(head).links, page=PAGE) == ("https://gazette.example/feed/", f"{PAGE}feed/")


def test_the_json_of_a_page_leads_to_the_root() -> None:
    json = "<link rel=alternate type=application/json href='/wp-json/wp/v2/posts/7'>"
    other = "<link rel=alternate type=application/json href='/page.json'>"
    assert links.rest_roots(of(other + json).links) == ("https://gazette.example/wp-json/",)
    plain = "<link rel='https://api.w.org/' href='https://gazette.example/index.php?rest_route=/' />"
    assert links.rest_roots(of(plain).links) == ("https://gazette.example/index.php?rest_route=/",)


@given(st.binary(max_size=200) | st.text("<>link relhrf='\"/=-!", max_size=100).map(str.encode))
def test_any_bytes_are_harmless(body: bytes) -> None:
    page = links.in_page(body, base=PAGE)
    header = links.in_header(body.decode("latin-1"), base=PAGE)
    assert all(link.url.startswith(("http://", "https://")) for link in (*page.links, *header))


@pytest.mark.parametrize("piece", [b"<link ", b"<!--", b"<link rel=a href=b>", b"<meta name='", b'x="', b"<title>"])
def test_ten_megabytes_of_anything_take_less_than_two_seconds(piece: bytes) -> None:
    body = piece * (10_000_000 // len(piece))
    started = time.thread_time()
    assert len(links.in_page(body, base=PAGE).links) <= links.MAX_LINKS
    links.in_header(body.decode("latin-1"), base=PAGE)
    assert time.thread_time() - started < 2
