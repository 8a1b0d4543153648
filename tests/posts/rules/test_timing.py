"""No instant the planner gives breaks a rule; it says which rule it waited for; clocks may change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kernel.clocks import in_quiet_hours
from pipeline.posts.rules.rules import BREAKING_WITHIN_S, Breaking, Rules
from pipeline.posts.rules.timing import SLOT_OPEN, Pace, Wish, next_time

NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BRUSSELS = "Europe/Brussels"


def pace(taken: tuple[datetime, ...] = (), *, zone: str = "UTC", gap_s: int = 0, fast: tuple[datetime, ...] = (), **rules: Any) -> Pace:  # fmt: skip
    return Pace(rules=Rules(**rules), zone=zone, gap_s=gap_s, taken=taken, breaking=fast)


def test_nothing_in_the_way_is_now() -> None:
    turn = next_time(Wish(), pace=pace(), now=NOW)
    assert (turn.at, turn.code) == (NOW, "")


@pytest.mark.parametrize(
    ("given_pace", "minutes", "code"),
    [
        (pace((NOW,), gap_s=600), 10, "min_gap"),
        (pace((NOW - 5 * MINUTE, NOW + 8 * MINUTE), gap_s=600), 18, "min_gap"),
        (pace(quiet=(time(11), time(13, 30))), 90, "quiet_hours"),
        (pace(tuple(NOW - n * MINUTE for n in (50, 30, 10)), per_hour=3), 10, "per_hour"),
        (pace((NOW - 11 * HOUR, NOW - HOUR), per_day=2), 12 * 60, "per_day"),
        (pace(slots=(time(7, 30), time(12, 15))), 15, "slot"),
        (pace((NOW + 15 * MINUTE,), slots=(time(7, 30), time(12, 15))), 19 * 60 + 30, "slot"),
        (pace(slots=(time(7, 30),), slot_days=frozenset({2})), 67 * 60 + 30, "slot"),  # the 19th is a Sunday
    ],
)
def test_each_rule_moves_it_and_is_named(given_pace: Pace, minutes: int, code: str) -> None:
    turn = next_time(Wish(), pace=given_pace, now=NOW)
    assert (turn.at, turn.code) == (NOW + minutes * MINUTE, code)


def test_an_embargo_is_a_lower_bound() -> None:
    turn = next_time(Wish(not_before=NOW + HOUR), pace=pace(), now=NOW)
    assert (turn.at, turn.code) == (NOW + HOUR, "embargo")
    breaking = Wish(not_before=NOW + HOUR, is_breaking=True, published_at=NOW)
    assert next_time(breaking, pace=pace(), now=NOW).at == NOW + HOUR


def test_what_would_leave_too_late_does_not_leave() -> None:
    turn = next_time(Wish(stale_at=NOW + HOUR), pace=pace(quiet=(time(11), time(14))), now=NOW)
    assert (turn.at, turn.code, turn.params) == (None, "stale", {"why": "quiet_hours"})


def test_a_slot_may_be_used_for_some_minutes() -> None:
    late = NOW + SLOT_OPEN - timedelta(seconds=1)
    assert next_time(Wish(), pace=pace(slots=(time(12),)), now=late).at == late
    assert next_time(Wish(), pace=pace(slots=(time(12),)), now=NOW + SLOT_OPEN).at == NOW + 24 * HOUR


def test_breaking_news_breaks_the_quiet_but_not_its_own_brakes() -> None:
    wish = Wish(is_breaking=True, published_at=NOW)
    quiet = (time(11), time(14))
    assert next_time(wish, pace=pace((NOW,), gap_s=3000, quiet=quiet), now=NOW).at == NOW
    braked = next_time(wish, pace=pace((NOW,), fast=(NOW,), quiet=quiet), now=NOW)
    assert (braked.at, braked.code, braked.is_breaking) == (NOW + 5 * MINUTE, "breaking_gap", True)
    silent = pace(quiet=quiet, breaking=Breaking(in_quiet_hours=False))
    assert next_time(wish, pace=silent, now=NOW).at == NOW + 2 * HOUR


def test_breaking_news_that_its_brakes_would_hold_an_hour_is_a_post_like_any_other() -> None:
    fast = tuple(NOW - n * MINUTE for n in (1, 10, 20))
    turn = next_time(Wish(is_breaking=True, published_at=NOW - 30 * MINUTE), pace=pace(fast, fast=fast), now=NOW)
    assert (turn.at, turn.is_breaking) == (NOW, False), "nothing else is in its way"


# -- nights when clocks change


@pytest.mark.parametrize(
    ("day", "slot", "utc"),
    [
        ((2026, 3, 29), time(2, 30), (1, 0)),  # does not exist: the first minute after the gap
        ((2026, 3, 29), time(7, 30), (5, 30)),
        ((2026, 3, 28), time(7, 30), (6, 30)),
        ((2026, 10, 25), time(2, 30), (0, 30)),  # comes twice: the first
        ((2026, 10, 25), time(7, 30), (6, 30)),
    ],
)
def test_slots_survive_the_change_of_clocks(day: tuple[int, int, int], slot: time, utc: tuple[int, int]) -> None:
    midnight = datetime(*day, tzinfo=ZoneInfo(BRUSSELS)).astimezone(UTC)
    turn = next_time(Wish(), pace=pace(zone=BRUSSELS, slots=(slot,)), now=midnight)
    assert turn.at == datetime(*day, *utc, tzinfo=UTC)


def test_a_slot_that_comes_twice_is_used_once() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    turn = next_time(Wish(), pace=pace((first,), zone=BRUSSELS, slots=(time(2, 30),)), now=first + MINUTE)
    assert turn.at == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("month", "day", "ends"), [(3, 29, 4), (10, 25, 5)])
def test_quiet_hours_end_by_the_wall_clock(month: int, day: int, ends: int) -> None:
    at = datetime(2026, month, day, 0, 10, tzinfo=UTC)
    turn = next_time(Wish(), pace=pace(zone=BRUSSELS, quiet=(time(22), time(6))), now=at)
    assert turn.at == datetime(2026, month, day, ends, 0, tzinfo=UTC)


def test_a_day_of_25_hours_has_one_cap() -> None:
    taken = (datetime(2026, 10, 24, 22, 30, tzinfo=UTC),)  # 00:30 on the 25th
    late = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # 23:30 on the same local day
    turn = next_time(Wish(), pace=pace(taken, zone=BRUSSELS, per_day=1), now=late)
    assert turn.at == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)


# -- any rules, any history


clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
instants = st.integers(-26 * 60, 30 * 60).map(lambda minutes: NOW + minutes * MINUTE)
paces = st.builds(
    Pace,
    rules=st.builds(
        Rules,
        per_hour=st.integers(0, 4),
        per_day=st.sampled_from([0, 0, 3, 8]),
        quiet=st.none() | st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]),
        breaking=st.builds(
            Breaking, gap_s=st.integers(0, 1800), per_hour=st.integers(1, 4), in_quiet_hours=st.booleans()
        ),
    ),
    zone=st.sampled_from(["UTC", BRUSSELS, "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]),
    gap_s=st.sampled_from([0, 60, 600, 5400]),
    taken=st.lists(instants, max_size=20).map(tuple),
)
wishes = st.builds(
    Wish,
    not_before=st.none() | instants,
    stale_at=st.none() | instants,
    published_at=instants,
    is_breaking=st.booleans(),
)
starts = st.sampled_from([NOW, datetime(2026, 3, 28, 23, 50, tzinfo=UTC), datetime(2026, 10, 25, 0, 20, tzinfo=UTC)])


@settings(max_examples=400, deadline=None)
@given(wish=wishes, given_pace=paces, shift=starts)
def test_no_instant_breaks_a_rule(wish: Wish, given_pace: Pace, shift: datetime) -> None:
    by = shift - NOW
    taken = tuple(sorted(at + by for at in given_pace.taken))
    moved = Pace(given_pace.rules, given_pace.zone, given_pace.gap_s, taken, taken[::2])
    aim = Wish(
        not_before=wish.not_before and wish.not_before + by,
        stale_at=wish.stale_at and wish.stale_at + by,
        published_at=wish.published_at and wish.published_at + by,
        is_breaking=wish.is_breaking,
    )
    turn = next_time(aim, pace=moved, now=shift)
    if turn.at is None:
        assert turn.code in {"stale", "no_turn"}
        return
    kept(turn.at, aim, moved, breaking=turn.is_breaking)
    assert turn.at >= shift
    assert (turn.at == shift) == (turn.code == "")


def kept(at: datetime, wish: Wish, given_pace: Pace, *, breaking: bool) -> None:
    """Every rule, written down a second time."""
    rules, taken = given_pace.rules, given_pace.taken
    assert wish.not_before is None or at >= wish.not_before
    assert wish.stale_at is None or at < wish.stale_at
    if breaking:
        assert wish.published_at is not None
        assert at < wish.published_at + timedelta(seconds=BREAKING_WITHIN_S)
    if rules.quiet and not (breaking and rules.breaking.in_quiet_hours):
        assert not in_quiet_hours(at, zone=given_pace.zone, start=rules.quiet[0], end=rules.quiet[1])
    others = given_pace.breaking if breaking else taken
    gap = rules.breaking.gap_s if breaking else given_pace.gap_s
    assert all(abs(other - at) >= timedelta(seconds=gap) for other in others)
    most = rules.breaking.per_hour if breaking else rules.per_hour
    hour_starts = [start for start in (*others, at) if start <= at < start + HOUR]
    assert not most or all(within(others, start) < most for start in hour_starts)
    if rules.per_day:
        zone = ZoneInfo(given_pace.zone)
        today = [other for other in taken if other.astimezone(zone).date() == at.astimezone(zone).date()]
        assert len(today) < rules.per_day


def within(others: tuple[datetime, ...], start: datetime) -> int:
    return sum(start <= other < start + HOUR for other in others)
