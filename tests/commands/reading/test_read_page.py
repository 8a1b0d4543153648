"""What `dateline read-page` prints, and where it gives up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.commands.reading import read_feed
from pipeline.commands.reading.read_page import lines
from pipeline.commands.unusable import UnusableInput

PAGES = Path(__file__).parents[2] / "samples" / "pages"
KEYS = [
    *(
        "title",
        "authors",
        "published",
        "modified",
        "site_name",
        "section",
        "breadcrumbs",
        "image",
        "language",
        "canonical",
    ),
    *("dateline", "standfirst", "text", "related", "paywalled", "markers", "warnings"),
]


def test_every_sample_gets_one_object_with_exactly_the_promised_keys() -> None:
    answers = list(lines(sorted(PAGES.glob("*.html")), url="https://gazette.example/a/"))
    assert len(answers) >= 44
    for answer in answers:
        assert list(answer) == KEYS
        json.dumps(answer)
    datelines = [answer["dateline"] for answer in answers if answer["dateline"]]
    assert all(list(dateline) == ["place", "date", "agency"] for dateline in datelines)


def test_a_page_without_a_dateline_says_null() -> None:
    assert next(lines([PAGES / "paywalled.html"]))["dateline"] is None


def test_an_agency_alone_has_no_place(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        f"<html><article><h1>T</h1><p>(Reuters) - {'Words of a story. ' * 20}</p></article></html>", encoding="utf-8"
    )
    assert next(lines([path]))["dateline"] == {"place": None, "date": None, "agency": "Reuters"}


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "empty"), (b"\x00\x01\x02", "empty|not a web page"), (b"plain words", "not a web page")]
)
def test_what_is_no_page_is_unusable_in_one_line(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(data)
    with pytest.raises(UnusableInput, match=why) as caught:
        next(lines([path]))
    assert "\n" not in str(caught.value)


def test_a_page_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_text(f"<html><article>{'<div>word word word</div>' * 39_000}</article></html>", encoding="utf-8")
    monkeypatch.setattr(read_feed, "MAX_CPU_S", 0.1)
    with pytest.raises(UnusableInput, match=r"page\.html: given up, it took more than 0\.1 s of processor time"):
        next(lines([path]))


def test_a_missing_file_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot be read"):
        next(lines([tmp_path / "missing.html"]))
