"""JSON lines in, lengths out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands.reading.measure_post import UnusableInput, measure

LENGTHS = Path(__file__).parents[2] / "samples" / "lengths.json"  # where from: tests/channels/test_counting.py
LIMITS = {
    "x": (1, 280), "mastodon": (2, 500), "bluesky": (3, 300), "threads": (4, 500), "linkedin": (5, 3000),
    "telegram": (5, 4096), "facebook": (5, 63206), "slack": (5, 4000), "discord": (6, 2000),
}  # fmt: skip
URLS = {"x": 7, "mastodon": 8}


@pytest.mark.parametrize("network", LIMITS)
def test_two_hundred_texts_are_measured_as_the_network_does(network: str) -> None:
    rows: list[list[Any]] = json.loads(LENGTHS.read_text("utf-8"))
    column, limit = LIMITS[network]
    answers = list(measure((json.dumps({"text": row[0]}) + "\n" for row in rows), network=network))
    assert len(answers) == len(rows) >= 150
    for row, answer in zip(rows, answers, strict=True):
        assert list(answer) == ["length", "limit", "valid", "urls"]
        valid = row[column] <= limit and bool(row[0].strip())
        assert (answer["length"], answer["limit"], answer["valid"]) == (row[column], limit, valid), ascii(row[0])
        if network in URLS:
            assert answer["urls"] == row[URLS[network]], ascii(row[0])


def test_a_string_and_an_object_with_text_are_measured_alike() -> None:
    answers = list(measure(['"Ferries run: bbc.com"\n', '{"text": "Ferries run: bbc.com", "id": 7}\n'], network="x"))
    assert answers == [{"length": 13 + 23, "limit": 280, "valid": True, "urls": ["bbc.com"]}] * 2


def test_a_text_over_the_limit_is_measured_and_not_valid() -> None:
    (answer,) = measure([json.dumps("語" * 141)], network="x")
    assert answer == {"length": 282, "limit": 280, "valid": False, "urls": []}


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("nope", "Expecting value"),
        ("7", "JSON string or an object"),
        ("null", "JSON string or an object"),
        ('["a"]', "JSON string or an object"),
        ('{"words": "a"}', "JSON string or an object"),
        ('{"text": 7}', "JSON string or an object"),
        ('"\\ud83d"', "surrogate"),
        ("[" * 100_000, "nested"),
    ],
)
def test_an_ill_formed_line_has_no_length_and_says_why(line: str, warning: str) -> None:
    before, answer, after = measure(['"a"', line, '"b"'], network="mastodon")
    assert before == after == {"length": 1, "limit": 500, "valid": True, "urls": []}
    assert answer["length"] is None
    assert answer["valid"] is False
    assert warning in answer["warnings"][0]


def test_blank_lines_are_no_texts() -> None:
    assert list(measure(["\n", "  \n"], network="x")) == []


@pytest.mark.parametrize("network", ["myspace", "", "X "])
def test_an_unknown_network_is_refused_before_any_line(network: str) -> None:
    with pytest.raises(UnusableInput, match=r"agora, bluesky, discord, .* x$"):
        measure(iter(()), network=network)


@given(st.text())
def test_any_line_gets_an_answer_that_is_json(line: str) -> None:
    for answer in measure([line], network="bluesky"):
        assert json.loads(json.dumps(answer)) == answer
