"""Lengths and addresses of two hundred texts, by other people's implementations of each network's rule.

tests/samples/lengths.json: text, then its length on X, Mastodon, Bluesky, Threads, in UTF-16 units (LinkedIn, Telegram,
Facebook, Slack) and code points (Discord), then the addresses X and Mastodon find. The numbers were made on 2026-11-25
by Node 20 with Unicode 17: twitter-text 3.1.0 for X, Intl.Segmenter for graphemes, \\p{RGI_Emoji} for Threads. Where
these are known to differ from the network the rule decided: nine joined emoji that are younger than that twitter-text
are 2 ("all emoji count as two", docs.x.com), and three addresses end where Mastodon's twitter_regex.rb ends them.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.channels import facts
from pipeline.channels.autolinks import links

ROWS: list[list[Any]] = json.loads((Path(__file__).parents[1] / "samples" / "lengths.json").read_text("utf-8"))
COLUMN = {
    "x": 1, "mastodon": 2, "bluesky": 3, "threads": 4, "linkedin": 5, "telegram": 5, "facebook": 5, "slack": 5,
    "discord": 6,
}  # fmt: skip
NETWORKS = pytest.mark.parametrize("network", COLUMN)


def test_there_are_enough_texts_of_every_kind() -> None:
    texts = [row[0] for row in ROWS]
    assert len(set(texts)) >= 200
    kinds = {
        "joined emoji": "\u200d", "flag": "\U0001f1ec", "keycap": "\u20e3", "skin": "\U0001f3fd", "right-to-left": "\u200f",
        "isolate": "\u2067", "combining": "\u0323", "hangul": "\u1161", "nation": "\U000e0067", "idn": "://m\u00fc", "cjk": "\u65e5",
    }  # fmt: skip
    assert {kind for kind, sign in kinds.items() if any(sign in text for text in texts)} == set(kinds)


@NETWORKS
def test_lengths_are_the_networks_own(network: str) -> None:
    wrong = {
        ascii(row[0]): (measured, row[COLUMN[network]])
        for row in ROWS
        if (measured := facts.measure(network, row[0]).length) != row[COLUMN[network]]
    }
    assert wrong == {}


@pytest.mark.parametrize(("network", "column"), [("x", 7), ("mastodon", 8)])
def test_addresses_are_those_the_network_finds(network: str, column: int) -> None:
    wrong = {
        ascii(row[0]): (found, row[column])
        for row in ROWS
        if (found := list(facts.measure(network, row[0]).urls)) != row[column]
    }
    assert wrong == {}


@NETWORKS
def test_a_text_after_a_blank_adds_its_length(network: str) -> None:
    """Two texts with a line between them do not join; leading marks and letters that compose are left out."""
    apart = [row for row in ROWS if row[0].strip() == row[0] and "\n" not in row[0]][::7]
    for one, other in pairwise(apart):
        whole = facts.measure(network, f"{one[0]}\n{other[0]}").length
        assert whole == one[COLUMN[network]] + 1 + other[COLUMN[network]], ascii((one[0], other[0]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ferries.example.org/x, and more", ["ferries.example.org/x"]),
        ("(bbc.com)", ["bbc.com"]),
        ("www.facebook.com and www.threads.com", ["www.facebook.com", "www.threads.com"]),
        ("See bbc.com.", ["bbc.com"]),
        ("...bbc.com", []),
        ("a. b. www. com", []),
        ("Good news.In other words", []),
        ("report.docx", []),
        ("ann@example.com", []),
        ("http://ann@example.com/x", ["http://ann@example.com/x"]),
        ("FTP://files.example.org", ["FTP://files.example.org"]),
        ("sftp://files.example.org", []),
        ("http://localhost:8000/x", []),
        ("http://a.b", []),
        ("http://a.zz", ["http://a.zz"]),
        ("a.zz", []),
        ("10.0.0.1 and 10.0.0.256 and 1.5", ["10.0.0.1"]),
        ("bbc.com:443/news", ["bbc.com:443/news"]),
        ("bbc.com:70000/news", ["bbc.com"]),
        ("https://example.org/a_(b))", ["https://example.org/a_(b)"]),
        ("https://example.org/[a]}", ["https://example.org/[a]"]),
        ("https://example.org/?q=1#end.", ["https://example.org/?q=1#end"]),
        ("https://example.org/#", ["https://example.org/#"]),
        ("https://example.org#", ["https://example.org"]),
        ("“https://example.org/x”!", ["https://example.org/x"]),
        ("<https://example.org/x>", ["https://example.org/x"]),
        ("новости.рф и НОВОСТИ.РФ", ["новости.рф", "НОВОСТИ.РФ"]),
        ("xn--e1afmkfd.xn--p1ai", ["xn--e1afmkfd.xn--p1ai"]),
        ("http://a_b.org http://a_.b.org http://a-.org", ["http://a_.b.org"]),
        ("日本語.jp 日本example.comです", ["日本語.jp"]),
        ("\u200fbbc.com\u200f", ["bbc.com"]),
        ("☕.ws/menu", ["☕.ws/menu"]),
        ("", []),
    ],
)
def test_telegram_and_threads_find_addresses_without_a_scheme(text: str, found: list[str]) -> None:
    """Cases after TDLib's own test of find_urls (test/message_entities.cpp)."""
    assert [link.url for link in links(text)] == found
    assert all(text[link.start : link.end] == link.url for link in links(text))
    assert facts.measure("telegram", text).urls == facts.measure("threads", text).urls == tuple(found)


def test_threads_counts_links_as_its_documents_do() -> None:
    six = " ".join(f"www.example{number}.com" for number in range(6))
    assert "6 links" in facts.measure("threads", six).why_not
    assert facts.measure("threads", six.replace("example5", "example4")).valid


@pytest.mark.parametrize(
    "text",
    ["a." * 4000, "http://" + "a." * 4000, "http://a.com/" + "(" * 8000, "中" * 6000 + "." + "文" * 900, "http://" * 1500,
     "http://" + "a@" * 4000, "/?" * 4000, "-" * 8000 + ".com", "a" * 8000 + "@"],
)  # fmt: skip
def test_hostile_text_is_read_in_bounded_time(text: str) -> None:
    began = time.thread_time()
    links(text)
    assert time.thread_time() - began < 1
