"""Sample pages against truths written by hand: each `NAME.json` holds the fields that `NAME.html` must give."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.read import MAX_BYTES, Reading, UnusableInput, read
from pipeline.commands.read_page import as_json
from pipeline.sources.formats.entries import Entry

SAMPLES = Path(__file__).parents[1] / "samples" / "pages"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.html"))
WHERE = "https://gazette.example/story/"


def truth(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_page_gives_what_its_newsroom_meant(name: str) -> None:
    wanted = truth(name)
    url = wanted.pop("url")
    told = as_json(read((SAMPLES / f"{name}.html").read_bytes(), url=url))
    assert {key: told[key] for key in wanted} == wanted


def test_there_are_enough_pages() -> None:
    assert len(NAMES) >= 20


def test_the_feeds_entry_fills_what_the_page_leaves_out() -> None:
    entry = Entry(
        id="1", title="From the feed", published=datetime(2026, 4, 23, tzinfo=UTC), updated=datetime(2026, 4, 24, tzinfo=UTC),
        author="Aiko Sato", categories=("Trade",), summary="In short.", image="https://gazette.example/i.jpg",
    )  # fmt: skip
    reading = read(b"<html><body><div>nothing here</div></body></html>", url=WHERE, entry=entry)
    assert (reading.title, reading.authors, reading.section, reading.standfirst) == (
        "From the feed",
        ("Aiko Sato",),
        "Trade",
        "In short.",
    )
    assert (reading.published, reading.modified) == (entry.published, entry.updated)
    assert reading.image is not None
    assert reading.image.url == entry.image


def test_the_page_is_believed_before_the_feed() -> None:
    entry = Entry(id="1", title="From the feed", published=datetime(2026, 4, 1, tzinfo=UTC), author="admin")
    reading = read((SAMPLES / "yoast-graph.html").read_bytes(), url=truth("yoast-graph")["url"], entry=entry)
    assert (reading.title, reading.authors) == ("Delegations meet in fish market", ("Aiko Sato",))
    assert reading.published == datetime(2026, 4, 23, 8, 15, tzinfo=UTC)


def test_a_page_without_an_address_keeps_its_own_claim() -> None:
    assert (
        read(b'<html><link rel="canonical" href="https://a.example/x?utm_source=y">', url=None).canonical
        == "https://a.example/x"
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a web page"),
        (b"just words", "not a web page"),
        (b"<div>" * 1000, "deeper markup"),
        (b" " * (MAX_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_page_is_named_in_one_line(data: bytes, why: str) -> None:
    with pytest.raises(UnusableInput, match=why):
        read(data, url=WHERE)


@pytest.mark.parametrize(
    "middle",
    [
        "<p>word word word</p>" * 40_000, "<a href='/x'>y</a>" * 50_000, "<div class='share'>" * 250 + "</div>" * 250, "Also read: " * 100_000,
        "<script type='application/ld+json'>" + "[" * 900_000 + "</script>", "<script type='application/ld+json'>" + '{"a":' * 100_000 + "</script>",
        '<script type="application/ld+json">[' + '{"@type":"NewsArticle","author":' * 5_000 + "</script>", "<meta property='og:title' content='x'>" * 50_000,
        "<p itemscope itemprop='a'>" * 50_000, "<br>" * 100_000, "<li>" * 100_000, "<h3>Most Popular</h3><ul><li><a>x</a></li></ul>" * 8_000, "x " * 2_000_000,
        "<p>This article " + "was " * 500_000, "<script type='application/ld+json'>{" + " \n" * 400_000 + "x</script>", "<script type='application/ld+json'>" + '"\n ' * 300_000 + "</script>",
        "<figure><img src='/i.jpg'><figcaption>" + "Photo: " * 200_000 + "</figcaption></figure>", "<p class='standfirst'>" + "... " * 400_000, "<h1 class='title'>" + " - x" * 400_000,
    ],
    ids=range(19),
)  # fmt: skip
def test_no_page_takes_ten_seconds(middle: str) -> None:
    started = time.process_time()
    try:
        read(
            f"<html><body><article><h1>t</h1><div class='entry-content'>{middle}</div></article></body></html>".encode(),
            url=WHERE,
        )
    except UnusableInput as error:
        assert str(error)
    assert time.process_time() - started < 10


PIECES = ["<html>", "<head>", "<body>", "<article>", "</article>", "<div class='entry-content'>", "</div>", "<p>", "</p>", "<h1>", "<figure>", "<img src=x>", "<script type='application/ld+json'>", "</script>",
          '{"@type":"NewsArticle","headline":1,"author":[null,{"@id":2}],"image":[[]]}', '{"@graph":[{"@type":["Article",3],"@id":{}}]}', "<meta property='og:image' content='http://['>", "<link rel=canonical href='http://[x'>", "Also read: <a href='//['>x</a>",
          "London, 3 May 2024 (AP) — ", "word " * 60, "<br>", "<ul><li>", "<!--", "-->", "\x00", "<time datetime='x'>", "<div itemscope itemtype='http://schema.org/Article'>", "<span itemprop=author>"]  # fmt: skip


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda data: b"<html>" + data))
def test_any_bytes_are_a_page_or_unusable(data: bytes) -> None:
    try:
        assert isinstance(read(data, url=WHERE), Reading)
    except UnusableInput as error:
        assert str(error)


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from([None, WHERE, "", "http://[", "x"]))
def test_any_mix_of_markup_is_a_page_or_unusable(pieces: list[str], url: str | None) -> None:
    try:
        json.dumps(as_json(read("".join(pieces).encode(), url=url)))
    except UnusableInput as error:
        assert str(error)
