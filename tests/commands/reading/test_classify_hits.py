"""JSON lines in, one ruling a line out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands.reading.classify_hits import lines
from pipeline.engagement.hits import Thresholds

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
GOOD: dict[str, Any] = {
    "at": "2026-11-23T06:30:00Z",
    "delivered_at": "2026-11-23T05:30:00+00:00",
    "message": "m1",
    "link": "story-1",
    "method": "GET",
    "ua": CHROME,
    "ip": "192.0.2.1",
    "headers": {"Accept-Language": "en"},
}


def judged(*records: dict[str, Any]) -> list[dict[str, Any]]:
    return list(lines(json.dumps(record) for record in records))


def test_a_reader_an_hour_later_is_a_person() -> None:
    assert judged(GOOD) == [{"verdict": "human", "rules": []}]


@pytest.mark.parametrize(
    ("changes", "verdict", "rules"),
    [
        ({"method": "HEAD"}, "scanner", ["R1"]),
        ({"headers": {"sec-purpose": "prefetch"}}, "prefetch", ["R2"]),
        ({"ua": None}, "scanner", ["R3"]),
        ({"honeypot": True}, "scanner", ["R4"]),
        ({"link": "honeypot"}, "scanner", ["R4"]),
        ({"ip": "40.107.1.1"}, "scanner", ["R5"]),
        ({"at": "2026-11-23T05:30:10Z"}, "scanner", ["R6"]),
        ({"at": "2026-11-23T05:30:10"}, "scanner", ["R6"]),
        ({"at": 1795411810, "delivered_at": 1795411800.5}, "scanner", ["R6"]),
        ({"link": "story-1%27"}, "unknown", ["DAMAGED"]),
        ({"link": "story-1)"}, "unknown", ["DAMAGED"]),
        ({"link": "story-1%5D."}, "unknown", ["DAMAGED"]),
        ({"link": "story-1&amp;"}, "unknown", ["DAMAGED"]),
        ({"link": "Honeypot"}, "scanner", ["R4"]),
        ({"honeypot": "true"}, "scanner", ["R4"]),
        ({"method": " GET "}, "human", []),
        ({"headers": {"HTTP_SEC_PURPOSE": "prefetch"}}, "prefetch", ["R2"]),
        ({"ip": "::ffff:40.107.1.1"}, "scanner", ["R5"]),
        ({"mangled": True}, "unknown", ["DAMAGED"]),
        ({"link": None, "ua": "Mozilla/5.0"}, "prefetch", ["MPP"]),
        ({"link": "open", "ua": "Mozilla/5.0"}, "prefetch", ["MPP"]),
        ({"link": 7}, "human", []),
        ({"delivered_at": None}, "human", []),
        ({"headers": None, "ip": None, "network": None}, "human", []),
        ({"asn": 22843, "at": "2026-11-23T05:38:00Z"}, "scanner", ["R6"]),
    ],
)
def test_a_line_says_what_it_is(changes: dict[str, Any], verdict: str, rules: list[str]) -> None:
    assert judged(GOOD | changes) == [{"verdict": verdict, "rules": rules}]


def test_a_mark_of_byte_order_before_the_first_line_is_passed_over() -> None:
    assert list(lines(["\ufeff" + json.dumps(GOOD)])) == [{"verdict": "human", "rules": []}]


def test_lines_are_judged_beside_each_other_and_answered_in_order() -> None:
    pair = GOOD | {"link": "story-2", "at": "2026-11-23T06:30:02Z"}
    later = GOOD | {"link": "story-3", "at": "2026-11-23T09:00:00Z"}
    assert [one["verdict"] for one in judged(later, pair, GOOD)] == ["human", "scanner", "scanner"]


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not an object"),
        (json.dumps({key: value for key, value in GOOD.items() if key != "link"}), "link is missing"),
        (json.dumps(GOOD | {"at": "yesterday"}), "Invalid isoformat string: 'yesterday'"),
        (json.dumps(GOOD | {"at": True}), "at is neither a time nor a number"),
        (json.dumps(GOOD | {"at": "0001-01-01T00:00:00Z"}), "at is out of range"),
        (json.dumps(GOOD | {"message": ["m"]}), "message is not text"),
        (json.dumps(GOOD | {"headers": "x"}), "headers is not an object"),
        (json.dumps(GOOD | {"links": "many"}), "links is not a whole number"),
    ],
)
def test_an_ill_formed_line_is_unknown_and_says_why(line: str, warning: str) -> None:
    ill, good = lines([line, json.dumps(GOOD)])
    assert ill == {"verdict": "unknown", "rules": ["ill-formed"], "warnings": [warning]}
    assert good["verdict"] == "human"


@pytest.mark.parametrize("at", [float("nan"), 1e300, -1e18, 10**400])
def test_a_number_that_is_no_time_is_ill_formed(at: float) -> None:
    assert judged(GOOD | {"at": at})[0]["rules"] == ["ill-formed"]


def test_blank_lines_are_passed_over() -> None:
    assert len(list(lines(["", "  \n", json.dumps(GOOD) + "\n"]))) == 1


def test_thresholds_can_be_shortened() -> None:
    early = json.dumps(GOOD | {"at": "2026-11-23T05:30:10Z"})
    assert next(lines([early], thresholds=Thresholds(click_after_s=5.0)))["verdict"] == "human"


keys = st.sampled_from([*GOOD, "honeypot", "mangled", "links", "asn", "network"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@given(
    st.lists(
        st.dictionaries(keys, values, max_size=6).map(lambda odd: json.dumps(GOOD | odd)) | st.text(),
        max_size=6,
    )
)
def test_whatever_comes_in_every_line_gets_an_answer(texts: list[str]) -> None:
    answers = list(lines(texts))
    assert len(answers) == sum(bool(text.strip()) for text in texts)
    assert {one["verdict"] for one in answers} <= {"human", "prefetch", "scanner", "unknown"}
