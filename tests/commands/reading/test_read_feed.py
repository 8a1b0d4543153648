"""What `dateline read-feed` prints, and where it gives up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.commands.reading.read_feed import lines
from pipeline.commands.unusable import UnusableInput

FEEDS = Path(__file__).parents[2] / "samples" / "feeds"
KEYS = ["id", "title", "link", "published", "updated", "author", "categories", "summary", "content_html"]


def test_every_file_gets_one_object_with_exactly_the_promised_keys() -> None:
    answers = list(lines([FEEDS / "wordpress.xml", str(FEEDS / "atom.xml")]))
    assert len(answers) == 2
    for answer in answers:
        assert list(answer) == ["feed", "entries", "warnings"]
        assert list(answer["feed"]) == ["title", "link"]
        assert all(list(entry) == KEYS for entry in answer["entries"])
        json.dumps(answer)


def test_instants_are_utc_to_the_second_and_null_when_unknown() -> None:
    locks, maths = next(lines([FEEDS / "atom.xml"]))["entries"]
    assert (locks["published"], locks["updated"]) == ("2026-04-23T07:30:00Z", "2026-04-23T08:00:00Z")
    assert (maths["published"], maths["summary"], maths["author"]) == (None, "1 < 2 always", None)


def test_headers_give_the_charset(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_bytes(
        "<rss version='2.0'><channel><item><title>Žluťoučký</title></item></channel></rss>".encode("iso-8859-2")
    )
    answer = next(lines([path], headers=["Content-Type: text/xml; charset=iso-8859-2"]))
    assert answer["entries"][0]["title"] == "Žluťoučký"


def test_the_address_resolves_relative_links() -> None:
    answer = next(lines([FEEDS / "relative-links.xml"], url="https://other.example/feed/"))
    assert answer["entries"][0]["link"] == "https://other.example/2026/relative/"


def test_an_unusable_file_ends_the_run_in_one_line_after_the_answers_before_it(tmp_path: Path) -> None:
    answers = lines([FEEDS / "atom.xml", FEEDS / "html-page.xml"])
    assert next(answers)["feed"]["title"] == "Canal & Quay"
    with pytest.raises(UnusableInput, match=r"html-page\.xml: this is a web page, not a feed"):
        next(answers)


@pytest.mark.parametrize("name", ["missing.xml", "."])
def test_a_file_that_cannot_be_read_is_unusable(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableInput, match="cannot be read"):
        next(lines([tmp_path / name]))


def test_a_header_without_a_colon_is_unusable() -> None:
    with pytest.raises(UnusableInput, match="not a header"):
        next(lines([FEEDS / "atom.xml"], headers=["nonsense"]))
