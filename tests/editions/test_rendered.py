"""Blanks, markers and numbers: one rendering, cut where readers differ, its links meaning the same for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editions.rendered import (
    ClosedTable,
    Doors,
    Link,
    LinkTable,
    Rendered,
    UnknownLink,
    preview,
    preview_text,
    sample_reader,
)

DOORS = Doors.at(track="https://track.example.org", public="https://news.example.org")
HTML = "<body>\n[[dl:b1]]\n<p>one</p>\n[[dl:b3]]<p>three</p>\n[[dl:b0]]<a href='[[dl:leave]]'>leave</a>\n"
TEXT = "Title\n\n[[dl:b1]]\nOne.\n\n[[dl:b3]]\nThree.\n\n[[dl:b0]]\nLeave: [[dl:leave]]\n"


def letter(html: str = HTML, text: str = TEXT) -> Rendered:
    return Rendered(subject="s", preheader="", html=html, text=text)


def shown(rendered: Rendered, blocks: tuple[int, ...] | None = None) -> tuple[str, str]:
    values = sample_reader(rendered)
    return (
        preview(rendered, doors=DOORS, values=values, blocks=blocks),
        preview_text(rendered, doors=DOORS, values=values, blocks=blocks),
    )


LEAVE = "https://news.example.org/u/" + "0" * 26


@pytest.mark.parametrize(
    ("blocks", "html", "text"),
    [
        (None, "<p>one</p>\n<p>three</p>\n", "One.\n\nThree.\n\n"),
        ((1, 3), "<p>one</p>\n<p>three</p>\n", "One.\n\nThree.\n\n"),
        ((3, 1), "<p>three</p>\n<p>one</p>\n", "Three.\n\nOne.\n\n"),
        ((3,), "<p>three</p>\n", "Three.\n\n"),
        ((2, 3, 9), "<p>three</p>\n", "Three.\n\n"),
        ((), "", ""),
    ],
)
def test_a_reader_gets_these_blocks_in_this_order_between_the_same_head_and_tail(
    blocks: tuple[int, ...] | None, html: str, text: str
) -> None:
    assert shown(letter(), blocks) == (
        f"<body>\n{html}<a href='{LEAVE}'>leave</a>\n",
        f"Title\n\n{text}Leave: {LEAVE}\n",
    )


def test_a_rendering_without_markers_is_shown_as_it_was_written() -> None:
    old = letter("<p>  one\r\n</p>", "  One.\n\n\n")
    assert shown(old) == shown(old, (2, 1)) == ("<p>  one\r\n</p>", "  One.\n\n\n")


@pytest.mark.parametrize(
    "html",
    [
        "<body>[[dl:b1]]one[[dl:b3]]three [[dl:leave]]",
        "<body>[[dl:b1]]one[[dl:b1]]three[[dl:b0]][[dl:leave]]",
        "<body>[[dl:b0]]one[[dl:b1]]three[[dl:leave]]",
        "<body>[[dl:b1]]one[[dl:b0]][[dl:leave]]",
        "<body>[[dl:b3]]three[[dl:b1]]one[[dl:b0]][[dl:leave]]",
        "<body>[[dl:b0]]one[[dl:b0]][[dl:leave]]",
    ],
)
def test_a_design_with_misplaced_markers_is_sent_whole_and_keeps_its_way_out(html: str) -> None:
    whole = shown(letter(html))
    assert whole == shown(letter(html), (3,))
    assert "one" in whole[0]
    assert LEAVE in whole[0]
    assert "One." in whole[1]
    assert "[[dl:" not in "".join(whole)


PIECES = st.sampled_from(["[[dl:b1]]", "[[dl:b2]]", "[[dl:b3]]", "[[dl:b0]]", "\n", "\r\n", " ", ".", "[[dl:leave]]"])
PART = st.lists(PIECES | st.text(alphabet=st.characters(exclude_characters="["), max_size=8), max_size=14).map("".join)


@given(html=PART, text=PART, blocks=st.none() | st.lists(st.integers(0, 4), max_size=5).map(tuple))
def test_no_marker_is_ever_shown(html: str, text: str, blocks: tuple[int, ...] | None) -> None:
    assert "[[dl:" not in "".join(shown(letter(html, text), blocks))


@given(
    order=st.permutations([1, 2, 3, 4]),
    words=st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=4, max_size=4),
)
def test_every_block_is_shown_where_it_was_asked_for(order: list[int], words: list[str]) -> None:
    part = "<\n" + "".join(f"[[dl:b{n}]]\n{word}\n" for n, word in enumerate(words, start=1)) + "[[dl:b0]]>"
    html, text = shown(letter(part, part), tuple(order))
    assert html.split("\n") == ["<", *(words[n - 1] for n in order), ">"]
    assert text.split("\n\n") == ["<", *(words[n - 1] for n in order), ">"]


LINKS = (
    Link(0, "https://a.example/", "home", "masthead/1"),
    Link(1, "https://a.example/1", "story", "lead/1", 11),
    Link(2, "https://a.example/2", "story", "top/1", 12),
    Link(3, "https://a.example/3", "story", "top/2", 13),
    Link(4, "https://a.example/3", "story", "popular/1", 13),
    Link(5, "https://a.example/3", "story", "popular/2", 13),
)


@pytest.mark.parametrize(
    ("slot", "number"), [("top/2", 3), ("top/1", 3), ("top/9", 3), ("popular/2", 5), ("popular/7", 4), ("lead/1", 3)]
)
def test_a_story_that_moved_up_keeps_the_number_of_its_kind_of_place(slot: str, number: int) -> None:
    assert ClosedTable(LINKS).number(url="https://a.example/3", kind="story", slot=slot, article_id=13) == number


@pytest.mark.parametrize(
    ("url", "kind", "article"),
    [
        ("https://a.example/4", "story", 14),
        ("https://a.example/1", "sponsor", 11),
        ("https://a.example/1", "story", 12),
    ],
)
def test_an_edition_that_left_gets_no_more_links(url: str, kind: str, article: int) -> None:
    table = ClosedTable(LINKS)
    with pytest.raises(UnknownLink):
        table.number(url=url, kind=kind, slot="top/1", article_id=article)
    assert table.links() == LINKS


def test_an_open_table_gives_each_new_place_the_next_number() -> None:
    table = LinkTable(LINKS)
    assert table.number(url="https://a.example/3", kind="story", slot="top/1", article_id=13) == len(LINKS)
    assert table.number(url="https://a.example/3", kind="story", slot="top/2", article_id=13) == 3
