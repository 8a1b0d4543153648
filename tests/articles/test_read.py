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

from pipeline.articles.page.witnesses import Step
from pipeline.articles.read import MAX_BYTES, Picture, Reading, Related, UnusableInput, read, read_entry
from pipeline.commands.reading.read_page import as_json
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


def test_there_are_enough_pages_and_nearly_all_have_their_text_written_down() -> None:
    assert len(NAMES) >= 44
    assert sum("text" in truth(name) for name in NAMES) >= 44


FURNITURE = (
    "also read", "read also", "read more", "read next", "follow us", "follow the", "subscribe", "newsletter", "most popular", "most read", "trending", "recent posts", "related", "share this", "share on", "share:",
    "whatsapp channel", "download the", "advertisement", "cookies", "leave a", "comment", "posted by", "post views", "sign up", "already a subscriber", "to continue reading", "min read", "tags:", "copyright", "accept all", "you may also like",
    "log in", "listen to this", "stay connected", "click here", "facebook", "more from author", "has written about", "writes about", "photo:", "lire aussi", "à lire également", "suivez-nous", "یہ بھی پڑھیں", "مزید پڑھیں", "ہمیں فالو", "اقرأ أيضا", "تابعونا", "関連記事", "यह भी पढ़ें", "بیشتر بخوانید",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_newsrooms_furniture_is_left_in_a_text(name: str) -> None:
    text = read((SAMPLES / f"{name}.html").read_bytes(), url=truth(name)["url"]).text.casefold()
    assert [phrase for phrase in FURNITURE if phrase in text] == []


def test_the_furniture_that_is_looked_for_was_on_the_pages() -> None:
    """Or its absence from the texts would prove nothing."""
    pages = "\n".join((SAMPLES / f"{name}.html").read_text(encoding="utf-8", errors="replace") for name in NAMES)
    assert [phrase for phrase in FURNITURE if phrase not in pages.casefold()] == []


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


WHOLE = Entry(
    id="4711", wp_id=4711, is_whole=True, title="From REST", link=WHERE, published=datetime(2026, 4, 20, 6, tzinfo=UTC), updated=datetime(2026, 4, 20, 7, tzinfo=UTC),
    author="Ben Okri", summary="The editor's own sentence.", language="fr", image="https://gazette.example/rest.jpg", image_alt="A jar", image_credit="Chen Li",
    sections=(Step(name="Diplomatic News", slug="diplomatic-news", term_id=3), Step(name="Ambassadors", slug="ambassadors", term_id=7)),
    content_html="<p><strong>Tokyo, 19 April 2026 (TDI):</strong> The ambassador brought water.</p><p>Also read: <a href='/rain/'>A jar of rain</a></p><p>Follow us on X</p><p>Correction: it was rain.</p>",
)  # fmt: skip
STORY = "Tokyo, 19 April 2026 (TDI): The ambassador brought water.\n\nCorrection: it was rain."


@pytest.mark.parametrize("html", [None, "<html></html>", "yoast-graph"])
def test_a_whole_entry_is_believed_before_anything_the_page_says(html: str | None) -> None:
    data = (SAMPLES / f"{html}.html").read_bytes() if html == "yoast-graph" else html and html.encode()
    reading = read(data or None, url=WHERE, entry=WHOLE)
    assert (reading.title, reading.authors, reading.language) == ("From REST", ("Ben Okri",), "fr")
    assert (reading.published, reading.modified) == (WHOLE.published, WHOLE.updated)
    assert (reading.section, reading.breadcrumbs) == ("Ambassadors", ("Diplomatic News", "Ambassadors"))
    assert [(step.slug, step.term_id) for step in reading.sections] == [("diplomatic-news", 3), ("ambassadors", 7)]
    assert reading.image == Picture("https://gazette.example/rest.jpg", "A jar", "Chen Li", None)
    assert (reading.text, reading.standfirst) == (STORY, "The editor's own sentence.")
    assert reading.dateline is not None
    assert (reading.dateline.place, reading.dateline.agency) == ("Tokyo", "TDI")
    assert reading.related == (Related("A jar of rain", "https://gazette.example/rain/"),)
    assert [marker.kind for marker in reading.markers] == ["correction"]
    assert reading.warnings == ()


def test_a_whole_entry_is_read_without_its_page() -> None:
    assert read_entry(WHOLE, url=f"{WHERE}?utm_source=x") == read(None, url=WHERE, entry=WHOLE)
    assert read_entry(WHOLE, url=WHERE).canonical == WHERE


def test_what_a_whole_entry_leaves_out_the_page_fills_in() -> None:
    entry = Entry(id="1", title="", author="admin", is_whole=True)
    reading = read((SAMPLES / "yoast-graph.html").read_bytes(), url=truth("yoast-graph")["url"], entry=entry)
    assert (reading.title, reading.authors) == ("Delegations meet in fish market", ("Aiko Sato",))
    assert reading.text == truth("yoast-graph")["text"]


def test_a_feeds_content_serves_where_the_page_shows_no_story() -> None:
    entry = Entry(
        id="1", title="T", content_html="<p>The whole story stood in the feed, in full, as some still do.</p>"
    )
    assert read(b"<html><p>", url=WHERE, entry=entry).text == "The whole story stood in the feed, in full, as some still do."  # fmt: skip
    assert read_entry(entry, url=WHERE).text == "The whole story stood in the feed, in full, as some still do."


def test_the_paywall_a_channel_tells_of_is_one() -> None:
    assert read_entry(Entry(id="1", title="T", is_paywalled=True), url=WHERE).paywalled
    assert not read_entry(Entry(id="1", title="T"), url=WHERE).paywalled


def test_nothing_is_nothing() -> None:
    with pytest.raises(UnusableInput, match="neither a page nor an entry"):
        read(None, url=WHERE)


@pytest.mark.parametrize(
    ("told", "paywalled"),
    [("false", True), ('"False"', True), ('"https://schema.org/False"', True), ('"No"', True), ("true", False), ('"True"', False), ("null", False)],
)  # fmt: skip
def test_free_is_told_in_many_ways(told: str, paywalled: bool) -> None:
    script = f'<script type="application/ld+json">{{"@type":"NewsArticle","headline":"T","isAccessibleForFree":{told}}}</script>'
    assert read(f"<html>{script}<p>x".encode(), url=WHERE).paywalled is paywalled


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


LD = "<script type='application/ld+json'>"


@pytest.mark.parametrize(
    "middle",
    [
        "<div class='share'>" * 250 + "</div>" * 250, "Also read: " * 100_000, LD + "[" * 900_000 + "</script>", LD + '{"a":' * 100_000 + "</script>", LD + '[{"@type":"NewsArticle","author":' * 5_000 + "</script>",
        LD + '"\n ' * 300_000 + "</script>", LD + "]\n" * 300_000 + "</script>", "x " * 2_000_000, "<p>This article " + "was " * 500_000, "<figure><img src='/i.jpg'><figcaption>" + "Photo: " * 200_000 + "</figcaption></figure>",
        "<p class='standfirst'>" + "... " * 400_000, "<h1 class='title'>" + " - x" * 400_000, "<p>" + "LONDON, " * 200_000, "<p>" + "(" * 900_000, "<p>" + "/" * 900_000, "<p>" + ": " * 400_000, "<p>" + "— " * 400_000, "<p>Follow " + "a " * 250 + "</p>", "<p>" + "[東京" * 200_000,
        "<div class='breadcrumb'>" + "a > " * 300_000 + "</div>", "<div class='byline'>" + "By by " * 200_000 + "</div>", "<time datetime='" + "1 " * 300_000 + "'>x</time>", "<p>" + "a\u00a0" * 300_000,
    ],
    ids=range(23),
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
