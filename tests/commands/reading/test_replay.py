"""Recorded histories of a site, and what the gates would have let out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.reading.replay import lines
from pipeline.commands.unusable import UnusableInput
from tests.factories.acceptance import CASES, Case
from tests.samples.make_replays import REPLAYS, files_of

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

    def decisions(self, **options: float) -> list[tuple[str, str, str]]:
        return [(line["decision"], line["reason"], line["title"]) for line in lines(self.folder, **options)]

    def after_baseline(self, **options: float) -> list[tuple[str, str, str]]:
        return [each for each in self.decisions(**options) if each[1] != "first_look"]


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
    assert all(
        list(answer) == ["decision", "reason", "params", "title", "link", "at", "warnings"] for answer in answers
    )
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


def page(n: int, *, title: str = "", text: str = LONG) -> dict[str, Any]:
    body = f"<html><body><article><h1>{title or f'Story number {n}'}</h1><div class='entry-content'><p>{text}</p></div></article></body></html>"
    return {"body": body, "kind": "page", "url": f"https://gazette.example/story-{n}/"}


def posts(*numbers: int, at: datetime, total: int) -> dict[str, Any]:
    told = [
        {"id": n, "link": f"https://gazette.example/story-{n}/", "date_gmt": f"{at:%Y-%m-%dT%H:%M:%S}", "title": {"rendered": f"Story number {n}"}}
        for n in numbers
    ]  # fmt: skip
    url = f"https://gazette.example/wp-json/wp/v2/posts?orderby=id\r\nX-WP-Total: {total}"
    return {"body": json.dumps(told), "kind": "rest", "url": url}


NEW = story(11, at=START + timedelta(minutes=4))
GONE = {"body": "", "status": "404 Not Found", "url": "https://gazette.example/story-11/"}


@pytest.mark.parametrize("minutes", [5.5, 6, 10])
def test_a_story_whose_page_is_missing_before_it_is_told_is_not(tape: Tape, minutes: float) -> None:
    tape.feed(NEW, *OLD, minutes=5).add(**GONE, minutes=minutes)
    assert tape.after_baseline() == [("ignore", "gone_before_told", "Story number 11")]


def test_a_story_whose_page_is_missing_later_was_told(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).feed(NEW, *OLD, minutes=7).add(**GONE, minutes=8)
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_a_story_that_leaves_the_list_above_older_ones_was_taken_back(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).feed(*OLD, minutes=5.5)
    assert tape.after_baseline() == [("ignore", "gone_before_told", "Story number 11")]


def test_a_story_that_is_pushed_out_of_the_list_was_not(tape: Tape) -> None:
    later = [story(n, at=START + timedelta(minutes=5)) for n in (12, 13)]
    tape.feed(NEW, minutes=5).feed(*later, minutes=5.5)
    assert [each[0] for each in tape.after_baseline()] == ["announce"] * 3


def test_a_page_that_answers_is_believed_before_a_list_without_it(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).feed(*OLD, minutes=5.5).add(**page(11), minutes=6)
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_a_story_taken_back_and_published_again_is_announced_once(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).add(**GONE, minutes=5.5).feed(*OLD, minutes=5.6).feed(NEW, *OLD, minutes=8)
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_a_longer_settle_time_catches_a_burst_that_a_shorter_one_lets_begin(tape: Tape) -> None:
    flood = [story(n, at=START + timedelta(minutes=8)) for n in range(20, 28)]
    tape.feed(NEW, *OLD, minutes=5).feed(*flood, NEW, minutes=9)
    assert Counter(each[:2] for each in tape.after_baseline(settle_s=60)) == {
        ("announce", "news"): 1,
        ("hold", "burst"): 8,
    }
    assert Counter(each[:2] for each in tape.after_baseline(settle_s=300)) == {("hold", "burst"): 9}


def test_without_a_settle_time_two_are_told_at_once_and_the_third_waits(tape: Tape) -> None:
    three = [story(n, at=START + timedelta(minutes=4)) for n in (11, 12, 13)]
    flood = [story(n, at=START + timedelta(minutes=5)) for n in range(20, 28)]
    tape.feed(*three, *OLD, minutes=5).feed(*flood, *three, minutes=5.5)
    assert [each[0] for each in tape.after_baseline(settle_s=0)] == ["announce", "announce", *["hold"] * 9]


def test_a_page_that_turns_into_another_story_holds_it(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).add(**page(11), minutes=5.1).add(**page(11, title="Fishing quotas cut"), minutes=6)
    assert [each[:2] for each in tape.after_baseline()] == [("hold", "another_story")]


def test_an_embargo_that_is_added_while_a_story_settles_holds_it(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).add(**page(11), minutes=5.1)
    tape.add(**page(11, text=f"EMBARGOED UNTIL 0600 GMT</p><p>{LONG}"), minutes=6)
    assert [each[:2] for each in tape.after_baseline()] == [("hold", "marked_since")]


def test_a_block_page_at_a_storys_address_is_not_its_text(tape: Tape) -> None:
    block = page(11, title="Just a moment...", text="Checking your browser before you go on.")
    tape.feed(NEW, *OLD, minutes=5).add(**block, minutes=5.1)
    assert tape.after_baseline()[0][2] == "Story number 11"


def test_a_page_dated_days_before_its_story_is_an_old_one_published_again(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).add(**page(11, text=f"TOKYO, April 2, 2026 (TDI) — {LONG}"), minutes=5.1)
    assert [each[:2] for each in tape.after_baseline()] == [("ignore", "republished")]


def test_posts_and_their_feed_are_the_same_stories(tape: Tape) -> None:
    tape.add(**posts(*range(1, 11), at=START - timedelta(hours=5), total=10), minutes=1)
    tape.feed(NEW, *OLD, minutes=5).add(
        **posts(11, *range(1, 11), at=START + timedelta(minutes=4), total=11), minutes=6
    )
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


def test_more_posts_than_the_site_lists_call_for_caution(tape: Tape) -> None:
    tape.add(**posts(*range(1, 11), at=START - timedelta(hours=5), total=10), minutes=1)
    tape.add(**posts(11, *range(1, 11), at=START + timedelta(minutes=4), total=400), minutes=6)
    assert [each[:2] for each in tape.after_baseline()] == [("hold", "source_event")]


def test_a_post_that_the_site_refuses_again_was_taken_back(tape: Tape) -> None:
    refused = {
        "body": '{"code": "rest_forbidden", "message": "Sorry"}',
        "status": "401 Unauthorized",
        "url": "https://gazette.example/wp-json/wp/v2/posts/11",
    }
    tape.feed(NEW, *OLD, minutes=5).add(**refused, minutes=5.5)
    assert [each[:2] for each in tape.after_baseline()] == [("ignore", "gone_before_told")]


def test_another_lists_first_look_is_no_news_but_for_what_is_dated_since(tape: Tape) -> None:
    listed = "".join(f"<url><loc>https://gazette.example/old-{n}/</loc></url>" for n in range(40))
    tape.feed(*OLD, minutes=2)
    tape.add(f"<urlset>{listed}</urlset>", minutes=5, url="https://gazette.example/wp-sitemap.xml")
    tape.add(**posts(12, at=START + timedelta(minutes=5), total=60), minutes=6)
    assert tape.after_baseline() == [("announce", "news", "Story number 12")]


def test_a_moved_story_shows_its_new_link(tape: Tape) -> None:
    tape.feed(NEW, *OLD, minutes=5).feed(story(11, at=START + timedelta(minutes=4), slug="better"), *OLD, minutes=8)
    assert [(line["decision"], line["link"]) for line in lines(tape.folder)][-1] == (
        "announce",
        "https://gazette.example/better/",
    )


def test_warnings_go_with_the_articles_they_concern_and_the_others_to_standard_error(
    tape: Tape, capsys: pytest.CaptureFixture[str]
) -> None:
    tape.feed(NEW, *OLD, minutes=5).add("<rss><channel", minutes=6, kind="feed")
    (tape.folder / "0002.http").write_bytes((tape.folder / "0002.http").read_bytes().split(b"\r\n\r\n", 1)[1])
    last = list(lines(tape.folder))[-1]
    assert last["title"] == "Story number 11"
    assert last["warnings"][0] == "0002.http: no status line: taken as the body of a 200"
    assert "0003.http" in capsys.readouterr().err


def test_numbers_decide_the_order_not_the_spelling(tmp_path: Path) -> None:
    tape = Tape(tmp_path).feed(*OLD, minutes=0).feed(story(11, at=START + timedelta(minutes=4)), minutes=5)
    (tmp_path / "0001.http").rename(tmp_path / "9.http")
    (tmp_path / "0002.http").rename(tmp_path / "10.http")
    assert tape.after_baseline() == [("announce", "news", "Story number 11")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_acceptance_case_of_the_reference_ends_as_it_must(case: Case) -> None:
    answers = list(lines(REPLAYS / case.name))
    assert Counter(f"{each['decision']} {each['reason']}" for each in answers) == case.expects, case.tells
    assert len({each["link"] for each in answers}) == len(answers)
    assert all(each["warnings"] == [] for each in answers)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_committed_recordings_are_what_their_script_writes(case: Case) -> None:
    kept = {path.name: path.read_bytes() for path in (REPLAYS / case.name).iterdir()}
    assert kept == files_of(case), "run: python -m tests.samples.make_replays"


def test_the_moved_story_of_case_l_follows_its_link() -> None:
    told = [each for each in lines(REPLAYS / "l-new-slug") if each["decision"] == "announce"]
    assert [each["link"] for each in told] == ["https://gazette.example/ferry-returns/"]


def test_the_console_script_prints_a_line_an_article() -> None:
    folder = REPLAYS / "h-taken-back"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))["expects"]
    script = str(Path(sys.executable).parent / "dateline")
    done = subprocess.run([script, "replay", str(folder)], capture_output=True, text=True, check=True, timeout=60)
    found = Counter(f"{each['decision']} {each['reason']}" for each in map(json.loads, done.stdout.splitlines()))
    assert found == expected
    empty = subprocess.run(
        [script, "replay", str(folder / "none")], capture_output=True, text=True, check=False, timeout=60
    )
    assert (empty.returncode, empty.stdout, len(empty.stderr.splitlines())) == (2, "", 1)


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
