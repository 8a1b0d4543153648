"""An account's stored rules, checked, and as an editor reads them.

Kept as JSON, every key optional:

    {"exclude": ["Obituaries"], "never": ["horoscope"], "urgent": ["earthquake"],
     "per_hour": 4, "per_day": 30, "quiet": ["23:00", "06:30"], "slots": ["07:30", "12:15"], "slot_days": ["mon", "fri"],
     "breaking": {"gap_s": 300, "per_hour": 3, "in_quiet_hours": true},
     "formats": ["headline", "question"], "tone": "neutral", "threads": false, "length": 25000,
     "recycle": {"every_days": 30, "most": 2, "per_day": 1},
     "thrift": {"after": 0.8, "how": "no_link"} or {"after": 0.8, "how": "top", "top": 5},
     "corrections": {"delete": "ask", "note": "https://paper.example/corrections"}}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import time
from typing import Any

FORMATS = ("headline", "question", "quote", "number", "thread", "card")
TONES = ("plain", "neutral", "lively")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Later than this after its publication a story is no breaking news, whatever its words.
BREAKING_WITHIN_S = 3600


class UnusableRules(ValueError):
    """The stored rules cannot be meant; the message names the key and what was expected."""


@dataclass(frozen=True, slots=True)
class Breaking:
    """The fast lane and its brakes: `gap_s` between two, `per_hour` at most, and whether they break the quiet."""

    gap_s: int = 300
    per_hour: int = 3
    in_quiet_hours: bool = True


@dataclass(frozen=True, slots=True)
class Recycling:
    """Evergreens again: after so many days, `most` times, `per_day` on this account; never in the same words."""

    every_days: int = 30
    most: int = 2
    per_day: int = 1


@dataclass(frozen=True, slots=True)
class Thrift:
    """What is saved once the share `after` of the month's money is spent: the link, or all but the `top` read."""

    after: float = 0.8
    how: str = "no_link"
    top: int = 5


