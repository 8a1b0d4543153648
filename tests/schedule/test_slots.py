"""Departures, checked against a clock that is read every minute of five years."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.schedule.slots import LIMIT, Cadence, CadenceError, Slot, skips, slots

ZONES = [
    *("Europe/Brussels", "America/New_York", "Africa/Addis_Ababa", "Asia/Karachi", "Australia/Lord_Howe"),
    *("Africa/Cairo", "America/Santiago", "Asia/Kathmandu", "Pacific/Auckland", "Africa/Casablanca"),
]
NIGHT = [
    time(0, 0),
    time(0, 30),
    time(1, 30),
    time(1, 45),
    time(2, 0),
    time(2, 30),
    time(3, 0),
    time(6, 30),
    time(23, 30),
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def daily(zone: str, *at: str, **more: Any) -> Cadence:
    return Cadence.from_json({"kind": "daily", "zone": zone, "at": list(at)} | more)


def every_slot(cadence: Cadence, after: datetime, until: datetime) -> list[Slot]:
    """Ask in pieces, as the planner does; the pieces must join without a gap or an overlap."""
    found: list[Slot] = []
    while after < until:
        piece = min(after + timedelta(days=61, hours=7), until)
        found += slots(cadence, after=after, until=piece)
        after = piece
    return found


@cache
def first_seen(zone_name: str) -> dict[date, dict[time, datetime]]:
    """Walk 2026 to 2030 minute by minute around every change of offset: when does each wall time first show?"""
    zone, minute = ZoneInfo(zone_name), timedelta(minutes=1)
    seen: defaultdict[date, dict[time, datetime]] = defaultdict(dict)
    hour, end = utc(2026, 1, 1), utc(2031, 1, 1)
    while hour < end:
        quiet = (hour - timedelta(days=2)).astimezone(zone).utcoffset() == (hour + timedelta(days=2)).astimezone(
            zone
        ).utcoffset()
        for step in range(0, 60, 15 if quiet else 1):
            at = hour + step * minute
            wall = at.astimezone(zone)
            seen[wall.date()].setdefault(wall.time().replace(tzinfo=None), at)
        hour += timedelta(hours=1)
    return dict(seen)


def walked(seen: dict[date, dict[time, datetime]], day: date, clock: time) -> datetime:
    """The first minute of that day at which the wall shows this time or, failing that, a later one."""
    later = [shown for shown in seen[day] if shown >= clock]
    return seen[day][min(later)] if later else min(seen[day + timedelta(days=1)].values())


@pytest.mark.parametrize("zone", ZONES)
def test_five_years_of_departures_equal_a_walk_along_the_clock(zone: str) -> None:
    seen = first_seen(zone)
    days = [date(2026, 1, 2) + timedelta(days=n) for n in range(5 * 365 - 3)]
    for clock in NIGHT:
        cadence = daily(zone, f"{clock:%H:%M}")
        expected = [(walked(seen, day, clock), day) for day in days]
        found = every_slot(cadence, utc(2025, 12, 30), utc(2031, 1, 3))
        assert [(one.at, one.local_date) for one in found if days[0] <= one.local_date <= days[-1]] == expected


@pytest.mark.parametrize(
    ("zone", "clock", "day", "at", "note"),
    [
        ("Europe/Brussels", "06:30", date(2026, 3, 28), utc(2026, 3, 28, 5, 30), ""),
        ("Europe/Brussels", "06:30", date(2026, 3, 29), utc(2026, 3, 29, 4, 30), ""),
        (
            "Europe/Brussels",
            "02:30",
            date(2026, 3, 29),
            utc(2026, 3, 29, 1, 0),
            "02:30 does not exist on this day, moved to 03:00",
        ),
        (
            "Europe/Brussels",
            "02:30",
            date(2026, 10, 25),
            utc(2026, 10, 25, 0, 30),
            "02:30 comes twice on this day, the first",
        ),
        (
            "America/New_York",
            "02:30",
            date(2027, 3, 14),
            utc(2027, 3, 14, 7, 0),
            "02:30 does not exist on this day, moved to 03:00",
        ),
        (
            "America/New_York",
            "01:30",
            date(2027, 11, 7),
            utc(2027, 11, 7, 5, 30),
            "01:30 comes twice on this day, the first",
        ),
        (
            "Australia/Lord_Howe",
            "02:15",
            date(2026, 10, 4),
            utc(2026, 10, 3, 15, 30),
            "02:15 does not exist on this day, moved to 02:30",
        ),
        ("Africa/Addis_Ababa", "06:30", date(2026, 3, 29), utc(2026, 3, 29, 3, 30), ""),
        (
            "America/Santiago",
            "00:00",
            date(2026, 9, 6),
            utc(2026, 9, 6, 4, 0),
            "00:00 does not exist on this day, moved to 01:00",
        ),
    ],
)
def test_a_night_with_a_change_is_told(zone: str, clock: str, day: date, at: datetime, note: str) -> None:
    found = slots(daily(zone, clock), after=at - timedelta(hours=12), until=at + timedelta(hours=11))
    assert Slot(at, day, note) in found


def test_two_times_inside_one_gap_are_one_departure() -> None:
    cadence = daily("Europe/Brussels", "02:15", "02:45", "03:00")
    found = slots(cadence, after=utc(2026, 3, 28, 12), until=utc(2026, 3, 29, 12))
    assert [one.at for one in found] == [utc(2026, 3, 29, 1, 0)]


def test_the_stretch_is_open_at_its_start_and_closed_at_its_end() -> None:
    cadence = daily("UTC", "06:30")
    assert slots(cadence, after=utc(2026, 1, 1, 6, 30), until=utc(2026, 1, 2, 6, 29)) == []
    assert [one.at for one in slots(cadence, after=utc(2026, 1, 1, 6, 29), until=utc(2026, 1, 1, 6, 30))] == [
        utc(2026, 1, 1, 6, 30)
    ]
    assert slots(cadence, after=utc(2026, 1, 2), until=utc(2026, 1, 1)) == []


def local_days(record: dict[str, Any], after: datetime, until: datetime) -> list[str]:
    return [one.local_date.isoformat() for one in slots(Cadence.from_json(record), after=after, until=until)]


def test_weekdays_are_those_of_the_zone() -> None:
    record = {"kind": "weekly", "zone": "Pacific/Auckland", "at": ["07:00"], "weekdays": ["mon", "fri"]}
    assert local_days(record, utc(2026, 11, 15), utc(2026, 11, 29)) == [
        "2026-11-16",
        "2026-11-20",
        "2026-11-23",
        "2026-11-27",
    ]
    assert slots(Cadence.from_json(record), after=utc(2026, 11, 15), until=utc(2026, 11, 16))[0].at == utc(
        2026, 11, 15, 18
    )


def test_a_day_past_the_end_of_a_month_means_its_last() -> None:
    record = {"kind": "monthly", "zone": "UTC", "at": ["07:00"], "days": [31, 15]}
    assert local_days(record, utc(2028, 2, 1), utc(2028, 4, 1)) == [
        "2028-02-15",
        "2028-02-29",
        "2028-03-15",
        "2028-03-31",
    ]
    assert local_days(record | {"days": [-1, 28]}, utc(2027, 2, 1), utc(2027, 3, 1)) == ["2027-02-28"]


def test_days_to_skip_leave_a_reason_and_collecting_goes_on() -> None:
    cadence = daily("Africa/Addis_Ababa", "06:30", skip={"2026-01-19": "Timkat"})
    stretch = {"after": utc(2026, 1, 18), "until": utc(2026, 1, 20, 12)}
    assert [one.local_date.day for one in slots(cadence, **stretch)] == [18, 20]
    assert skips(cadence, **stretch) == [Slot(utc(2026, 1, 19, 3, 30), date(2026, 1, 19), "Timkat")]
    assert skips(daily("UTC", "06:30"), **stretch) == []


def test_start_and_end_are_days_of_the_zone_and_inclusive() -> None:
    record = {
        "kind": "daily",
        "zone": "Pacific/Auckland",
        "at": ["00:30"],
        "start": "2026-01-10",
        "end": "2026-01-11",
    }
    assert local_days(record, utc(2025, 1, 1), utc(2027, 1, 1)) == ["2026-01-10", "2026-01-11"]


def test_an_interval_keeps_its_grid_through_a_change_of_clocks() -> None:
    cadence = Cadence.from_json({"kind": "interval", "zone": "Europe/Brussels", "every_s": 1200})
    found = slots(cadence, after=utc(2026, 3, 29, 0, 10), until=utc(2026, 3, 29, 2))
    assert [one.at for one in found] == [utc(2026, 3, 29) + timedelta(minutes=20 * n) for n in range(1, 7)]


def test_an_interval_rests_on_other_weekdays_and_days_to_skip() -> None:
    record = {
        "kind": "interval",
        "zone": "UTC",
        "every_s": 43200,
        "weekdays": ["mon"],
        "skip": ["2026-11-23"],
    }
    assert local_days(record, utc(2026, 11, 15, 12), utc(2026, 12, 1)) == [
        "2026-11-16",
        "2026-11-16",
        "2026-11-30",
        "2026-11-30",
    ]
    left_out = skips(Cadence.from_json(record), after=utc(2026, 11, 15, 12), until=utc(2026, 12, 1))
    assert [one.at.hour for one in left_out] == [0, 12]


def test_an_answer_is_never_endless() -> None:
    cadence = Cadence.from_json({"kind": "interval", "every_s": 1})
    found = slots(cadence, after=utc(2026, 1, 1), until=utc(2030, 1, 1))
    assert len(found) == LIMIT
    assert found[-1].at == utc(2026, 1, 1) + timedelta(seconds=LIMIT)


@pytest.mark.parametrize("record", [{}, {"kind": "manual"}])
def test_a_manual_cadence_never_leaves_by_itself(record: dict[str, Any]) -> None:
    assert slots(Cadence.from_json(record), after=utc(2026, 1, 1), until=utc(2027, 1, 1)) == []


WHOLE = {"kind": "daily", "zone": "UTC", "at": ["06:30"]}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"kind": "hourly"}, "kind: expected one of daily, weekly, monthly, interval, manual"),
        ({"zone": "GMT+2"}, "zone: 'GMT+2' is not a time zone such as Europe/Brussels"),
        ({"zone": "../../etc/passwd"}, "zone: '../../etc/passwd' is not a time zone such as Europe/Brussels"),
        ({"zone": None}, "zone: None is not a time zone such as Europe/Brussels"),
        ({"at": ["6:30"]}, "at: '6:30' is not a time such as 06:30"),
        ({"at": ["24:00"]}, "at: '24:00' is not a time such as 06:30"),
        ({"at": "06:30"}, "at: expected a list"),
        ({"at": []}, "at: needed when kind is daily"),
        ({"kind": "weekly"}, "weekdays: needed when kind is weekly"),
        ({"kind": "monthly"}, "days: needed when kind is monthly"),
        ({"kind": "interval"}, "every_s: needed when kind is interval"),
        ({"weekdays": ["Monday"]}, "weekdays: 'Monday' is not one of mon, tue, wed, thu, fri, sat, sun"),
        ({"days": [0]}, "days: 0 is not a day of the month (1 to 31, or -1 for the last)"),
        ({"every_s": -1}, "every_s: -1 is not a number of seconds up to a year"),
        ({"every_s": True}, "every_s: True is not a number of seconds up to a year"),
        ({"skip": ["25 December"]}, "skip: '25 December' is not a day such as 2026-12-25"),
        ({"skip": "2026-12-25"}, "skip: expected days with reasons, or a list of days"),
        ({"start": 5}, "start: 5 is not a day such as 2026-12-25"),
        ({"start": "2026-02-01", "end": "2026-01-01"}, "end: comes before start"),
        ({"cron": "* * * * *"}, "cron: not a part of a cadence"),
    ],
)
def test_what_is_no_cadence_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(CadenceError) as raised:
        Cadence.from_json(WHOLE | changes)
    assert str(raised.value) == problem


dates = st.dates(date(2026, 1, 1), date(2030, 12, 31))
clocks = st.times().map(lambda clock: f"{clock:%H:%M}")
cadences = st.builds(
    lambda **parts: {key: value for key, value in parts.items() if value},
    kind=st.sampled_from(["daily", "weekly", "monthly", "interval"]),
    zone=st.sampled_from(ZONES),
    at=st.lists(clocks, min_size=1, max_size=3),
    weekdays=st.lists(st.sampled_from(["mon", "wed", "sun"]), min_size=1),
    days=st.lists(st.sampled_from([1, 15, 31, -1]), min_size=1),
    every_s=st.integers(600, 90_000),
    skip=st.dictionaries(dates.map(str), st.text(min_size=1, max_size=5), max_size=3),
    start=st.none() | dates.map(str),
)


@given(cadences)
def test_a_cadence_survives_being_written_down(record: dict[str, Any]) -> None:
    cadence = Cadence.from_json(record)
    assert Cadence.from_json(cadence.to_json()) == cadence


@settings(max_examples=60, deadline=None)
@given(cadences, dates, st.integers(1, 6 * 86400), st.integers(0, 20 * 86400))
def test_asking_in_pieces_finds_each_departure_once(
    record: dict[str, Any], day: date, first_s: int, second_s: int
) -> None:
    cadence = Cadence.from_json(record)
    start = datetime.combine(day, time(), UTC)
    middle = start + timedelta(seconds=min(first_s, 6 * 86400))
    end = middle + timedelta(seconds=second_s)
    pieces = slots(cadence, after=start, until=middle) + slots(cadence, after=middle, until=end)
    whole = slots(cadence, after=start, until=end)
    if len(whole) < LIMIT:
        assert sorted(pieces, key=lambda one: one.at) == whole
    assert len({one.at for one in whole}) == len(whole)
