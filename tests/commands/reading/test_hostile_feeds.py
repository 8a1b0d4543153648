"""No feed makes a traceback, ten seconds or 200 MB: the verb in processes of its own, on the worst input known.

Each case answered a measured cost of the reader or of the libraries below it; docs/hostile-input.md has all figures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories.measured import HAS_PROC, bear, refusals

SAMPLES = Path(__file__).parents[2] / "samples" / "feeds"


def item(text: str) -> str:
    return f"<rss version='2.0'><channel><item><title>t</title><description>{text}</description></item></channel></rss>"


def json_feed(items: str) -> str:
    return f'{{"version":"https://jsonfeed.org/version/1","items":[{items}]}}'


FEEDS: dict[str, Callable[[], str]] = {
    "nested 200,000 deep": lambda: item("<a>" * 200_000 + "</a>" * 200_000),
    "100,000 items": lambda: item("x") + "".join(f"<item><title>{n}</title></item>" for n in range(100_000)),
    "a billion laughs": lambda: "<!DOCTYPE x [<!ENTITY l0 'lol'>" + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10)) + "]>" + item("&l9;"),
    "quadratic entities": lambda: f"<!DOCTYPE x [<!ENTITY a '{'漢' * 199}'>]>{item('&a;' * 24_000)}",
    "an attribute of 10 MB": lambda: item(f"<a b='{'x' * 9_900_000}'/>"),
    "tags of 99 attributes": lambda: item(("<a " + "".join(f"a{n}='' " for n in range(95)) + "/>") * 14_000),
    "10 MB of <": lambda: "<rss>" + "<" * 9_990_000,
    "500,000 references": lambda: item("&foo;" * 499_000),
    "blanks just short of a run": lambda: item(("x" + " " * 98) * 99_000),
    "escaped attributes": lambda: item("&lt;a " + "b='c' " * 1_500_000 + "&gt;"),
    "tags never closed": lambda: item("<p>" * 149_000),
    "bytes of no charset": lambda: item("") + "é" * 4_900_000,
    "one text of 10 MB, broken": lambda: item("word " * 1_990_000 + "<b>"),
    "JSON of empty objects": lambda: json_feed(",".join(["{}"] * 3_300_000)),
    "JSON of keys": lambda: json_feed("")[:-1] + "," + ",".join(f'"{n}":1' for n in range(590_000)) + "}",
}  # fmt: skip


@pytest.mark.skipif(not HAS_PROC, reason="needs /proc to know a process's peak of memory")
@pytest.mark.parametrize("name", FEEDS)
def test_the_worst_feed_known_is_borne(name: str, tmp_path: Path) -> None:
    bear("read-feed", FEEDS[name](), tmp_path / "input")


@pytest.mark.skipif(not HAS_PROC, reason="needs /proc to know a process's peak of memory")
def test_every_sample_is_answered_or_refused_in_one_line() -> None:
    assert refusals("read-feed", sorted(SAMPLES.glob("*"))) < 15
