"""Days that come back: named, counted from Easter, or the first Monday of a month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.schedule.holidays import Holiday, easter, orthodox_easter
from pipeline.schedule.slots import Cadence, CadenceError, skips, slots

#: Published dates of Easter, Western and Orthodox.
EASTERS = {
    2024: ((3, 31), (5, 5)), 2025: ((4, 20), (4, 20)), 2026: ((4, 5), (4, 12)), 2027: ((3, 28), (5, 2)),
    2028: ((4, 16), (4, 16)), 2029: ((4, 1), (4, 8)), 2030: ((4, 21), (4, 28)),
}  # fmt: skip


@pytest.mark.parametrize("year", EASTERS)
def test_easter_falls_where_the_churches_keep_it(year: int) -> None:
    western, eastern = EASTERS[year]
    assert (easter(year), orthodox_easter(year)) == (date(year, *western), date(year, *eastern))


@pytest.mark.parametrize(
    ("on", "days"),
    [
        ("12-25", ["2026-12-25", "2027-12-25", "2028-12-25"]),
        ("02-29", ["2028-02-29"]),
        ("2027-05-06", ["2027-05-06"]),
        ("easter", ["2026-04-05", "2027-03-28", "2028-04-16"]),
        ("easter+1", ["2026-04-06", "2027-03-29", "2028-04-17"]),
        ("easter-2", ["2026-04-03", "2027-03-26", "2028-04-14"]),
        ("orthodox+1", ["2026-04-13", "2027-05-03", "2028-04-17"]),
        ("1 mon 09", ["2026-09-07", "2027-09-06", "2028-09-04"]),
        ("4 thu 11", ["2026-11-26", "2027-11-25", "2028-11-23"]),
        ("-1 mon 05", ["2026-05-25", "2027-05-31", "2028-05-29"]),
        ("5 fri 01", ["2026-01-30", "2027-01-29"]),
    ],
)
def test_a_holiday_falls_on_its_days_and_no_other(on: str, days: list[str]) -> None:
    every = [date(2026, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]
    assert [day.isoformat() for day in every if Holiday(on, "x").falls_on(day)] == days


@pytest.mark.parametrize(
    "record",
    [{"on": "13-01", "name": "x"}, {"on": "02-30", "name": "x"}, {"on": "Christmas", "name": "x"}, {"on": "12-25"},
     {"on": "12-25", "name": " "}, {"on": "6 mon 09", "name": "x"}, {"on": "easter+1000", "name": "x"}, "12-25",
     {"on": 1225, "name": "x"}, {"on": "2026-02-29", "name": "x"}, {"on": "12-25", "name": "x" * 81}],
)  # fmt: skip
def test_what_is_no_day_is_refused(record: Any) -> None:
    with pytest.raises(ValueError, match=r"day|expected|texts|name"):
        Holiday.from_json(record)
    with pytest.raises(CadenceError, match=r"^holidays: "):
        Cadence.from_json({"kind": "daily", "zone": "UTC", "at": ["06:30"], "holidays": [record]})


CALENDAR = {
    "kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"],
    "holidays": [{"on": "12-25", "name": "Christmas"}, {"on": "easter+1", "name": "Easter Monday"}],
    "except": ["2027-12-25", "2026-12-26"], "skip": {"2026-12-26": "a strike"},
}  # fmt: skip


def test_a_named_calendar_is_kept_as_data_and_gives_reasons() -> None:
    cadence = Cadence.from_json(CALENDAR)
    assert Cadence.from_json(cadence.to_json()) == cadence
    stretch = {"after": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2028, 6, 1, tzinfo=UTC)}
    assert [(one.local_date.isoformat(), one.note) for one in skips(cadence, **stretch)] == [
        ("2026-04-06", "Easter Monday"),
        ("2026-12-25", "Christmas"),
        ("2026-12-26", "a strike"),  # a day that was skipped outweighs an exception
        ("2027-03-29", "Easter Monday"),
        ("2028-04-17", "Easter Monday"),
    ]
    left = {one.local_date for one in slots(cadence, **stretch)}
    assert date(2027, 12, 25) in left
    assert date(2026, 12, 25) not in left


@pytest.mark.parametrize("instant", ["soon", "2026-04-19T06:30:00", 5])
def test_where_collecting_begins_is_an_instant(instant: Any) -> None:
    with pytest.raises(CadenceError, match=r"^collects_from: "):
        Cadence.from_json({"kind": "manual", "collects_from": instant})
