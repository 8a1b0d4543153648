"""When a newsletter leaves: a cadence in a newsroom's own zone, and the slots it makes.

A cadence is kept as JSON, every key optional but `kind` and `zone`:

    {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"], "weekdays": ["mon", "tue"],
     "skip": {"2026-05-02": "a strike"}, "start": "2026-01-01", "end": "2026-12-31",
     "holidays": [{"on": "12-25", "name": "Christmas"}], "except": ["2027-12-25"]}   as `schedule.holidays` reads them
    {"kind": "weekly", "zone": ..., "at": ["07:00"], "weekdays": ["sun"]}
    {"kind": "monthly", "zone": ..., "at": ["07:00"], "days": [1, -1]}     -1 is the last; 31 means it where months are short
    {"kind": "interval", "zone": ..., "every_s": 60}                       whole multiples since 1970, whatever the zone
    {"kind": "manual"} or {}                                               no slots
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from pipeline.kernel.clocks import in_quiet_hours, next_allowed, resolved, zone_named
from pipeline.schedule.holidays import Holiday

__all__ = ["Cadence", "CadenceError", "Slot", "in_quiet_hours", "next_allowed", "skips", "slots"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = ("daily", "weekly", "monthly", "interval", "manual")
LIMIT = 1000  #: slots in one answer; whoever needs more asks again from the last
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = frozenset(
    {"kind", "zone", "at", "weekdays", "days", "every_s", "skip", "start", "end", "holidays", "except", "collects_from"}
)


class CadenceError(ValueError):
    """The JSON is not a cadence; the message names the key and what was expected."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One departure. `at` is UTC; `local_date` is the day it belongs to in the cadence's zone; `note` explains."""

    at: datetime
    local_date: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cadence:
    """When to leave. `weekdays` count from Monday = 0 and are empty for every day; `start` and `end` are inclusive."""

    kind: str
    zone: str = "UTC"
    at: tuple[time, ...] = ()
    weekdays: frozenset[int] = frozenset()
    days: tuple[int, ...] = ()
    every_s: int = 0
    skip: Mapping[date, str] = field(default_factory=dict)
    start: date | None = None
    end: date | None = None
    holidays: tuple[Holiday, ...] = ()
    works_on: frozenset[date] = frozenset()  #: "except": days on which it leaves although they are holidays
    collects_from: datetime | None = None  #: stories known before it belong to a pause and are left where they are

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Cadence:
        """Read what `to_json` wrote, or what a form sent. Raises CadenceError."""
        kind = record.get("kind", "manual")
        if kind not in KINDS:
            raise CadenceError(f"kind: expected one of {', '.join(KINDS)}")
        if unknown := set(record) - _PARTS:
            raise CadenceError(f"{min(unknown)}: not a part of a cadence")
        cadence = cls(
            kind=kind,
            zone=_zone(record.get("zone", "UTC")),
            at=tuple(sorted({_clock(text) for text in _items(record, "at")})),
            weekdays=frozenset(_weekday(name) for name in _items(record, "weekdays")),
            days=tuple(sorted({_day_number(number) for number in _items(record, "days")})),
            every_s=_seconds(record.get("every_s", 0)),
            skip=_skipped(record.get("skip") or {}),
            start=_day_or_none(record, "start"),
            end=_day_or_none(record, "end"),
            holidays=_holidays(record),
            works_on=frozenset(_day(day, "except") for day in _items(record, "except")),
            collects_from=_instant_or_none(record, "collects_from"),
        )
        cadence._check()
        return cadence

    def to_json(self) -> dict[str, Any]:
        """The smallest record that `from_json` reads back to an equal cadence."""
        record = {
            "kind": self.kind,
            "zone": self.zone,
            "at": [f"{clock:%H:%M}" for clock in self.at],
            "weekdays": [WEEKDAYS[number] for number in sorted(self.weekdays)],
            "days": list(self.days),
            "every_s": self.every_s,
            "skip": {day.isoformat(): why for day, why in sorted(self.skip.items())},
            "start": self.start and self.start.isoformat(),
            "end": self.end and self.end.isoformat(),
            "holidays": [one.to_json() for one in self.holidays],
            "except": sorted(day.isoformat() for day in self.works_on),
            "collects_from": self.collects_from and self.collects_from.isoformat(),
        }
        return {key: value for key, value in record.items() if value or key == "kind"}

    def day_off(self, day: date) -> str | None:
        """Why nothing leaves on this local day; None where it does. A day that was skipped outweighs "except"."""
        if day in self.skip:
            return self.skip[day]
        if day in self.works_on:
            return None
        return next((holiday.name for holiday in self.holidays if holiday.falls_on(day)), None)

    def _check(self) -> None:
        needs: dict[str, dict[str, object]] = {
            "daily": {"at": self.at},
            "weekly": {"at": self.at, "weekdays": self.weekdays},
            "monthly": {"at": self.at, "days": self.days},
            "interval": {"every_s": self.every_s},
            "manual": {},
        }
        for key, value in needs[self.kind].items():
            if not value:
                raise CadenceError(f"{key}: needed when kind is {self.kind}")
        if self.start and self.end and self.end < self.start:
            raise CadenceError("end: comes before start")


