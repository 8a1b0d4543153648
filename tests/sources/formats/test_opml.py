"""OPML lists: flattened, cleaned of junk, or named unusable."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.raw.markup import UnusableInput
from pipeline.sources.formats import opml
from pipeline.sources.formats.opml import Listed, Listing

SAMPLES = Path(__file__).parents[2] / "samples" / "opml"


def read(name: str) -> Listing:
    return opml.read((SAMPLES / name).read_bytes())


def test_folders_become_categories_and_feeds_stay_in_order() -> None:
    listing = read("folders.opml")
    assert listing.title == "Newsroom & friends"
    assert listing.feeds == (
        Listed(
            feed_url="https://gazette.example/feed/",
            title="The Harbour Gazette",
            home_url="https://gazette.example/",
            categories=("Papers", "Coast", "News/Local", "boats"),
        ),
        Listed(feed_url="http://quay.example/rss", title="The Quay", categories=("Papers",)),
        Listed(feed_url="https://loose.example/atom.xml", title="Loose"),
    )


def test_names_of_attributes_may_be_in_any_case() -> None:
    assert read("opml-1.opml").feeds == (
        Listed(feed_url="http://old.example/index.rdf", title="Old", home_url="http://old.example/"),
    )


def test_stray_ampersands_are_mended() -> None:
    listing = read("stray-ampersands.opml")
    assert listing.feeds[0].feed_url == "https://gazette.example/?feed=rss2&cat=3&x=1"
    assert listing.feeds[0].title == "Arts & Culture News"
    assert listing.warnings == ("not well-formed: stray & were read as ampersands",)


def test_junk_costs_itself() -> None:
    listing = read("junk.opml")
    assert [feed.feed_url for feed in listing.feeds] == ["https://a.example/feed"]
    assert listing.warnings == (
        "outline whose xmlUrl is no address of the web: left out (2 times)",
        "feed is listed twice",
    )


UNUSABLE = {
    "no-feeds.opml": "names no feed",
    "web-page.opml": "this is a web page, not an OPML list",
    "bomb.opml": "declares a document type or entities",
}


@pytest.mark.parametrize(("name", "why"), UNUSABLE.items())
def test_what_is_no_list_is_named_in_one_line(name: str, why: str) -> None:
    with pytest.raises(UnusableInput, match=why) as caught:
        read(name)
    assert "\n" not in str(caught.value)


HOSTILE = {
    "nested for ever": b"<opml>" + b"<outline>" * 90_000,
    "unclosed": b"<opml><body>",
    "empty": b"",
    "words": b"not xml",
    "large": b"<" * 5_000_001,
    "attributes": b"<opml " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_named_unusable_within_two_seconds(data: bytes) -> None:
    started = time.thread_time()
    with pytest.raises(UnusableInput):
        opml.read(data)
    assert time.thread_time() - started < 2


def test_of_many_feeds_five_thousand_are_taken() -> None:
    many = b"".join(b'<outline xmlUrl="https://a.example/%d"/>' % n for n in range(5_010))
    listing = opml.read(b"<opml><body>" + many + b"</body></opml>")
    assert len(listing.feeds) == opml.MAX_FEEDS
    assert listing.warnings == ("more than 5,000 feeds: the rest is left out",)


_ATTRIBUTES = st.dictionaries(st.sampled_from(["xmlUrl", "text", "title", "category", "htmlUrl"]), st.text(max_size=30))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_named_unusable(data: bytes) -> None:
    with pytest.raises(UnusableInput):
        opml.read(data)


@given(st.lists(_ATTRIBUTES, max_size=4))
def test_any_words_in_attributes_make_a_listing_or_a_sentence(outlines: list[dict[str, str]]) -> None:
    body = "".join("<outline " + " ".join(f'{k}="{v}"' for k, v in each.items()) + "/>" for each in outlines)
    try:
        listing = opml.read(f"<opml><body>{body}</body></opml>".encode("utf-8", "replace"))
    except UnusableInput as error:
        assert "\n" not in str(error)
    else:
        assert all(feed.feed_url.startswith(("http://", "https://")) for feed in listing.feeds)
