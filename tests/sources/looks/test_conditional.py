"""Validators, digests and redirects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.kernel.outbound.http import Answer, Validators
from pipeline.sources.looks.conditional import (
    MOVES_AFTER,
    Held,
    Move,
    bare,
    digest,
    held_after,
    is_adopted,
    moved,
    wants_everything,
)

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
RSS = b"<rss><channel><title>T</title><lastBuildDate>%s</lastBuildDate>%s</channel></rss>%s"
ITEM = b"<item><title>A</title><pubDate>%s</pubDate></item>"


def answer(status: int = 200, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, b"", "https://news.example/feed/", None, 0.1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (RSS % (b"Mon", ITEM % b"1", b""), RSS % (b"Tue", ITEM % b"1", b"")),
        (RSS % (b"Mon", ITEM % b"1", b"<!-- built in 0.3 s -->"), RSS % (b"Mon", ITEM % b"1", b"\n<!-- 0.4 s -->\n")),
        (
            b"<feed><updated>1</updated><entry><updated>1</updated></entry></feed>",
            b"<feed><updated>2</updated><entry><updated>1</updated></entry></feed>",
        ),
        (
            b"<rdf:RDF><channel><dc:date>1</dc:date></channel><rss:item>a</rss:item></rdf:RDF>",
            b"<rdf:RDF><channel><dc:date>2</dc:date></channel><rss:item>a</rss:item></rdf:RDF>",
        ),
    ],
)
def test_the_stamps_of_a_build_are_no_news(one: bytes, other: bytes) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (RSS % (b"Mon", ITEM % b"1", b""), RSS % (b"Mon", ITEM % b"2", b"")),  # a date alone was changed
        (
            b"<feed><updated>1</updated><entry><updated>1</updated></entry></feed>",
            b"<feed><updated>1</updated><entry><updated>2</updated></entry></feed>",
        ),
        (b"[]", b"[1]"),
        (b"", b" "),
        (RSS % (b"Mon", b"", b""), RSS % (b"Mon", ITEM % b"1", b"")),
    ],
)
def test_what_an_item_says_is(one: bytes, other: bytes) -> None:
    assert digest(one) != digest(other)


def test_what_headers_say_of_a_list_counts_too() -> None:
    assert digest(b"[]", beside="22") != digest(b"[]", beside="522")


@pytest.mark.parametrize(
    ("etag", "own"),
    [('"a-gzip"', '"a"'), ('W/"a"', '"a"'), ('W/"a-gzip"', '"a"'), ('"a"', '"a"'), ('"gzip"', '"gzip"'), ("", "")],
)
def test_a_proxys_additions_come_off(etag: str, own: str) -> None:
    assert bare(etag) == own


def test_new_validators_are_kept_verbatim() -> None:
    told = answer(etag='W/"x-gzip"', last_modified="Sun, 19 Apr 2026 04:12:00 GMT")
    kept = held_after(Held(), sent=None, answer=told, is_same=False)
    assert kept == Held('W/"x-gzip"', "Sun, 19 Apr 2026 04:12:00 GMT")


def test_a_changed_body_is_no_reason_to_doubt_an_etag() -> None:
    kept = held_after(Held('W/"1"'), sent=Validators('W/"1"'), answer=answer(etag='W/"2"'), is_same=False)
    assert kept == Held('W/"2"')


def test_a_look_without_validators_is_no_reason_either() -> None:
    kept = held_after(Held('W/"1"'), sent=None, answer=answer(etag='W/"1"'), is_same=True)
    assert kept == Held('W/"1"')


def test_a_stripped_etag_that_works_is_kept_although_the_proxy_adds_to_it_again() -> None:
    kept = held_after(Held('"1"'), sent=Validators('"1"'), answer=answer(304, etag='"1-gzip"'), is_same=True)
    assert kept == Held('"1"')
    kept = held_after(kept, sent=None, answer=answer(200, etag='"1-gzip"'), is_same=True)
    assert kept == Held('"1"')


def test_an_etag_without_additions_that_fails_is_not_given_up() -> None:
    """It may have changed with nothing that we read."""
    kept = held_after(Held('"1"'), sent=Validators('"1"'), answer=answer(etag='"2"'), is_same=True)
    assert kept == Held('"2"')


def test_a_channel_that_gave_up_etags_sends_the_date_alone() -> None:
    held = held_after(
        Held("", "Mon", modified_only=True), sent=Validators("", "Mon"), answer=answer(304, etag='"1"'), is_same=True
    )
    assert held == Held("", "Mon", modified_only=True)
    assert held.to_send().headers() == {"If-Modified-Since": "Mon"}


def test_of_six_looks_one_asks_for_everything() -> None:
    asked = [wants_everything(last_full_at=NOW, polls=n, now=NOW + timedelta(minutes=n)) for n in range(12)]
    assert [n for n, full in enumerate(asked) if full] == [5, 11]
    assert wants_everything(last_full_at=NOW, polls=0, now=NOW + timedelta(hours=2))
    assert wants_everything(last_full_at=None, polls=0, now=NOW)


def test_a_redirect_must_stay_the_same_for_six_days() -> None:
    first = moved(Move(), to="https://b.example/", at="https://a.example/", now=NOW)
    later = moved(first, to="https://b.example/", at="https://a.example/", now=NOW + MOVES_AFTER)
    assert later.since == NOW
    assert is_adopted(later, now=NOW + MOVES_AFTER)
    assert not is_adopted(later, now=NOW + MOVES_AFTER - timedelta(seconds=1))
    other = moved(later, to="https://c.example/", at="https://a.example/", now=NOW + MOVES_AFTER)
    assert not is_adopted(other, now=NOW + MOVES_AFTER)
    assert moved(later, to=None, at="https://a.example/", now=NOW) == Move()
    assert moved(later, to="https://a.example/", at="https://a.example/", now=NOW) == Move()
