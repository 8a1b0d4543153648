"""Facets: what readers of Bluesky can click, by bytes; the library's own finder is the second opinion."""

from __future__ import annotations

import pytest
from atproto_client.utils.facet_detection import detect_facets, detect_mentions  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.channels.social.bluesky.facets import Facet, facets

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Ferries run https://a.example/1", [("link", "https://a.example/1")]),
        (f"{FAMILY} 日本 https://a.example/1.", [("link", "https://a.example/1")]),
        ("(https://a.example/1)", [("link", "https://a.example/1")]),
        ("https://a.example/wiki/Quay_(sea)", [("link", "https://a.example/wiki/Quay_(sea)")]),
        ("a.example/1 is bare", []),
        ("#Fähre fährt", [("tag", "Fähre")]),
        ("#海 #مرحبا #नमस्ते", [("tag", "海"), ("tag", "مرحبا"), ("tag", "नमस्ते")]),
        ("＃Fähre", [("tag", "Fähre")]),
        ("#2026 is a year, #2026Election is none", [("tag", "2026Election")]),
        ("no#tag, # none", []),
        ("#MiddleEast! #News.", [("tag", "MiddleEast"), ("tag", "News")]),
        ("#" + "a" * 64, [("tag", "a" * 64)]),
        ("#" + "a" * 65, []),
        ("by @harbour.example, @news.bsky.social.", [("mention", "harbour.example"), ("mention", "news.bsky.social")]),
        ("desk@harbour.example @nobody @@a.example", []),
        ("https://a.example/#Fragment @b.example", [("link", "https://a.example/#Fragment"), ("mention", "b.example")]),
        ("#a\n#b", [("tag", "a"), ("tag", "b")]),
    ],
)  # fmt: skip
def test_facets_are(text: str, found: list[tuple[str, str]]) -> None:
    assert [(facet.kind, facet.value) for facet in facets(text)] == found


def shown(text: str, facet: Facet) -> str:
    return text.encode()[facet.start : facet.end].decode()


WORDS = st.sampled_from(
    ["https://a.example/1", "https://a.example/ä?b=(c)", "#Fähre", "#海", "＃News", "@b.com", "(@c.bsky.social)", FAMILY,
     "e\u0301", "🇩🇪", "\u200fمرحبا", "run,", "#2026", "#", "@", "https://", "\u200d", "\n", "”"]
)  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=6), max_size=12).map(" ".join))
@example("#a#b https://a.example/#c")
def test_offsets_are_in_order_inside_the_text_and_cut_no_character(text: str) -> None:
    end = 0
    for facet in facets(text):
        assert end <= facet.start < facet.end <= len(text.encode())
        end = facet.end
        words = shown(text, facet)
        assert words == {"link": facet.value, "tag": words[0] + facet.value, "mention": f"@{facet.value}"}[facet.kind]


@given(st.lists(WORDS.filter(lambda word: word not in ("”", "https://")), max_size=12).map(" ".join))
def test_the_library_finds_the_same(text: str) -> None:
    theirs = [(found.index.byte_start, found.index.byte_end) for found in detect_facets(text)]
    theirs += [(found.byte_start, found.byte_end) for found in detect_mentions(text)]
    assert [(facet.start, facet.end) for facet in facets(text)] == sorted(theirs)
