"""Days that come back every year, and on which a newsletter does not leave.

A holiday is kept as {"on": ..., "name": ...}; `on` is one of

    "12-25"         that day of every year; "02-29" only where there is one
    "2026-04-06"    that day alone
    "easter+1"      so many days after, or before, Easter Sunday of the Western churches; "orthodox-2" of the Eastern
    "1 mon 09"      the first Monday of September; "-1 mon 05" the last one of May
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_YEARLY = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_MOVABLE = re.compile(r"(easter|orthodox)(?:([+-]\d{1,3}))?", re.ASCII)
_NTH = re.compile(rf"(-1|[1-5]) ({'|'.join(_WEEKDAYS)}) (0[1-9]|1[0-2])", re.ASCII)
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day off with its name. Raises ValueError for what is no day."""

    on: str
    name: str

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > _LONGEST_NAME:
            raise ValueError(f"{self.on!r} needs a name of at most {_LONGEST_NAME} characters")
        if _MOVABLE.fullmatch(self.on) or _NTH.fullmatch(self.on):
            return
        spelled = f"2024-{self.on}" if _YEARLY.fullmatch(self.on) else self.on  # a leap year has every day
        try:
            date.fromisoformat(spelled)
        except ValueError:
            raise ValueError(f'{self.on!r} is not a day such as "12-25", "easter+1" or "1 mon 09"') from None

    @classmethod
    def from_json(cls, record: Any) -> Holiday:
        """Read {"on": ..., "name": ...}. Raises ValueError."""
        if not isinstance(record, Mapping) or set(record) != {"on", "name"}:
            raise ValueError("expected a list of days, each with `on` and `name`")
        if not all(isinstance(value, str) for value in record.values()):
            raise ValueError("`on` and `name` are texts")
        return cls(on=record["on"], name=record["name"])

    def to_json(self) -> dict[str, str]:
        """What `from_json` reads back."""
        return {"on": self.on, "name": self.name}

    def falls_on(self, day: date) -> bool:
        """Whether this local day is it."""
        if found := _MOVABLE.fullmatch(self.on):
            sunday = easter(day.year) if found[1] == "easter" else orthodox_easter(day.year)
            return day == sunday + timedelta(days=int(found[2] or 0))
        if found := _NTH.fullmatch(self.on):
            return _is_nth(day, nth=int(found[1]), weekday=_WEEKDAYS.index(found[2]), month=int(found[3]))
        return day.isoformat()[-len(self.on) :] == self.on


def _is_nth(day: date, *, nth: int, weekday: int, month: int) -> bool:
    if (day.month, day.weekday()) != (month, weekday):
        return False
    return (day + timedelta(days=7)).month != month if nth == -1 else (day.day - 1) // 7 + 1 == nth


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    rest = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * rest) // 433
    month = (h + rest - 7 * m + 90) // 25
    return date(year, month, (h + rest - 7 * m + 33 * month + 19) % 32)


@lru_cache(maxsize=64)
def orthodox_easter(year: int) -> date:
    """Easter Sunday of the Julian calendar as the Gregorian one dates it, until 2099."""
    a, b, c = year % 4, year % 7, year % 19
    d = (19 * c + 15) % 30
    month, day = divmod(d + (2 * a + 4 * b - d + 34) % 7 + 114, 31)
    return date(year, month, day + 1) + timedelta(days=13)
