"""When to look again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.pace import DAY_S, LONGEST_S, SHORTEST_S, Facts, Task, next_look_s

NOON, NIGHT = 12, 3
OURS = Facts(poll_s=90, is_ours=True, hour=NOON)
STRANGER = Facts(poll_s=90, is_ours=False, hour=NOON)


@pytest.mark.parametrize(
    ("facts", "seconds"),
    [
        (OURS, 90),
        (replace(OURS, hour=NIGHT), 300),
        (replace(OURS, hour=NIGHT, found_s=600), 90),  # somebody is at work
        (replace(OURS, poll_s=600, hour=NIGHT), 600),
        (replace(OURS, poll_s=1, hour=NIGHT, push_works=True), 1),  # less than a minute is meant
        (replace(OURS, push_works=True), 300),
        (replace(OURS, push_broken=True, hour=NIGHT), 60),
        (replace(OURS, found_s=8 * DAY_S), 300),
        (replace(OURS, errors=1), 180),
        (replace(OURS, errors=2), 360),
        (replace(OURS, errors=40), 3600),
        (replace(OURS, poll_s=1, errors=3), 8),
        (replace(OURS, errors=1, retry_after_s=900), 900),
        (replace(OURS, retry_after_s=30), 90),  # never sooner than without it
        (replace(OURS, errors=1, retry_after_s=10 * DAY_S), DAY_S),
        (replace(OURS, errors=3, refused=True), DAY_S),
        (replace(OURS, task=Task.RECONCILE), 300),
        (replace(OURS, task=Task.RECONCILE, poll_s=1), 1),
        (replace(OURS, task=Task.ARCHIVE), DAY_S),
        (replace(OURS, task=Task.ARCHIVE, errors=1), 600),
        (STRANGER, 1800),
        (replace(STRANGER, poll_s=1), 1800),  # nobody agreed to that
        (replace(STRANGER, usual_gap_s=60), 900),
        (replace(STRANGER, usual_gap_s=2 * 3600), 1800),
        (replace(STRANGER, usual_gap_s=DAY_S), 3600),
        (replace(STRANGER, errors=1), 3600),
    ],
)
def test_the_wait_follows_from_the_facts(facts: Facts, seconds: float) -> None:
    assert next_look_s(facts, jitter=0.0) == seconds


@pytest.mark.parametrize(("jitter", "seconds"), [(-1.0, 81), (1.0, 99), (5.0, 99), (-5.0, 81)])
def test_jitter_moves_it_by_a_tenth_at_most(jitter: float, seconds: float) -> None:
    assert next_look_s(OURS, jitter=jitter) == pytest.approx(seconds)


def test_a_pace_below_a_minute_is_kept_to_the_second() -> None:
    assert next_look_s(replace(OURS, poll_s=5), jitter=1.0) == 5


FACTS = st.builds(
    Facts,
    poll_s=st.integers(0, 10**7),
    is_ours=st.booleans(),
    hour=st.integers(0, 23),
    task=st.sampled_from(Task),
    errors=st.integers(0, 10**6),
    retry_after_s=st.none() | st.floats(0, 1e12),
    refused=st.booleans(),
    push_works=st.booleans(),
    push_broken=st.booleans(),
    found_s=st.none() | st.floats(0, 1e10),
    usual_gap_s=st.none() | st.floats(0, 1e10),
)


@given(FACTS, st.floats(-1, 1))
def test_it_is_never_below_a_second_nor_above_its_cap(facts: Facts, jitter: float) -> None:
    wait = next_look_s(facts, jitter=jitter)
    assert wait >= SHORTEST_S
    day = facts.refused or facts.task is Task.ARCHIVE or facts.retry_after_s or facts.poll_s > LONGEST_S
    assert wait <= (DAY_S if day else LONGEST_S)
    assert wait >= min(facts.retry_after_s or 0, DAY_S)


@given(FACTS, st.integers(0, 100))
def test_more_errors_never_shorten_the_wait(facts: Facts, errors: int) -> None:
    fewer, more = (replace(facts, errors=errors + n, task=Task.LEAD) for n in (0, 1))
    if errors:
        assert next_look_s(more, jitter=0) >= next_look_s(fewer, jitter=0)


@given(FACTS)
def test_a_stranger_is_never_asked_more_often_than_every_quarter_of_an_hour(facts: Facts) -> None:
    assert next_look_s(replace(facts, is_ours=False, task=Task.LEAD), jitter=-1.0) >= 900 * 0.9
