"""The language: a rule is an object with one key.

    {"all": [rule, ...]}    {"any": [rule, ...]}    {"not": rule}
    {"clicks": {"section": "politics", "at_least": 3, "days": 30}}   stories read, the last of them within the days
    {"follows": "morning-brief"}         a newsletter or section, by its slug
    {"joined": {"after": "2026-01-01", "before": "2026-06-01"}}      either or both; days in UTC, `before` excluded
    {"domain": "example.org"}            or a list of them
    {"language": "fr"}                   fr, and fr-BE
    {"active": {"days": 90}}             a person was seen: a click, a reply, a choice
    {"inactive": {"days": 90}}           was seen before, and not since; only readers who let us see

Pure: nothing here asks the database or the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

MOST_DEPTH = 8
MOST_PARTS = 60  #: rules in all
MOST_DAYS = 3_650
_MOST_TEXT = 200


class UnreadableRule(ValueError):
    """The message names the place ("all[1].clicks.days") and says what is wrong there."""


@dataclass(frozen=True, slots=True)
class AllOf:
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    rule: Rule


@dataclass(frozen=True, slots=True)
class Clicks:
    section: str
    at_least: int
    days: int


@dataclass(frozen=True, slots=True)
class Follows:
    topic: str


@dataclass(frozen=True, slots=True)
class Joined:
    after: datetime | None
    before: datetime | None


@dataclass(frozen=True, slots=True)
class Domain:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    code: str


@dataclass(frozen=True, slots=True)
class Active:
    days: int


@dataclass(frozen=True, slots=True)
class Inactive:
    days: int


Rule = AllOf | AnyOf | Not | Clicks | Follows | Joined | Domain | Language | Active | Inactive


def parsed(given: object) -> Rule:
    """Raises UnreadableRule."""
    return _Reading().rule(given, place="", depth=0)


class _Reading:
    """Counts the parts of one rule while it is read."""

    def __init__(self) -> None:
        self._parts = 0

    def rule(self, given: object, *, place: str, depth: int) -> Rule:
        self._parts += 1
        if depth > MOST_DEPTH or self._parts > MOST_PARTS:
            raise _wrong(place, f"too much: at most {MOST_PARTS} rules, {MOST_DEPTH} deep")
        if not isinstance(given, Mapping) or len(given) != 1:
            raise _wrong(place, f"a rule is an object with one key of {', '.join(_KINDS)}")
        ((key, body),) = given.items()
        here = f"{place}.{key}".lstrip(".")
        if key not in _KINDS:
            raise _wrong(here, f"no such rule; there are {', '.join(_KINDS)}")
        if key == "not":
            return Not(self.rule(body, place=here, depth=depth + 1))
        if key in {"all", "any"}:
            rules = self._several(body, place=here, depth=depth + 1)
            return AllOf(rules) if key == "all" else AnyOf(rules)
        return _LEAVES[key](body, here)

    def _several(self, body: object, *, place: str, depth: int) -> tuple[Rule, ...]:
        if not isinstance(body, list) or not body:
            raise _wrong(place, "a list of at least one rule is needed")
        return tuple(self.rule(one, place=f"{place}[{n}]", depth=depth) for n, one in enumerate(body))


def _clicks(body: object, place: str) -> Clicks:
    fields = _fields(body, place, needed=("section", "at_least", "days"))
    return Clicks(
        section=_text(fields["section"], f"{place}.section"),
        at_least=_whole(fields["at_least"], f"{place}.at_least", most=1_000_000),
        days=_whole(fields["days"], f"{place}.days", most=MOST_DAYS),
    )


def _joined(body: object, place: str) -> Joined:
    fields = _fields(body, place, may=("after", "before"))
    if not fields:
        raise _wrong(place, "after, before or both are needed")
    days = {name: _day(fields[name], f"{place}.{name}") for name in fields}
    after, before = days.get("after"), days.get("before")
    if after and before and after >= before:
        raise _wrong(place, "nobody joined after the one day and before the other")
    return Joined(after=after, before=before)


def _domain(body: object, place: str) -> Domain:
    names = body if isinstance(body, list) else [body]
    if not names:
        raise _wrong(place, "at least one domain is needed")
    return Domain(tuple(_host(_text(name, place), place) for name in names))


def _language(body: object, place: str) -> Language:
    code = _text(body, place).lower()
    if not code.replace("-", "").isalnum() or not code.isascii():
        raise _wrong(place, f"{code[:20]!r} is no language such as fr or fr-be")
    return Language(code)


def _days(body: object, place: str) -> int:
    return _whole(_fields(body, place, needed=("days",))["days"], f"{place}.days", most=MOST_DAYS)


def _fields(body: object, place: str, *, needed: tuple[str, ...] = (), may: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise _wrong(place, f"an object with {', '.join(needed or may)} is needed")
    for name in needed:
        if name not in body:
            raise _wrong(place, f"{name} is missing")
    for name in body:
        if name not in needed + may:
            raise _wrong(f"{place}.{name}", f"no such field; there are {', '.join(needed + may)}")
    return body


def _text(given: object, place: str) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > _MOST_TEXT or "\x00" in given:
        raise _wrong(place, f"a text of 1 to {_MOST_TEXT} characters is needed")
    return given.strip()


def _whole(given: object, place: str, *, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise _wrong(place, f"a whole number from 1 to {most:,} is needed")
    return given


def _day(given: object, place: str) -> datetime:
    try:
        day = date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        day = None
    if day is None:
        raise _wrong(place, "a day such as 2026-01-31 is needed")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _host(name: str, place: str) -> str:
    """As addresses are kept: in lower case and letters, not in punycode."""
    host = name.lower().lstrip("@")
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host else host
    except UnicodeError as error:
        raise _wrong(place, f"{name[:40]!r} is no domain") from error


def _wrong(place: str, said: str) -> UnreadableRule:
    return UnreadableRule(f"{place or 'the rule'}: {said}")


_LEAVES: dict[str, Callable[[object, str], Rule]] = {
    "clicks": _clicks,
    "follows": lambda body, place: Follows(_text(body, place)),
    "joined": _joined,
    "domain": _domain,
    "language": _language,
    "active": lambda body, place: Active(_days(body, place)),
    "inactive": lambda body, place: Inactive(_days(body, place)),
}
_KINDS = ("all", "any", "not", *_LEAVES)
