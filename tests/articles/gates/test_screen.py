"""The gates: their order, their edges, and the promise that only `eligible` goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.gates.screen import (
    MAX_AGE,
    Decision,
    Facts,
    State,
    burst_limit,
    identity_break,
    screen,
    source_event,
)

NOW = datetime(2026, 4, 23, 12, 0, tzinfo=UTC)
NEWS = Facts(now=NOW, first_seen=NOW, baseline_at=NOW - timedelta(days=30), published=NOW - timedelta(minutes=5))
HOUR = timedelta(hours=1)

CASES: list[tuple[dict[str, Any], State, str]] = [
    ({}, State.ELIGIBLE, "news"),
    ({"same_as": 7}, State.DUPLICATE, "same_story"),
    ({"same_as": 7, "similarity": 0.86}, State.DUPLICATE, "same_story"),
    ({"same_as": 7, "similarity": 0.84}, State.ELIGIBLE, "news"),
    ({"migrating": True, "title_known": True}, State.DUPLICATE, "renamed_by_site"),
    ({"migrating": True}, State.ELIGIBLE, "news"),
    ({"title_known": True}, State.ELIGIBLE, "news"),
    ({"baseline_at": None}, State.BASELINE, "first_look"),
    ({"looks": 1}, State.BASELINE, "first_look"),
    ({"was_there_before": True}, State.BASELINE, "first_look"),
    ({"published": NOW - MAX_AGE}, State.ELIGIBLE, "news"),
    ({"published": NOW - MAX_AGE - HOUR}, State.ARCHIVED, "old"),
    ({"published": NOW - 2 * HOUR, "baseline_at": NOW - HOUR}, State.ARCHIVED, "before_baseline"),
    ({"published": NOW.replace(hour=0), "published_is_day": True, "baseline_at": NOW - HOUR}, State.ELIGIBLE, "news"),
    ({"published": None}, State.ELIGIBLE, "news"),
    ({"published": None, "first_seen": NOW - timedelta(days=3)}, State.ARCHIVED, "old"),
    ({"published": NOW + timedelta(days=400)}, State.ELIGIBLE, "news"),
    ({"published": NOW + 5 * HOUR}, State.ELIGIBLE, "news"),
    ({"dateline_date": date(2026, 4, 20)}, State.ELIGIBLE, "news"),
    ({"dateline_date": date(2026, 4, 19)}, State.ARCHIVED, "republished"),
    ({"embargo": "EMBARGOED UNTIL 0600"}, State.HELD, "embargo"),
    ({"retraction": "RETRACTED"}, State.HELD, "retraction"),
    ({"fresh_in_hour": 5}, State.ELIGIBLE, "news"),
    ({"fresh_in_hour": 6}, State.HELD, "burst"),
    ({"fresh_in_hour": 12, "usual_per_hour": 4.0}, State.ELIGIBLE, "news"),
    ({"fresh_in_hour": 13, "usual_per_hour": 4.0}, State.HELD, "burst"),
    ({"cautious_until": NOW + HOUR}, State.HELD, "source_event"),
    ({"cautious_until": NOW}, State.ELIGIBLE, "news"),
    ({"announced_today": 3, "daily_budget": 3}, State.HELD, "budget"),
    ({"stopped": True}, State.HELD, "stopped"),
    ({"same_as": 7, "baseline_at": None, "embargo": "x"}, State.DUPLICATE, "same_story"),
    ({"embargo": "x", "fresh_in_hour": 99}, State.HELD, "embargo"),
    ({"published": NOW - timedelta(days=9), "fresh_in_hour": 500}, State.ARCHIVED, "old"),
]


@pytest.mark.parametrize(("changes", "state", "code"), CASES)
def test_a_gate_answers_with_its_code(changes: dict[str, Any], state: State, code: str) -> None:
    decision = screen(replace(NEWS, **changes))
    assert (decision.state, decision.code) == (state, code)


def test_a_decision_gives_the_figures_it_weighed() -> None:
    old = screen(replace(NEWS, published=NOW - timedelta(hours=40)))
    assert old == Decision(State.ARCHIVED, "old", {"hours": 40, "published": "2026-04-21T20:00:00Z"})
    assert screen(replace(NEWS, fresh_in_hour=9)).params == {"fresh": 9, "limit": 5}
    assert screen(replace(NEWS, published=None)).params == {"dated": "first_seen"}


@pytest.mark.parametrize(
    ("sightings", "broken"),
    [
        ([(False, True)] * 10, True),
        ([(False, True)] * 9 + [(False, False)], True),
        ([(False, True)] * 2, False),
        ([(False, False)] * 10, False),
        ([(False, True)] * 4 + [(True, True)] * 6, False),
        ([(False, True)] * 5 + [(True, True)] * 5, True),
        ([], False),
    ],
)
def test_a_site_that_renames_its_stories_is_noticed(sightings: list[tuple[bool, bool]], broken: bool) -> None:
    assert identity_break(sightings) is broken


def test_a_quiet_source_is_believed_five_times_an_hour() -> None:
    assert burst_limit(0) == 5
    assert burst_limit(10) == 30


@pytest.mark.parametrize(
    ("event", "because"),
    [
        ({}, None),
        ({"generator_changed": True}, "generator changed"),
        ({"address_changed": True}, "address changed"),
        ({"silent_for": timedelta(hours=25)}, "first answer after an outage"),
        ({"silent_for": timedelta(hours=23)}, None),
        ({"total_jump": 500, "listed": 0}, "more posts than the site lists"),
        ({"total_jump": 15, "listed": 10}, None),
        ({"revised_share": 0.31}, "many known articles changed at once"),
    ],
)
def test_an_event_at_the_source_calls_for_caution(event: dict[str, Any], because: str | None) -> None:
    assert source_event(**event) == because


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "same_as": st.none() | st.integers(), "similarity": st.floats(0, 1), "title_known": st.booleans(), "migrating": st.booleans(),
            "baseline_at": st.none() | st.datetimes(timezones=st.just(UTC)), "published": st.none() | st.datetimes(timezones=st.just(UTC)),
            "dateline_date": st.none() | st.dates(), "fresh_in_hour": st.integers(0, 1000), "usual_per_hour": st.floats(0, 100),
            "embargo": st.none() | st.text(min_size=1), "looks": st.integers(0, 3), "stopped": st.booleans(),
        },
    )
)  # fmt: skip
def test_nothing_is_announced_past_a_closed_gate(changes: dict[str, Any]) -> None:
    facts = replace(NEWS, **changes)
    decision = screen(facts)
    if decision.state is State.ELIGIBLE:
        assert facts.baseline_at is not None
        assert facts.looks >= 2
        assert not facts.embargo
        assert not facts.stopped
        assert facts.same_as is None or facts.similarity < 0.85
        assert facts.fresh_in_hour <= burst_limit(facts.usual_per_hour)
        assert facts.published is None or facts.published >= NOW - MAX_AGE
