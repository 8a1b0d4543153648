"""Every candidate is answered once: placed with a reason, or left out with one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.editions.choosing.rules import NOTE, SPONSOR, Fallback, Order, UnusableRule
from pipeline.editions.choosing.select import (
    POPULAR,
    Candidate,
    Choice,
    Frame,
    Placed,
    Rule,
    choose,
    select,
)

CUTOFF = datetime(2026, 4, 19, 4, 10, tzinfo=UTC)
FRAME = Frame(since=CUTOFF - timedelta(hours=48), cutoff_at=CUTOFF, most_age_h=36)


def candidate(article_id: int = 1, *, age_h: float = 2, **fields: Any) -> Candidate:
    at = CUTOFF - timedelta(hours=age_h)
    known: dict[str, Any] = {
        "headline": f"Story {article_id}", "sections": ("world",), "authors": (), "published_at": at, "first_seen_at": at,
        "eligible_at": at,
    }  # fmt: skip
    return Candidate(article_id=article_id, **{**known, **fields})


def rule(position: int = 1, kind: str = "top", **fields: Any) -> Rule:
    return Rule(position=position, kind=kind, **fields)


def one(**fields: Any) -> Choice:
    """The fate of one story in an edition with one block for anything."""
    return select([candidate(**fields)], rules=[rule()], frame=FRAME)[0]


def test_the_newest_come_first_and_say_how_many_they_were() -> None:
    found = select([candidate(n, age_h=n) for n in (3, 1, 2, 4)], rules=[rule(count=2)], frame=FRAME)
    assert [(c.article_id, c.position, c.code) for c in found] == [
        (1, 1, "newest"),
        (2, 2, "newest"),
        (3, 0, "no_room"),
        (4, 0, "no_room"),
    ]
    assert found[0].params == {"rank": 1, "of": 4, "sections": []}
    assert found[2].params == {"block": 1, "title": "", "count": 2}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "newest"),
        ({"killed": True}, "killed"),
        ({"eligible_at": None}, "not_announced"),
        ({"sent_at": CUTOFF - timedelta(days=1), "sent_version": 1, "version": 1}, "already_sent"),
        ({"sent_at": CUTOFF - timedelta(days=1), "sent_version": 1, "version": 2}, "developed"),
        ({"eligible_at": CUTOFF + timedelta(milliseconds=1)}, "missed_cutoff"),
        ({"eligible_at": CUTOFF}, "newest"),
        ({"age_h": 36}, "newest"),
        ({"age_h": 36.1}, "too_old"),
        ({"age_h": 48.1}, "before_window"),
        ({"published_at": None}, "newest"),
        ({"published_at": CUTOFF - timedelta(days=9)}, "newest"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_story_is_placed_or_barred_with_its_reason(fields: dict[str, Any], code: str) -> None:
    found = one(**fields)
    assert found.code == code
    assert found.picked == (code in {"newest", "developed"})


def test_a_story_that_developed_is_labelled() -> None:
    assert one(sent_at=CUTOFF - timedelta(days=1), sent_version=1, version=2).label == "Update"
    assert one().label == ""


def test_a_miss_by_a_moment_is_a_miss_by_a_second() -> None:
    assert one(eligible_at=CUTOFF + timedelta(milliseconds=1)).params == {"by_s": 1}
    assert one(eligible_at=CUTOFF + timedelta(seconds=61)).params == {"by_s": 61}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sections": ("africa", "sahel")}, "newest"),
        ({"sections": ("asia",)}, "other_section"),
        ({"sections": ("africa", "sport")}, "excluded_section"),
        ({"sections": ()}, "other_section"),
        ({"sections": ("africa",), "age_h": 13}, "too_old"),
    ],
)  # fmt: skip
def test_a_block_takes_what_its_rule_names(fields: dict[str, Any], code: str) -> None:
    block = rule(sections=("africa",), exclude=("sport",), most_age_h=12)
    assert select([candidate(**fields)], rules=[block], frame=FRAME)[0].code == code


def test_a_block_above_takes_first_and_nothing_stands_twice() -> None:
    rules = [rule(2, "top", count=3), rule(1, "lead", count=1)]
    found = select([candidate(n, age_h=n) for n in range(1, 5)], rules=rules, frame=FRAME)
    assert [(c.block, c.position, c.article_id) for c in found] == [(1, 1, 1), (2, 1, 2), (2, 2, 3), (2, 3, 4)]


def test_most_popular_chooses_last_wherever_it_stands_and_may_carry_what_is_old_news() -> None:
    loved = candidate(1, age_h=1, popular_place=1, popular_window="today")
    older = candidate(2, age_h=500, eligible_at=None, popular_place=2, popular_window="week")
    dead = candidate(3, killed=True, popular_place=3, popular_window="today")
    found = select([older, loved, dead], rules=[rule(1, POPULAR), rule(2, "top")], frame=FRAME)
    assert [(c.article_id, c.block, c.code) for c in found] == [
        (2, 1, "popular"),
        (1, 2, "newest"),
        (3, None, "killed"),
    ]
    assert found[0].params == {"place": 2, "window": "week"}


@pytest.mark.parametrize(
    ("limit", "expected"), [({"per_author": 1}, [1, 3, 4]), ({"per_section": 1}, [1, 4, 2]), ({"per_author": 1, "per_section": 1}, [1, 4, 2])]
)  # fmt: skip
def test_a_limit_gives_way_rather_than_leave_a_place_empty(limit: dict[str, Any], expected: list[int]) -> None:
    stories = [
        candidate(1, age_h=1, authors=("Ada",), sections=("world",)),
        candidate(2, age_h=2, authors=("Ada",), sections=("world",)),
        candidate(3, age_h=3, authors=("Ben",), sections=("world",)),
        candidate(4, age_h=4, authors=("Cleo",), sections=("asia",)),
    ]
    found = select(stories, rules=[rule(count=3, **limit)], frame=FRAME)
    assert [c.article_id for c in found if c.picked] == expected
    assert len([c for c in select(stories[:2], rules=[rule(count=3, **limit)], frame=FRAME) if c.picked]) == 2


def test_an_edition_without_a_block_for_news_says_so() -> None:
    assert select([candidate()], rules=[rule(1, POPULAR)], frame=FRAME)[0].code == "no_block"


def test_a_stored_rule_with_a_name_nobody_knows_is_an_error_and_not_a_default() -> None:
    with pytest.raises(UnusableRule, match="counts"):
        Rule.of(position=1, kind="top", title="", rule={"counts": 3})
    read = Rule.of(
        position=2, kind="section", title="Africa", rule={"count": 2, "sections": ["africa"], "per_author": 1}
    )
    assert read == Rule(position=2, kind="section", title="Africa", sections=("africa",), count=2, per_author=1)


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (rule(count=2), "newest 2"),
        (rule(sections=("africa", "asia"), per_author=2), "newest 3 in africa or asia, max 2 per author"),
        (rule(most_age_h=12, per_section=1), "newest 3, none older than 12 h, max 1 per section"),
        (rule(kind=POPULAR, count=5), "the 5 most popular that this edition does not carry already"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_sentence(block: Rule, sentence: str) -> None:
    assert block.sentence() == sentence


moments = st.integers(-72 * 60, 60).map(lambda minutes: CUTOFF + timedelta(minutes=minutes))
places = st.sampled_from(["world", "africa", "asia", "sport"])
candidates = st.lists(
    st.builds(
        Candidate, article_id=st.integers(1, 40), headline=st.just("A story"), sections=st.lists(places, max_size=2).map(tuple),
        authors=st.lists(st.sampled_from(["Ada", "Ben"]), max_size=1).map(tuple), published_at=st.none() | moments,
        first_seen_at=moments, eligible_at=st.none() | moments, version=st.integers(1, 3), killed=st.booleans(),
        sent_at=st.none() | moments, sent_version=st.integers(0, 3), popular_place=st.none() | st.integers(1, 10),
        carried=st.integers(0, 3), is_evergreen=st.booleans(), related=st.lists(st.integers(1, 40), max_size=2).map(tuple),
    ),
    max_size=25, unique_by=lambda found: found.article_id,
)  # fmt: skip
rules_of_many = st.lists(
    st.builds(
        Rule, position=st.integers(1, 5), kind=st.sampled_from(["lead", "top", "section", POPULAR]),
        sections=st.lists(places, max_size=2).map(tuple), exclude=st.lists(places, max_size=1).map(tuple),
        count=st.integers(0, 5), most_age_h=st.none() | st.integers(1, 48), per_author=st.none() | st.integers(1, 2),
        per_section=st.none() | st.integers(1, 2),
    ),
    max_size=4, unique_by=lambda found: found.position,
)  # fmt: skip


@settings(deadline=None)
@given(stories=candidates, rules=rules_of_many, dice=st.randoms())
def test_whatever_is_offered_the_promises_hold(stories: list[Candidate], rules: list[Rule], dice: Any) -> None:
    found = select(stories, rules=rules, frame=FRAME)
    assert sorted(c.article_id for c in found) == sorted(c.article_id for c in stories), "each is answered exactly once"
    known, by_position = {c.article_id: c for c in stories}, {r.position: r for r in rules}
    taken = [(c.block, c.position) for c in found if c.picked]
    assert len(set(taken)) == len(taken)
    for choice in found:
        assert choice.code
        assert choice.picked == (choice.block is not None)
        if choice.picked:
            story, block = known[choice.article_id], by_position[choice.block or 0]
            assert not story.killed
            assert choice.position <= block.count
            if block.kind != POPULAR:
                assert story.eligible_at is not None
                assert story.eligible_at <= CUTOFF
                assert not set(block.exclude) & set(story.sections)
                assert not story.sent_at or story.version > story.sent_version
    for position, block in by_position.items():
        filled = [c.position for c in found if c.block == position]
        assert filled == list(range(1, len(filled) + 1)), "no holes, in the order they are read"
        if any(c.code == "no_room" and c.params["block"] == position for c in found):
            assert len(filled) == block.count, "a limit never leaves a place empty while someone waits for it"
    shuffled = dice.sample(stories, len(stories))
    assert select(shuffled, rules=list(reversed(rules)), frame=FRAME) == found, "the same offer, the same edition"


@given(stories=candidates)
def test_killing_a_story_removes_it_and_moves_nobody_out(stories: list[Candidate]) -> None:
    rules = [rule(1, "lead", count=1), rule(2, "top", count=3), rule(3, POPULAR)]
    before = {c.article_id for c in select(stories, rules=rules, frame=FRAME) if c.picked}
    for victim in before:
        killed = [replace(c, killed=True) if c.article_id == victim else c for c in stories]
        after = {c.article_id for c in select(killed, rules=rules, frame=FRAME) if c.picked}
        assert victim not in after
        assert before - {victim} <= after


@pytest.mark.parametrize(
    ("fields", "kwargs", "code"),
    [
        ({"topics": ("climate",)}, {"tags": ("Climate", "Water")}, "newest"),
        ({"topics": ("climate",)}, {"tags": ("Sport",)}, "other_topic"),
        ({"exclude_topics": ("obituaries",)}, {"tags": ("Obituaries",)}, "excluded_topic"),
        ({"sources": (7,)}, {"source_id": 7}, "newest"),
        ({"sources": (7,)}, {"source_id": 8}, "other_source"),
        ({"sections": ("World",)}, {"sections": ("WORLD",)}, "newest"),
    ],
)
def test_a_block_asks_for_topics_and_sources_too(fields: dict[str, Any], kwargs: dict[str, Any], code: str) -> None:
    assert select([candidate(**kwargs)], rules=[rule(**fields)], frame=FRAME)[0].code == code


@pytest.mark.parametrize(
    ("order", "expected"),
    [("newest", [1, 2, 3]), ("oldest", [3, 2, 1]), ("popular", [3, 1, 2]), ("longest", [2, 1, 3])],
)
def test_a_block_puts_its_stories_in_the_order_its_rule_names(order: str, expected: list[int]) -> None:
    stories = [
        candidate(1, age_h=1, words=300),
        candidate(2, age_h=2, words=900),
        candidate(3, age_h=3, words=100, popular_place=4, popular_window="today"),
    ]
    found = select(stories, rules=[rule(order=Order(order))], frame=FRAME)
    assert [c.article_id for c in found] == expected


def test_a_limit_that_gave_way_says_so() -> None:
    stories = [candidate(n, age_h=n, authors=("Ada",)) for n in (1, 2)]
    first, second = select(stories, rules=[rule(per_author=1)], frame=FRAME)
    assert "relaxed" not in first.params
    assert second.params["relaxed"] == {"limit": "per_author", "name": "Ada", "most": 1}


@pytest.mark.parametrize(
    ("fallback", "codes"),
    [
        ("shorten", ["newest"]),
        ("ask", ["newest"]),
        ("skip", []),
        ("evergreen", ["newest", "evergreen"]),
        ("popular", ["newest", "filled_by_popular"]),
    ],
)
def test_a_block_below_its_minimum_is_reported_and_helped_as_its_rule_says(fallback: str, codes: list[str]) -> None:
    stories = [
        candidate(1),
        candidate(2, age_h=900, eligible_at=None, is_evergreen=True),
        candidate(3, age_h=900, eligible_at=None, popular_place=1, popular_window="week"),
    ]
    found = choose(stories, rules=[rule(minimum=2, fallback=Fallback(fallback))], frame=FRAME)
    assert [c.code for c in found.choices if c.picked] == codes
    assert [(s.found, s.minimum, s.fallback) for s in found.shortfalls] == [(1, 2, Fallback(fallback))]
    assert len(found.choices) == 3


def test_what_a_skipped_block_would_have_taken_says_that_the_block_is_left_out() -> None:
    found = select([candidate()], rules=[rule(minimum=2, fallback=Fallback.SKIP)], frame=FRAME)
    assert found[0].code == "block_left_out"


def test_a_placed_story_stands_where_it_was_put_and_the_rest_fill_in_round_it() -> None:
    stories = [candidate(n, age_h=n) for n in range(1, 6)]
    found = select(stories, rules=[rule(count=3)], frame=FRAME, placed=[Placed(5, 1, 2), Placed(1, None)])
    assert [(c.article_id, c.code) for c in found if c.picked] == [(2, "newest"), (5, "placed"), (3, "newest")]
    assert [c.code for c in found if c.article_id == 1] == ["left_out"]


def test_a_placed_story_is_not_taken_by_a_block_above() -> None:
    rules = [rule(1, "lead", count=1), rule(2, "top", count=2)]
    found = select([candidate(n, age_h=n) for n in (1, 2)], rules=rules, frame=FRAME, placed=[Placed(1, 2, 1)])
    assert [(c.article_id, c.block, c.position) for c in found] == [(2, 1, 1), (1, 2, 1)]


def test_a_person_may_place_what_the_rules_would_not_take_but_not_what_was_killed() -> None:
    stories = [candidate(1, age_h=900), candidate(2, killed=True)]
    found = {c.article_id: c for c in select(stories, rules=[rule()], frame=FRAME, placed=[Placed(1, 1), Placed(2, 1)])}
    assert found[1].picked
    assert found[2].code == "killed"


def test_too_short_an_edition_is_made_up_with_evergreens_and_then_what_readers_liked() -> None:
    stories = [
        candidate(1),
        candidate(2, age_h=900, eligible_at=None, is_evergreen=True),
        candidate(3, age_h=900, eligible_at=None, popular_place=1, popular_window="week"),
    ]
    found = choose(stories, rules=[rule(1, "lead", count=1), rule(2, "top")], frame=FRAME, at_least=3)
    assert [(c.article_id, c.block) for c in found.choices if c.picked] == [(1, 1), (2, 2), (3, 2)]


@pytest.mark.parametrize("kind", [SPONSOR, NOTE])
def test_a_promised_place_takes_no_story(kind: str) -> None:
    assert select([candidate()], rules=[rule(1, kind)], frame=FRAME)[0].code == "no_block"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"order": "random"}, "random"),
        ({"fallback": "panic"}, "panic"),
        ({"count": 0}, "from 1 to 100"),
        ({"count": 2, "minimum": 3}, "more than its count"),
        ({"count": "three"}, "whole number"),
    ],
)
def test_a_stored_rule_that_cannot_be_meant_is_refused_in_words(stored: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableRule, match=said):
        Rule.of(position=4, kind="top", title="", rule=stored)


def test_a_rule_with_everything_still_reads_as_a_sentence() -> None:
    block = rule(
        sections=("Trade",), topics=("ports",), exclude=("Sport",), count=3, minimum=2, most_age_h=24, per_author=1,
        order=Order.POPULAR, fallback=Fallback.EVERGREEN,
    )  # fmt: skip
    assert block.sentence() == (
        "best read 3 in Trade about ports but not Sport, none older than 24 h, max 1 per author; "
        "if fewer than 2, evergreens make up the number"
    )
