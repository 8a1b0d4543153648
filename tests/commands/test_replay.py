"""Recorded histories of a site, and what the gates would have let out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.replay import lines
from pipeline.commands.unusable import UnusableInput

START = datetime(2026, 4, 23, 9, 0, tzinfo=UTC)
FEED = "https://gazette.example/feed/"
LONG = " ".join(f"word{n}" for n in range(120))


def story(
    n: int,
    *,
    at: datetime = START,
    guid: str | None = None,
    slug: str | None = None,
    title: str | None = None,
    text: str = "",
) -> str:
    return (
        f"<item><title>{title or f'Story number {n}'}</title><link>https://gazette.example/{slug or f'story-{n}'}/</link>"
        f"<guid isPermaLink='false'>{guid or f'http://gazette.example/?p={n}'}</guid><pubDate>{format_datetime(at)}</pubDate><description>{text}</description></item>"
    )


OLD = [story(n, at=START - timedelta(hours=n)) for n in range(1, 11)]


class Tape:
    """A folder of recorded responses, written one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def add(self, body: str, *, minutes: float = 0, status: str = "200 OK", kind: str = "", url: str = FEED) -> Tape:
        self.count += 1
        at = START + timedelta(minutes=minutes)
        head = f"HTTP/1.1 {status}\r\nDate: {format_datetime(at, usegmt=True)}\r\nX-Dateline-Url: {url}\r\n"
        head += f"X-Dateline-Kind: {kind}\r\n" if kind else ""
        (self.folder / f"{self.count:04}.http").write_bytes((head + "\r\n" + body).encode())
        return self

    def feed(self, *items: str, minutes: float, generator: str = "https://wordpress.org/?v=6.9") -> Tape:
        body = f"<rss version='2.0'><channel><title>G</title><generator>{generator}</generator>{''.join(items)}</channel></rss>"
        return self.add(body, minutes=minutes)

    def decisions(self) -> list[tuple[str, str, str]]:
        return [(line["decision"], line["reason"], line["title"]) for line in lines(self.folder)]

    def after_baseline(self) -> list[tuple[str, str, str]]:
        return [each for each in self.decisions() if each[1] != "first_look"]


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape(tmp_path).feed(*OLD, minutes=0)


def test_the_first_look_announces_nothing(tape: Tape) -> None:
    assert Counter(each[:2] for each in tape.decisions()) == {("ignore", "first_look"): 10}


def test_a_new_story_is_announced_once(tape: Tape) -> None:
    new = story(11, at=START + timedelta(minutes=4))
    tape.feed(new, *OLD, minutes=5).feed(new, *OLD, minutes=6).add("", minutes=7, status="304 Not Modified").feed(
        new, *OLD, minutes=8
    )
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_a_line_holds_exactly_the_promised_keys(tape: Tape) -> None:
    tape.feed(story(11, at=START + timedelta(minutes=4)), minutes=5)
    answers: list[dict[str, Any]] = list(lines(tape.folder))
    assert all(list(answer) == ["decision", "reason", "params", "title", "link", "at", "warnings"] for answer in answers)
    assert answers[-1] == {
        "decision": "announce", "reason": "news", "params": {}, "title": "Story number 11", "link": "https://gazette.example/story-11/", "at": "2026-04-23T09:05:00Z", "warnings": [],
    }  # fmt: skip


def test_old_posts_imported_are_archived(tape: Tape) -> None:
    tape.feed(*(story(n, at=START - timedelta(days=n)) for n in range(100, 350)), minutes=5)
    assert Counter(each[:2] for each in tape.after_baseline()) == {("ignore", "old"): 250}


def test_guids_that_turn_to_https_with_one_real_post_announce_one(tape: Tape) -> None:
    flipped = [story(n, at=START - timedelta(hours=n), guid=f"https://gazette.example/?p={n}") for n in range(1, 11)]
    tape.feed(story(11, at=START + timedelta(minutes=4), guid="https://gazette.example/?p=11"), *flipped, minutes=5)
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_a_site_that_renames_guids_and_links_announces_only_what_is_unknown(tape: Tape) -> None:
    renamed = [story(n, at=START + timedelta(minutes=3), guid=f"new-{n}", slug=f"news/{n}") for n in range(1, 11)]
    tape.feed(story(11, at=START + timedelta(minutes=4), guid="new-11", slug="news/11"), *renamed, minutes=5)
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_everything_created_again_with_todays_date_is_held_whole(tape: Tape) -> None:
    tape.feed(*(story(n, at=START + timedelta(minutes=4)) for n in range(500, 600)), minutes=5)
    assert Counter(each[:2] for each in tape.after_baseline()) == {("hold", "burst"): 100}


