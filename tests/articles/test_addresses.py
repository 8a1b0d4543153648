"""Addresses: what is one story's, and what must never be taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.addresses import comparable, is_home, normalise, same_site

ONE_STORY = [
    ("https://www.n.example/a/", "http://n.example/a"),
    ("https://n.example/a?utm_source=x&utm_medium=y", "https://n.example/a"),
    ("https://n.example/a/amp/", "https://n.example/a/"),
    ("https://n.example/a?amp=1", "https://n.example/a"),
    ("https://n.example/a?amp", "https://n.example/a"),
    ("https://n.example/a/feed/", "https://n.example/a"),
    ("HTTPS://N.Example:443/b/../a#top", "https://n.example/a"),
    ("https://n.example/a?b=2&a=1", "https://n.example/a?a=1&b=2"),
    ("https://n.example/a?ref=n.example&fbclid=1", "https://n.example/a"),
    ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
    ("https://n.example/?p=123&gclid=x", "http://www.n.example/?p=123"),
    (" https://n.example/a\n", "https://n.example/a"),
]

OTHER_STORIES = [
    ("https://n.example/?p=123", "https://n.example/?p=124"),
    ("https://n.example/?p=123", "https://n.example/"),
    ("https://n.example/story?id=1", "https://n.example/story?id=2"),
    ("https://n.example/read?article=1", "https://n.example/read"),
    ("https://n.example/A", "https://n.example/a"),
    ("https://n.example:8080/a", "https://n.example/a"),
    ("https://n.example/#!/story/1", "https://n.example/#!/story/2"),
    ("https://n.example/a?ref=homepage", "https://n.example/a"),
    ("https://m.example/a", "https://n.example/a"),
    ("https://n.example/camp", "https://n.example/c"),
]


@pytest.mark.parametrize(("one", "other"), ONE_STORY)
def test_addresses_of_one_story_compare_equal(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(("one", "other"), OTHER_STORIES)
def test_addresses_of_two_stories_stay_apart(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


def test_the_stored_address_keeps_scheme_www_and_the_last_slash() -> None:
    assert normalise("http://www.n.example/a/?utm_source=x#top") == "http://www.n.example/a/"


def test_credentials_are_not_stored() -> None:
    assert normalise("https://user:secret@n.example/a") == "https://n.example/a"


@pytest.mark.parametrize(
    "text", ["", "mailto:a@b.example", "http://[x", "/relative", "https://n.example:99999/", "javascript:x()"]
)
def test_what_is_no_web_address_comes_back_unbroken(text: str) -> None:
    assert normalise(text) == text
    assert isinstance(comparable(text), str)


def test_a_site_is_its_registrable_domain() -> None:
    assert same_site("https://news.paper.co.uk/a", "http://www.paper.co.uk/")
    assert not same_site("https://one.co.uk/", "https://two.co.uk/")
    assert same_site("http://127.0.0.1:8000/a", "http://127.0.0.1:9000/")
    assert not same_site("", "")


def test_the_front_page_is_known() -> None:
    assert is_home("https://n.example")
    assert is_home("https://n.example/?utm_source=x")
    assert not is_home("https://n.example/?p=1")
    assert not is_home("")


@given(st.text(max_size=80) | st.text(max_size=60).map("https://n.example/{}".format))
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert comparable(once) == comparable(text)


@pytest.mark.parametrize(
    ("url", "one"),
    [
        (" https://news.example/a\n   b/ ", "https://news.example/ab/"),
        ("https://news.example/a b/", "https://news.example/a%20b/"),
        ("https://news.example/a\tb/", "https://news.example/ab/"),
    ],
)
def test_a_broken_line_is_mended_and_a_space_is_kept(url: str, one: str) -> None:
    assert normalise(url) == one
    assert comparable(url) == comparable(one)
