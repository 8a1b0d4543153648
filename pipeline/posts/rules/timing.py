"""When a post may leave, and why not sooner. Pure: the same question gives the same answer.

The planner asks it for a date; the claim asks it again with what has really left, at the instant it would leave.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.kernel.clocks import in_quiet_hours, next_allowed, resolved, zone_named
from pipeline.posts.rules.rules import BREAKING_WITHIN_S, Rules

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_FARTHEST = timedelta(days=40)
_MOST_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Pace:
    """An account's clockwork: its rules, its zone, its gap, and when its other posts left or are to leave.

    `breaking` are those of `taken` that took the fast lane.
    """

    rules: Rules
    zone: str
    gap_s: int = 0
    taken: tuple[datetime, ...] = ()
    breaking: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """A post that wants to leave: not before `not_before` (`why`: its embargo), of no use from `stale_at` on."""

    not_before: datetime | None = None
    why: str = "embargo"
    stale_at: datetime | None = None
    published_at: datetime | None = None
    is_breaking: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """The instant, and why it is not now: "" where it is. `at` None: it cannot leave while it is news."""

    at: datetime | None
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    is_breaking: bool = False


def next_time(wish: Wish, *, pace: Pace, now: datetime) -> Turn:
    """The first instant from `now` on that breaks no rule, with the last rule that moved it.

    A breaking post that its brakes would hold longer than an hour after publication is one like any other.
    """
    if wish.is_breaking and wish.published_at is not None:
        turn = _search(wish, pace=pace, now=now, breaking=True)
        if turn.at is not None and turn.at < wish.published_at + timedelta(seconds=BREAKING_WITHIN_S):
            return turn
    return _search(wish, pace=pace, now=now, breaking=False)


def _search(wish: Wish, *, pace: Pace, now: datetime, breaking: bool) -> Turn:
    at, code = now, ""
    params: dict[str, Any] = {}
    taken, fast = tuple(sorted(pace.taken)), tuple(sorted(pace.breaking))
    for _ in range(_MOST_STEPS):
        if wish.stale_at is not None and at >= wish.stale_at:
            return Turn(None, "stale", {"why": code} if code else {})
        moved = _moved(at, wish, pace, taken, fast, breaking=breaking)
        if moved is None:
            return Turn(at, code, params, is_breaking=breaking)
        at, code, params = moved
        if at > now + _FARTHEST:
            break
    return Turn(None, "no_turn", {"why": code})


_Move = tuple[datetime, str, dict[str, Any]]


def _moved(
    at: datetime, wish: Wish, pace: Pace, taken: tuple[datetime, ...], fast: tuple[datetime, ...], *, breaking: bool
) -> _Move | None:
    """A later instant and the rule that asks for it; None where `at` breaks none."""
    if wish.not_before is not None and at < wish.not_before:
        return wish.not_before, wish.why, {"until": wish.not_before.isoformat()}
    rules = pace.rules
    if breaking:
        return (
            (None if rules.breaking.in_quiet_hours else _quiet(at, pace))
            or _gap(at, fast, timedelta(seconds=rules.breaking.gap_s), code="breaking_gap")
            or _full(at, fast, rules.breaking.per_hour, code="breaking_hour")
            or (_full_day(at, taken, pace) if rules.per_day else None)
        )
    return (
        _quiet(at, pace)
        or (_slot(at, taken, pace) if rules.slots else None)
        or _gap(at, taken, timedelta(seconds=pace.gap_s), code="min_gap")
        or (_full(at, taken, rules.per_hour, code="per_hour") if rules.per_hour else None)
        or (_full_day(at, taken, pace) if rules.per_day else None)
    )


def _quiet(at: datetime, pace: Pace) -> _Move | None:
    if pace.rules.quiet is None:
        return None
    start, end = pace.rules.quiet
    if not in_quiet_hours(at, zone=pace.zone, start=start, end=end):
        return None
    until = next_allowed(at, zone=pace.zone, start=start, end=end)
    return until, "quiet_hours", {"until": until.isoformat()}


def _gap(at: datetime, taken: tuple[datetime, ...], gap: timedelta, *, code: str) -> _Move | None:
    """Not within `gap` of another, before or after."""
    place = bisect_left(taken, at)
    near = [other for other in taken[max(0, place - 1) : place + 1] if abs(other - at) < gap]
    return (max(near) + gap, code, {"gap_s": int(gap.total_seconds())}) if near else None


def _full(at: datetime, taken: tuple[datetime, ...], most: int, *, code: str) -> _Move | None:
    """Not where any hour around it would hold more than `most`."""
    near = sorted([other for other in taken if abs(other - at) < HOUR] + [at])
    for first, last in zip(near, near[most:], strict=False):
        if last - first < HOUR and first <= at <= last:
            # the hour that is too full opens when its first has passed out of it, or after the next one behind us
            after = first + HOUR if first < at else near[near.index(at) + 1] + timedelta(seconds=1)
            return max(after, at + timedelta(seconds=1)), code, {"most": most}
    return None


def _full_day(at: datetime, taken: tuple[datetime, ...], pace: Pace) -> _Move | None:
    """Not on a local day that has its number."""
    zone = zone_named(pace.zone)
    today = at.astimezone(zone).date()
    if sum(other.astimezone(zone).date() == today for other in taken) < pace.rules.per_day:
        return None
    tomorrow, _ = resolved(datetime.combine(today + timedelta(days=1), time()), zone)
    return max(tomorrow, at + timedelta(seconds=1)), "per_day", {"most": pace.rules.per_day}


def _slot(at: datetime, taken: tuple[datetime, ...], pace: Pace) -> _Move | None:
    """Not outside a slot's minute, and one post a slot; the next free slot otherwise."""
    zone = zone_named(pace.zone)
    today = at.astimezone(zone).date()
    for ahead in range(-1, 15):
        for slot in _slots_of(today + timedelta(days=ahead), pace.rules, zone):
            if at >= slot + SLOT_OPEN or any(slot <= other < slot + SLOT_OPEN for other in taken):
                continue
            return None if slot <= at else (slot, "slot", {"at": slot.isoformat()})
    return at + DAY, "slot", {}


#: How long after its time a slot may still be used by who comes late (a worker was busy, a network asked to wait).
SLOT_OPEN = timedelta(minutes=10)


def _slots_of(day: date, rules: Rules, zone: ZoneInfo) -> Iterable[datetime]:
    """The slots of a local day, earliest first. One in the gap of a night in spring is moved to the minute after it."""
    if rules.slot_days and day.weekday() not in rules.slot_days:
        return ()
    return sorted({resolved(datetime.combine(day, clock), zone)[0] for clock in rules.slots})
