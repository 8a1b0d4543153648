"""No page makes a traceback, ten seconds or 200 MB: the verb in processes of its own, on the worst input known.

Each case answered a measured cost of the reader or of the libraries below it; docs/hostile-input.md has all figures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories.measured import HAS_PROC, bear, refusals

SAMPLES = Path(__file__).parents[2] / "samples" / "pages"


def story(text: str) -> str:
    return f"<html><head><title>T</title></head><body><article><h1>t</h1><div class='entry-content'>{text}</div></article></body></html>"


def bare(text: str) -> str:
    return f"<html><head><title>T</title></head><body><h1>t</h1>{text}</body></html>"


def ld(text: str) -> str:
    return f"<script type='application/ld+json'>{text}</script>"


PAGES: dict[str, Callable[[], str]] = {
    "nested 200,000 deep": lambda: story("<div>" * 200_000),
    "80,000 hidden tags": lambda: story("<div hidden>x</div>" * 39_900),
    "deep tables": lambda: bare(("<table><tr><td>" * 90 + "words here " + "</td></tr></table>" * 90) * 145),
    "nested paragraphs": lambda: bare("<div class='share'>" * 250 + ("<p>" + "word " * 30 + "</p>") * 20_000),
    "nested scopes": lambda: story("<div itemscope>" * 199 + "<p itemprop='a'>x</p>" * 1_900),
    "500,000 attributes": lambda: story(("<p " + "".join(f'a{n}="x" ' for n in range(1_000)) + ">x</p>") * 450),
    "classes": lambda: story(("<div class='" + "a " * 440 + "'>y</div>") * 5_300),
    "5 MB of <": lambda: story("<" * 4_900_000),
    "JSON-LD broken by blanks": lambda: story(ld('{"a":1' + " \n" * 490_000 + "x") * 5),
    "one paragraph of 5 MB": lambda: story("<p>" + "LONDON (AP) - " * 340_000),
    "crumbs of 5 MB": lambda: bare("<div class='breadcrumb'>" + "a > " * 1_200_000),
    "links to feeds": lambda: "<html><head>" + "<link rel=canonical href=/x>" * 79_000,
    "bare text of 5 MB": lambda: bare("x\n" * 2_400_000),
}  # fmt: skip


@pytest.mark.skipif(not HAS_PROC, reason="needs /proc to know a process's peak of memory")
@pytest.mark.parametrize("name", PAGES)
def test_the_worst_page_known_is_borne(name: str, tmp_path: Path) -> None:
    bear("read-page", PAGES[name](), tmp_path / "input")


@pytest.mark.skipif(not HAS_PROC, reason="needs /proc to know a process's peak of memory")
def test_every_sample_is_answered_or_refused_in_one_line() -> None:
    assert refusals("read-page", sorted(SAMPLES.glob("*.html"))) == 0
