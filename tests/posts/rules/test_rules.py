"""Stored rules are what somebody meant, or an error that names the key."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from pipeline.posts.rules.rules import Breaking, Corrections, Recycling, Rules, Thrift, UnusableRules
from pipeline.posts.words.kept import Words

FULL: dict[str, Any] = {
    "exclude": ["Obituaries"], "never": ["horoscope"], "urgent": ["earthquake", "resigns"],
    "per_hour": 4, "per_day": 30, "quiet": ["23:00", "06:30"], "slots": ["12:15", "07:30"], "slot_days": ["mon", "fri"],
    "breaking": {"gap_s": 60, "per_hour": 2, "in_quiet_hours": False},
    "formats": ["question", "headline"], "tone": "lively", "threads": True, "length": 25000,
    "recycle": {"every_days": 10, "most": 3, "per_day": 2}, "thrift": {"after": 0.5, "how": "top", "top": 3},
    "corrections": {"delete": "alone", "note": "https://paper.example/corrections"},
}  # fmt: skip


def test_nothing_stored_is_each_story_as_it_comes() -> None:
    assert Rules.of({}) == Rules()
    assert Rules().sentence() == "each story as it comes"


def test_every_rule_is_read() -> None:
    rules = Rules.of(FULL)
    assert (rules.quiet, rules.slots, rules.slot_days) == ((time(23), time(6, 30)), (time(7, 30), time(12, 15)), {0, 4})
    assert rules.breaking == Breaking(gap_s=60, per_hour=2, in_quiet_hours=False)
    assert rules.recycle == Recycling(every_days=10, most=3, per_day=2)
    assert rules.thrift == Thrift(after=0.5, how="top", top=3)
    assert rules.corrections == Corrections(delete="alone", note="https://paper.example/corrections")


def test_rules_are_read_back_to_an_editor() -> None:
    assert Rules.of(FULL).sentence() == (
        "never in Obituaries; at 07:30 or 12:15; on Mon or Fri only; quiet from 23:00 to 06:30; at most 4 an hour; "
        "at most 30 a day; at once where it says earthquake or resigns; not where it says horoscope; "
        "evergreens again after 10 days, 3 times; once 50% of the month's money is spent, only the 3 most read"
    )


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({"per_huor": 3}, "per_huor"),
        ({"per_hour": "3"}, "per_hour"),
        ({"per_hour": True}, "per_hour"),
        ({"per_day": -1}, "per_day"),
        ({"quiet": ["23:00"]}, "quiet"),
        ({"quiet": ["23:00", "23:00"]}, "quiet"),
        ({"quiet": ["23", "6"]}, "quiet"),
        ({"slots": ["25:00"]}, "slots"),
        ({"slots": "07:30"}, "slots"),
        ({"slots": ["02:00"], "quiet": ["23:00", "06:30"]}, "slots"),
        ({"slot_days": ["mon"]}, "slot_days"),
        ({"slots": ["07:30"], "slot_days": ["Montag"]}, "slot_days"),
        ({"urgent": "earthquake"}, "urgent"),
        ({"urgent": [""]}, "urgent"),
        ({"formats": ["poem"]}, "formats"),
        ({"formats": []}, "formats"),
        ({"tone": "shouting"}, "tone"),
        ({"threads": "yes"}, "threads"),
        ({"breaking": {"gap": 3}}, "breaking.gap"),
        ({"breaking": None}, "breaking"),
        ({"thrift": {"after": 80}}, "thrift.after"),
        ({"thrift": {"how": "beg"}}, "thrift.how"),
        ({"recycle": {"every_days": 0}}, "recycle.every_days"),
        ({"corrections": {"delete": "never"}}, "corrections.delete"),
        ({"corrections": {"note": "javascript:alert(1)"}}, "corrections.note"),
    ],
)
def test_a_typo_is_an_error_that_names_the_key(record: dict[str, Any], named: str) -> None:
    with pytest.raises(UnusableRules, match=rf"^{named}\b"):
        Rules.of(record)


@pytest.mark.parametrize("record", [[], "rules", 3])
def test_what_is_no_object_is_refused(record: Any) -> None:
    with pytest.raises(UnusableRules):
        Rules.of(record)
    with pytest.raises(UnusableRules):
        Words.of(record)


def test_parts_that_are_off_may_be_null() -> None:
    assert Rules.of({"recycle": None, "thrift": None, "quiet": None}) == Rules()


@pytest.mark.parametrize(
    "record",
    [
        {"hashtag": {}},
        {"hashtags": {"A": "B"}},
        {"mentions": {"A": ["@a"]}},
        {"care": ["dead"]},
        {"care": {"en": [""]}},
    ],
)
def test_words_with_a_typo_are_an_error(record: dict[str, Any]) -> None:
    with pytest.raises(UnusableRules, match=r"^words\."):
        Words.of(record)


def test_the_deepest_section_speaks_first() -> None:
    words = Words.of({"hashtags": {"World": ["World"], "Asia": ["Asia", "APAC"]}, "emoji": {"World": "🌍"}})
    assert words.tags_of(("World", "Asia")) == ("Asia", "APAC", "World")
    assert words.of_section(words.emoji, ("World", "Asia")) == "🌍"
    assert words.of_section(words.emoji, ("Sport",)) == ""