@dataclass(frozen=True, slots=True)
class Corrections:
    """`delete` is "ask" (a person confirms) or "alone"; `note` is where links of posts lead that stay wrong; "" is our own note."""

    delete: str = "ask"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an account is for. Caps and gaps of 0 mean none; empty `slots` mean any time outside the quiet hours."""

    exclude: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    per_hour: int = 0
    per_day: int = 0
    quiet: tuple[time, time] | None = None
    slots: tuple[time, ...] = ()
    slot_days: frozenset[int] = frozenset()
    breaking: Breaking = Breaking()
    formats: tuple[str, ...] = ("headline",)
    tone: str = "neutral"
    threads: bool = False
    length: int = 0
    recycle: Recycling | None = None
    thrift: Thrift | None = None
    corrections: Corrections = Corrections()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Rules:
        """Read stored rules. Raises UnusableRules, so that a typo is not a silent default."""
        if not isinstance(record, Mapping):
            raise UnusableRules("rules: expected keys and values")
        if unknown := set(record) - set(_READERS):
            raise UnusableRules(f"{min(map(str, unknown))}: no such rule; known are {', '.join(_READERS)}")
        return cls(**{key: _READERS[key](value, key) for key, value in record.items()})._checked()

    def _checked(self) -> Rules:
        if self.quiet and self.slots and all(_within(clock, self.quiet) for clock in self.slots):
            raise UnusableRules("slots: all of them lie in the quiet hours")
        if self.slot_days and not self.slots:
            raise UnusableRules("slot_days: needs slots")
        return self

    def sentence(self) -> str:
        """The rules as an editor reads them."""
        parts = [*self._times(), *self._words(), *self._money()]
        return "; ".join(parts) or "each story as it comes"

    def _times(self) -> list[str]:
        said = [f"never in {_listed(self.exclude)}"] if self.exclude else []
        said += [f"at {_listed(tuple(f'{clock:%H:%M}' for clock in self.slots))}"] if self.slots else []
        days = tuple(WEEKDAYS[day].capitalize() for day in sorted(self.slot_days))
        said += [f"on {_listed(days)} only"] if days else []
        said += [f"quiet from {self.quiet[0]:%H:%M} to {self.quiet[1]:%H:%M}"] if self.quiet else []
        said += [f"at most {self.per_hour} an hour"] if self.per_hour else []
        return said + ([f"at most {self.per_day} a day"] if self.per_day else [])

    def _words(self) -> list[str]:
        said = [f"at once where it says {_listed(self.urgent)}"] if self.urgent else []
        said += [f"not where it says {_listed(self.never)}"] if self.never else []
        again = self.recycle
        return said + ([f"evergreens again after {again.every_days} days, {again.most} times"] if again else [])

    def _money(self) -> list[str]:
        if self.thrift is None:
            return []
        left = "without links" if self.thrift.how == "no_link" else f"only the {self.thrift.top} most read"
        return [f"once {self.thrift.after:.0%} of the month's money is spent, {left}"]


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _within(clock: time, quiet: tuple[time, time]) -> bool:
    start, end = quiet
    return start <= clock < end if start <= end else clock >= start or clock < end


# -- readers: one a key, each raises UnusableRules


def _names(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one.strip() for one in value):
        raise UnusableRules(f"{key}: expected a list of words")
    return tuple(one.strip() for one in value)


def _number(low: int, high: int) -> Callable[[Any, str], int]:
    def read(value: Any, key: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise UnusableRules(f"{key}: expected a whole number from {low} to {high}")
        return value

    return read


def _truth(value: Any, key: str) -> bool:
    if not isinstance(value, bool):
        raise UnusableRules(f"{key}: expected true or false")
    return value


def _share(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnusableRules(f"{key}: expected a share from 0 to 1")
    return float(value)


def _address(value: Any, key: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(https?://[^\s]+)?", value):
        raise UnusableRules(f"{key}: expected an address that begins with https://")
    return value


def _one_of(known: tuple[str, ...]) -> Callable[[Any, str], str]:
    def read(value: Any, key: str) -> str:
        if value not in known:
            raise UnusableRules(f"{key}: {value!r} is not one of {', '.join(known)}")
        return str(value)

    return read


def _clock(value: Any, key: str) -> time:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII):
        raise UnusableRules(f"{key}: {value!r} is not a time such as 06:30")
    return time.fromisoformat(value)


def _clocks(value: Any, key: str) -> tuple[time, ...]:
    return tuple(sorted({_clock(one, key) for one in _names(value, key)}))


def _stretch(value: Any, key: str) -> tuple[time, time] | None:
    if value is None:
        return None
    ends = tuple(_clock(one, key) for one in _names(value, key))
    if len(ends) != 2 or ends[0] == ends[1]:
        raise UnusableRules(f"{key}: expected two different times, from and to")
    return ends[0], ends[1]


def _weekdays(value: Any, key: str) -> frozenset[int]:
    pick = _one_of(WEEKDAYS)
    return frozenset(WEEKDAYS.index(pick(one, key)) for one in _names(value, key))


def _formats(value: Any, key: str) -> tuple[str, ...]:
    pick = _one_of(FORMATS)
    found = tuple(dict.fromkeys(pick(one, key) for one in _names(value, key)))
    if not found:
        raise UnusableRules(f"{key}: name at least one")
    return found


def _part(shape: type, **readers: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """A reader of an object inside the rules; null leaves it out."""

    def read(value: Any, key: str) -> Any:
        if value is None and shape in (Recycling, Thrift):
            return None
        if not isinstance(value, Mapping):
            raise UnusableRules(f"{key}: expected keys and values")
        if unknown := set(value) - set(readers):
            raise UnusableRules(f"{key}.{min(map(str, unknown))}: no such rule; known are {', '.join(readers)}")
        return shape(**{name: readers[name](one, f"{key}.{name}") for name, one in value.items()})

    return read


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "exclude": _names,
    "never": _names,
    "urgent": _names,
    "per_hour": _number(0, 1000),
    "per_day": _number(0, 10_000),
    "quiet": _stretch,
    "slots": _clocks,
    "slot_days": _weekdays,
    "breaking": _part(Breaking, gap_s=_number(0, 3600), per_hour=_number(1, 60), in_quiet_hours=_truth),
    "formats": _formats,
    "tone": _one_of(TONES),
    "threads": _truth,
    "length": _number(0, 100_000),
    "recycle": _part(Recycling, every_days=_number(1, 3650), most=_number(1, 50), per_day=_number(1, 24)),
    "thrift": _part(Thrift, after=_share, how=_one_of(("no_link", "top")), top=_number(1, 50)),
    "corrections": _part(Corrections, delete=_one_of(("ask", "alone")), note=_address),
}
assert set(_READERS) == {field.name for field in fields(Rules)}  # noqa: S101 - a rule without a reader is a fault here
