"""Which blocks a reader gets: theirs first or theirs only, and never an edition without its lead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.message.arrange import arrangement

PARTS: list[dict[str, Any]] = [
    {"block": 1, "topic": ""},
    {"block": 2, "topic": "africa"},
    {"block": 3, "topic": "asia"},
    {"block": 5, "topic": ""},
    {"block": 6, "topic": "books"},
    {"block": 7, "topic": "asia"},
]


@pytest.mark.parametrize(
    ("choice", "followed", "expected"),
    [
        ("all", {"books"}, (1, 2, 3, 5, 6, 7)),
        ("first", set(), (1, 2, 3, 5, 6, 7)),
        ("first", {"books"}, (1, 6, 2, 5, 3, 7)),
        ("first", {"asia"}, (1, 3, 7, 5, 2, 6)),
        ("first", {"asia", "africa", "books"}, (1, 2, 3, 5, 6, 7)),
        ("first", {"chess"}, (1, 2, 3, 5, 6, 7)),
        ("only", set(), (1, 2, 3, 5, 6, 7)),
        ("only", {"chess"}, (1, 2, 3, 5, 6, 7)),
        ("only", {"books"}, (1, 5, 6)),
        ("only", {"asia", "chess"}, (1, 3, 5, 7)),
        ("only", {""}, (1, 2, 3, 5, 6, 7)),
    ],
)
def test_blocks_follow_what_the_reader_follows(choice: str, followed: set[str], expected: tuple[int, ...]) -> None:
    assert arrangement(PARTS, followed, choice) == expected


TOPICS = st.sampled_from(["", "africa", "asia", "books"])
EDITIONS = st.lists(TOPICS, max_size=12).map(
    lambda topics: [{"block": 2 * n, "topic": topic} for n, topic in enumerate(topics, start=1)]
)


@given(parts=EDITIONS, followed=st.sets(TOPICS), choice=st.sampled_from(["all", "first"]))
def test_putting_first_loses_nothing_and_shows_nothing_twice(
    parts: list[dict[str, Any]], followed: set[str], choice: str
) -> None:
    order = arrangement(parts, followed, choice)
    assert sorted(order) == [part["block"] for part in parts]
    everybodys = [(at, part["block"]) for at, part in enumerate(parts) if not part["topic"]]
    assert [(at, order[at]) for at, _ in everybodys] == everybodys
    topics = {part["block"]: part["topic"] for part in parts}
    theirs = [topics[block] in followed for block in order if topics[block]]
    if choice == "first":
        assert theirs == sorted(theirs, reverse=True)
    for topic in ("africa", "asia", "books"):
        same = [block for block in order if topics[block] == topic]
        assert same == sorted(same)


@given(parts=EDITIONS, followed=st.sets(TOPICS))
def test_only_theirs_keeps_the_order_everybodys_blocks_and_all_of_theirs(
    parts: list[dict[str, Any]], followed: set[str]
) -> None:
    order = arrangement(parts, followed, "only")
    matched = [part["block"] for part in parts if part["topic"] and part["topic"] in followed]
    left = [part["block"] for part in parts if part["topic"] and part["topic"] not in followed]
    assert list(order) == sorted(set(order))
    assert set(order) == {part["block"] for part in parts} - (set(left) if matched else set())
