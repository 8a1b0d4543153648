"""Folders of recordings: which files, in which order, at what time, and what each can tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.articles.raw.markup import UnusableInput
from pipeline.sources.rehearsal import recordings
from pipeline.sources.rehearsal.answers import Kind
from pipeline.sources.rehearsal.recordings import Recording

NOON = datetime(2026, 4, 23, 12, 0, tzinfo=UTC)
FEED = "<rss version='2.0'><channel><title>G</title><item><title>A</title><link>https://a.example/1/</link></item></channel></rss>"
PAGE = "<!DOCTYPE html><html><head><link rel='canonical' href='https://a.example/1/'></head><body><p>Words.</p></body></html>"
BLOCK = "<!DOCTYPE html><html><body>Checking your browser</body></html>"
POSTS = '[{"id": 7, "link": "https://a.example/7/", "title": {"rendered": "B"}}]'


def read(folder: Path, files: Mapping[str, str]) -> list[Recording]:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode())
    return recordings.read(folder)


def answer(body: str = FEED, *, status: int = 200, at: str = "Thu, 23 Apr 2026 12:00:00 GMT", **headers: str) -> str:
    named = {"Date": at, **{f"X-Dateline-{name.title()}": value for name, value in headers.items()}}
    return f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items()) + "\r\n" + body


def test_any_name_that_begins_with_a_number_counts_and_numbers_decide_the_order(tmp_path: Path) -> None:
    names = ["10.http", "0002_page.html", "3.txt", "01-feed.http", "README.md", "expected.json"]
    found = read(tmp_path, dict.fromkeys(names, answer()))
    assert [one.path.name for one in found] == ["01-feed.http", "0002_page.html", "3.txt", "10.http"]


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (FEED, {}, Kind.FEED),
        (f"\n\n<!-- c -->{FEED}", {}, Kind.FEED),
        ("<feed xmlns='http://www.w3.org/2005/Atom'></feed>", {}, Kind.FEED),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": []}', {}, Kind.FEED),
        (POSTS, {}, Kind.REST),
        ("Notice: x\n" + POSTS, {"url": "https://a.example/wp-json/wp/v2/posts"}, Kind.REST),
        ("<urlset></urlset>", {}, Kind.SITEMAP),
        ("<sitemapindex></sitemapindex>", {}, Kind.SITEMAP),
        (PAGE, {}, Kind.PAGE),
        (PAGE, {"url": "https://a.example/1/"}, Kind.PAGE),
        (PAGE, {"url": "https://a.example/feed/"}, None),
        (BLOCK, {}, None),
        (BLOCK, {"kind": "feed"}, Kind.FEED),  # said to be one: its reader will see that it is none
        ("nothing of the kind", {}, None),
    ],
)
def test_an_answer_is_what_it_says_or_seems(
    tmp_path: Path, body: str, headers: dict[str, str], kind: Kind | None
) -> None:
    found = read(tmp_path, {"1.http": answer(), "2.http": answer(body, **headers)})
    assert found[1].kind is kind


def test_a_page_at_an_address_that_answered_as_a_list_is_a_look_that_failed(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"1.http": answer(url="https://a.example/news"), "2.http": answer(BLOCK, url="https://a.example/news")},
    )
    assert [one.kind for one in found] == [Kind.FEED, None]


def test_an_error_tells_of_a_story_only_at_the_address_of_one(tmp_path: Path) -> None:
    files = {
        "1.http": answer(url="https://a.example/feed/"),
        "2.http": answer("", status=503, url="https://a.example/feed/"),
        "3.http": answer("", status=404, url="https://a.example/1/"),
        "4.http": answer("", status=502),
        "5.http": answer("{}", status=404, url="https://a.example/wp-json/wp/v2/posts/7"),
    }
    assert [one.kind for one in read(tmp_path, files)] == [Kind.FEED, None, Kind.PAGE, None, Kind.REST]


def test_a_page_says_itself_where_it_comes_from(tmp_path: Path) -> None:
    assert read(tmp_path, {"1.http": answer(PAGE)})[0].url == "https://a.example/1/"


def test_the_noted_time_is_believed_before_the_servers(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "1": answer(),
            "2": answer(at="Thu, 23 Apr 2026 12:09:00 GMT").replace(
                "\r\n", "\r\nX-Dateline-At: 2026-04-23T14:05:00+02:00\r\n", 1
            ),
        },
    )
    assert [one.at for one in found] == [NOON, NOON + timedelta(minutes=5)]
    assert not any(one.warnings for one in found)


def test_without_a_time_a_minute_passes_or_what_the_body_says(tmp_path: Path) -> None:
    bare = "HTTP/1.1 200 OK\r\n\r\n"
    built = FEED.replace("<item>", "<lastBuildDate>Thu, 23 Apr 2026 12:30:00 GMT</lastBuildDate><item>")
    found = read(tmp_path, {"1": bare + built, "2": bare + FEED, "3": bare + built.replace("12:30", "12:45")})
    minutes = [(one.at - NOON).total_seconds() / 60 for one in found]
    assert minutes == [30, 31, 45]
    assert all("says when" in one.warnings[0] for one in found)


def test_time_never_runs_backwards(tmp_path: Path) -> None:
    found = read(tmp_path, {"1": answer(), "2": answer(at="Thu, 23 Apr 2026 11:00:00 GMT")})
    assert found[1].at == NOON
    assert found[1].warnings == ("2: it is older than the one before: taken as of the same time",)


def test_a_kind_nobody_knows_is_named_and_not_believed(tmp_path: Path) -> None:
    found = read(tmp_path, {"1": answer(kind="news")})
    assert found[0].kind is Kind.FEED
    assert "'news' is none of feed, rest, sitemap, page" in found[0].warnings[0]


def test_a_folder_in_which_nothing_is_a_recording_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"1\.bin: neither a feed, REST posts, a sitemap nor a page"):
        read(tmp_path, {"1.bin": "\x00\x01", "2.bin": ""})


def test_a_recording_of_nothing_but_errors_is_one(tmp_path: Path) -> None:
    assert [one.kind for one in read(tmp_path, {"1": answer("", status=503)})] == [None]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "MAX_FILES", 2)
    with pytest.raises(UnusableInput, match="more than 2 responses"):
        read(tmp_path, dict.fromkeys("123", answer()))