def slots(cadence: Cadence, *, after: datetime, until: datetime) -> list[Slot]:
    """Departures in (after, until], earliest first, at most LIMIT. Days to skip have none: see `skips`."""
    return _chosen(cadence, after, until, skipped=False)


def skips(cadence: Cadence, *, after: datetime, until: datetime) -> list[Slot]:
    """What would have left in (after, until] but for a day off; the note is its reason. Each deserves a row of its own."""
    return _chosen(cadence, after, until, skipped=True)


def _chosen(cadence: Cadence, after: datetime, until: datetime, *, skipped: bool) -> list[Slot]:
    if skipped and not cadence.skip and not cadence.holidays:
        return []
    if cadence.start:
        after = max(after, datetime.combine(cadence.start - timedelta(days=2), time(), UTC))
    if cadence.end:
        until = min(until, datetime.combine(cadence.end + timedelta(days=3), time(), UTC))
    every = _intervals if cadence.kind == "interval" else _departures
    known = ((slot, cadence.day_off(slot.local_date)) for slot in every(cadence, after, until))
    wanted = ((slot, why) for slot, why in known if (why is not None) is skipped)
    return [slot if why is None else replace(slot, note=why) for slot, why in islice(wanted, LIMIT)]


def _intervals(cadence: Cadence, after: datetime, until: datetime) -> Iterator[Slot]:
    zone, step = zone_named(cadence.zone), timedelta(seconds=cadence.every_s)
    at = _EPOCH + ((after - _EPOCH) // step + 1) * step
    while at <= until:
        day = at.astimezone(zone).date()
        if _runs_on(cadence, day):
            yield Slot(at, day)
        at += step


def _departures(cadence: Cadence, after: datetime, until: datetime) -> Iterator[Slot]:
    zone = zone_named(cadence.zone)
    # A time in a gap may be moved past midnight, so the day before can still leave inside the stretch
    day, last = after.astimezone(zone).date() - timedelta(days=1), until.astimezone(zone).date()
    seen: set[datetime] = set()
    while day <= last:
        for clock in cadence.at if _runs_on(cadence, day) else ():
            at, note = resolved(datetime.combine(day, clock), zone)
            if after < at <= until and at not in seen:
                seen.add(at)  # two times inside one gap are one departure
                yield Slot(at, day, note)
        day += timedelta(days=1)


def _runs_on(cadence: Cadence, day: date) -> bool:
    """Whether the cadence knows this local day at all; days to skip are known."""
    inside = (cadence.start is None or day >= cadence.start) and (cadence.end is None or day <= cadence.end)
    if cadence.kind == "monthly":
        length = monthrange(day.year, day.month)[1]
        return inside and day.day in {length if number == -1 else min(number, length) for number in cadence.days}
    return inside and cadence.kind != "manual" and (not cadence.weekdays or day.weekday() in cadence.weekdays)


def _items(record: Mapping[str, Any], key: str) -> Iterable[Any]:
    value = record.get(key) or ()
    if not isinstance(value, list | tuple):
        raise CadenceError(f"{key}: expected a list")
    return value


def _zone(name: Any) -> str:
    try:
        return zone_named(name).key
    except ValueError as error:
        raise CadenceError(f"zone: {error}") from error


def _clock(text: Any) -> time:
    if not isinstance(text, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII):
        raise CadenceError(f"at: {text!r} is not a time such as 06:30")
    return time.fromisoformat(text)


def _weekday(name: Any) -> int:
    if name not in WEEKDAYS:
        raise CadenceError(f"weekdays: {name!r} is not one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(name)


def _day_number(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not (number == -1 or 1 <= number <= 31):
        raise CadenceError(f"days: {number!r} is not a day of the month (1 to 31, or -1 for the last)")
    return number


def _seconds(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 366 * 86400:
        raise CadenceError(f"every_s: {number!r} is not a number of seconds up to a year")
    return number


def _day(text: Any, key: str) -> date:
    try:
        return date.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise CadenceError(f"{key}: {text!r} is not a day such as 2026-12-25") from error


def _day_or_none(record: Mapping[str, Any], key: str) -> date | None:
    return _day(record[key], key) if record.get(key) else None


def _instant_or_none(record: Mapping[str, Any], key: str) -> datetime | None:
    if not record.get(key):
        return None
    try:
        at = datetime.fromisoformat(record[key])
    except (ValueError, TypeError) as error:
        raise CadenceError(f"{key}: {record[key]!r} is not an instant such as 2026-12-25T06:30:00+00:00") from error
    if at.tzinfo is None:
        raise CadenceError(f"{key}: {record[key]!r} says no offset")
    return at.astimezone(UTC)


def _holidays(record: Mapping[str, Any]) -> tuple[Holiday, ...]:
    try:
        return tuple(Holiday.from_json(one) for one in _items(record, "holidays"))
    except ValueError as error:
        raise CadenceError(str(error) if isinstance(error, CadenceError) else f"holidays: {error}") from error


def _skipped(value: Any) -> dict[date, str]:
    """Days with reasons, or a bare list of days."""
    if isinstance(value, list | tuple):
        value = dict.fromkeys(value, "skipped")
    if not isinstance(value, Mapping):
        raise CadenceError("skip: expected days with reasons, or a list of days")
    return {_day(day, "skip"): str(why) for day, why in value.items()}
