"""Quiet hours on the wall clock, checked against a walk along it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kernel.clocks import change, in_quiet_hours, next_allowed, zone_named

#: a zone and an instant shortly before its clocks change
CHANGES = [
    ("Europe/Brussels", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("Europe/Brussels", datetime(2026, 10, 24, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 3, 13, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 11, 6, 20, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2028, 4, 1, 4, tzinfo=UTC)),
    ("America/Santiago", datetime(2029, 9, 1, 20, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 6, 1, tzinfo=UTC)),
]


def quiet_on_the_wall(at: datetime, zone: str, start: time, end: time) -> bool:
    minute, first, last = (
        clock.hour * 60 + clock.minute for clock in (at.astimezone(ZoneInfo(zone)).time(), start, end)
    )
    length = (last - first) % 1440
    return (minute - first) % 1440 < length


@settings(max_examples=150, deadline=None)
@given(
    place=st.sampled_from(CHANGES),
    minutes=st.integers(0, 36 * 60),
    start=st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    length=st.integers(0, 1439),
)
def test_the_next_allowed_minute_is_the_first_that_is_not_quiet(
    *, place: tuple[str, datetime], minutes: int, start: time, length: int
) -> None:
    zone, before = place
    at = before + timedelta(minutes=minutes)
    end = (datetime.combine(before.date(), start) + timedelta(minutes=length)).time()
    walk = (at + timedelta(minutes=step) for step in range(3 * 1440))
    expected = next(one for one in walk if not quiet_on_the_wall(one, zone, start, end))
    assert next_allowed(at, zone=zone, start=start, end=end) == expected
    assert in_quiet_hours(at, zone=zone, start=start, end=end) is quiet_on_the_wall(at, zone, start, end)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_run_over_midnight_and_end_before_their_end(clock: str, quiet: bool) -> None:
    at = datetime.fromisoformat(f"2026-11-23T{clock}:00+01:00")
    assert in_quiet_hours(at, zone="Europe/Brussels", start=time(22), end=time(7)) is quiet


def test_equal_times_are_never_quiet() -> None:
    at = datetime(2026, 11, 23, 22, tzinfo=UTC)
    assert not in_quiet_hours(at, zone="UTC", start=time(22), end=time(22))


def test_seconds_are_kept_where_nothing_is_moved() -> None:
    at = datetime(2026, 11, 23, 12, 0, 7, 5, tzinfo=UTC)
    assert next_allowed(at, zone="UTC", start=time(22), end=time(7)) == at
    assert next_allowed(at.replace(hour=23), zone="UTC", start=time(22), end=time(7)) == datetime(
        2026, 11, 24, 7, tzinfo=UTC
    )


def test_a_change_of_offset_is_found_to_the_second() -> None:
    zone = zone_named("Europe/Brussels")
    low, high = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    assert change(low, high, zone) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert change(low, datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), zone) is None


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Base", "/etc/localtime", "a\0b", 7])
def test_what_is_no_zone_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        zone_named(name)