def test_two_posts_of_one_second_are_both_announced(tape: Tape) -> None:
    at = START + timedelta(minutes=4)
    tape.feed(story(11, at=at), *OLD, minutes=5).feed(story(12, at=at), story(11, at=at), *OLD, minutes=9)
    assert [each[2] for each in tape.after_baseline()] == ["Story number 11", "Story number 12"]


def test_a_story_deleted_and_created_again_under_its_link_is_the_same(tape: Tape) -> None:
    new = story(11, at=START + timedelta(minutes=4), slug="again")
    tape.feed(new, minutes=5).feed(*OLD, minutes=6).feed(
        story(12, at=START + timedelta(minutes=7), slug="again"), minutes=8
    )
    assert [each[0] for each in tape.after_baseline()] == ["announce"]


def test_the_same_words_under_another_name_are_the_same_story(tape: Tape) -> None:
    at = START + timedelta(minutes=4)
    tape.feed(story(11, at=at, title="Ferry back", text=LONG), minutes=5)
    tape.feed(story(12, at=at, title="Ferry back", text=LONG), minutes=6)
    assert [each[:2] for each in tape.after_baseline()] == [("announce", "news"), ("ignore", "same_story")]


def test_a_backdated_story_is_archived(tape: Tape) -> None:
    tape.feed(story(11, at=START - timedelta(days=3)), *OLD, minutes=5)
    assert [each[:2] for each in tape.after_baseline()] == [("ignore", "old")]


def test_a_block_page_in_place_of_the_feed_changes_nothing(tape: Tape) -> None:
    new = story(11, at=START + timedelta(minutes=25))
    tape.add("<html><body>Checking your browser</body></html>", minutes=10).add("nonsense", minutes=20).feed(
        new, *OLD, minutes=30
    )
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_the_first_answer_after_a_day_of_errors_is_held(tape: Tape) -> None:
    late = timedelta(hours=30)
    tape.add("", minutes=60, status="502 Bad Gateway").feed(
        story(11, at=START + late), *OLD, minutes=late.total_seconds() / 60
    )
    assert [each[:2] for each in tape.after_baseline()] == [("hold", "source_event")]


def test_another_generator_calls_for_caution_and_a_patch_release_does_not(tape: Tape) -> None:
    tape.feed(story(11, at=START + timedelta(minutes=4)), minutes=5, generator="https://wordpress.org/?v=6.9.1")
    tape.feed(story(12, at=START + timedelta(minutes=9)), minutes=10, generator="Another CMS 2.0")
    assert [each[:2] for each in tape.after_baseline()] == [("announce", "news"), ("hold", "source_event")]


def test_an_embargo_on_the_page_holds_its_story(tape: Tape) -> None:
    page = f"<html><article><h1>Story number 11</h1><div class='entry-content'><p>EMBARGOED UNTIL 0600 GMT</p><p>{LONG}</p></div></article></html>"
    tape.feed(story(11, at=START + timedelta(minutes=4)), minutes=5).add(
        page, kind="page", url="https://gazette.example/story-11"
    )
    assert [each[:2] for each in tape.after_baseline()] == [("hold", "embargo")]


def test_numbers_decide_the_order_not_the_spelling(tmp_path: Path) -> None:
    tape = Tape(tmp_path).feed(*OLD, minutes=0).feed(story(11, at=START + timedelta(minutes=4)), minutes=5)
    (tmp_path / "0001.http").rename(tmp_path / "9.http")
    (tmp_path / "0002.http").rename(tmp_path / "10.http")
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


@pytest.mark.parametrize(
    "content", [b"", b"not http", b"HTTP/1.1 200 OK\n\nno date", b"HTTP/1.1 200 OK\nDate: soon\n\n"]
)
def test_a_file_that_is_no_recording_is_unusable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1.http").write_bytes(content)
    with pytest.raises(UnusableInput, match=r"1\.http"):
        list(lines(tmp_path))


def test_a_folder_without_recordings_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no files"):
        list(lines(tmp_path))
    with pytest.raises(UnusableInput, match="not a folder"):
        list(lines(tmp_path / "missing"))
