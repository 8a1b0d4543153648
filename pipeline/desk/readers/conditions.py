"""A segment's rule as conditions in a form, and as a sentence. What the form cannot say is shown as a sentence only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.audience.segments.rules import (
    Active,
    AllOf,
    AnyOf,
    Clicks,
    Domain,
    Follows,
    Inactive,
    Joined,
    Language,
    Not,
    Rule,
)  # fmt: skip

MOST_ROWS = 12
KINDS = {
    "": "choose…",
    "follows": "follows",
    "clicks": "reads a section",
    "joined": "joined",
    "domain": "address at a domain",
    "language": "reads in a language",
    "active": "was seen lately",
    "inactive": "was not seen lately",
}
#: Which fields a kind has, in their order.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "follows": ("topic",),
    "clicks": ("section", "at_least", "days"),
    "joined": ("after", "before"),
    "domain": ("domains",),
    "language": ("language",),
    "active": ("days",),
    "inactive": ("days",),
}
LABELS = {
    "topic": "Newsletter or section",
    "section": "Section, by its key",
    "at_least": "Stories at least",
    "days": "Within days",
    "after": "From (day, UTC)",
    "before": "Before (day, UTC)",
    "domains": "Domains, separated by commas",
    "language": "Language, such as fr",
}
_NUMBERS = {"at_least", "days"}


@dataclass(frozen=True, slots=True)
class Row:
    """One condition as typed."""

    kind: str = ""
    is_not: bool = False
    values: Mapping[str, str] = ()  # type: ignore[assignment]

    def fields(self) -> list[tuple[str, str, str]]:
        """(name, label, what was typed) of each field its kind has."""
        return [(name, LABELS[name], dict(self.values).get(name, "")) for name in FIELDS[self.kind]]


def typed(post: Mapping[str, str]) -> tuple[str, list[Row]]:
    """(all or any, the conditions) of a form; one whose kind is not chosen stays as an empty line."""
    said = post.get("rows", "1")
    count = min(int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 1, MOST_ROWS)
    removed = post.get("remove", "")
    rows = [_row(post, n) for n in range(count) if str(n) != removed]
    if post.get("more") and len(rows) < MOST_ROWS:
        rows.append(Row())
    return ("any" if post.get("match") == "any" else "all"), rows or [Row()]


def _row(post: Mapping[str, str], n: int) -> Row:
    kind = post.get(f"kind-{n}", "")
    kind = kind if kind in KINDS else ""
    values = {name: post.get(f"{name}-{n}", "").strip()[:400] for name in FIELDS[kind]}
    return Row(kind=kind, is_not=post.get(f"not-{n}") == "yes", values=values)


def rule_of(match: str, rows: Sequence[Row]) -> dict[str, Any]:
    """The rule in our language; `parsed` says what is wrong with it."""
    return {match: [_rule(row) for row in rows if row.kind]}


def _rule(row: Row) -> dict[str, Any]:
    given = {name: _value(name, value) for name, value in dict(row.values).items()}
    body: Any = given
    if row.kind == "follows":
        body = given["topic"]
    elif row.kind == "language":
        body = given["language"]
    elif row.kind == "domain":
        body = [one.strip() for one in str(given["domains"]).split(",") if one.strip()]
    elif row.kind == "joined":
        body = {name: value for name, value in given.items() if value}
    rule = {row.kind: body}
    return {"not": rule} if row.is_not else rule


def _value(name: str, value: str) -> str | int:
    return int(value) if name in _NUMBERS and re.fullmatch(r"[0-9]{1,9}", value) else value


def form_of(rule: Rule) -> tuple[str, list[Row]] | None:
    """(all or any, the conditions); None for a rule that is nested deeper than the form can show."""
    match rule:
        case AllOf(rules) | AnyOf(rules):
            found = [_shown(one) for one in rules]
            rows = [row for row in found if row]
            match_ = "all" if isinstance(rule, AllOf) else "any"
            return (match_, rows) if len(rows) == len(found) <= MOST_ROWS else None
        case _:
            row = _shown(rule)
            return ("all", [row]) if row else None


def _shown(rule: Rule, *, is_not: bool = False) -> Row | None:  # noqa: PLR0911 - one for each kind of rule
    match rule:
        case Not(inner) if not is_not:
            return _shown(inner, is_not=True)
        case Follows(topic):
            return Row("follows", is_not, {"topic": topic})
        case Clicks(section, at_least, days):
            return Row("clicks", is_not, {"section": section, "at_least": str(at_least), "days": str(days)})
        case Joined(after, before):
            days_ = {"after": after, "before": before}
            return Row("joined", is_not, {name: f"{day:%Y-%m-%d}" if day else "" for name, day in days_.items()})
        case Domain(names):
            return Row("domain", is_not, {"domains": ", ".join(names)})
        case Language(code):
            return Row("language", is_not, {"language": code})
        case Active(days) | Inactive(days):
            return Row("active" if isinstance(rule, Active) else "inactive", is_not, {"days": str(days)})
        case _:
            return None


def sentence(rule: Rule) -> str:
    """Whom it chooses."""
    return f"Readers who {_clause(rule)}."


def _clause(rule: Rule) -> str:  # noqa: PLR0911 - one for each kind of rule
    match rule:
        case AllOf(rules):
            return " and ".join(_inner(one) for one in rules)
        case AnyOf(rules):
            return " or ".join(_inner(one) for one in rules)
        case Not(inner):
            return f"do not match “{_clause(inner)}”"
        case Clicks(section, at_least, days):
            return f"followed at least {at_least} stories of {section}, the last within {days} days"
        case Follows(topic):
            return f"follow {topic}"
        case Joined(after, before):
            parts = (f"from {after:%-d %B %Y}" if after else "", f"before {before:%-d %B %Y}" if before else "")
            return f"joined {' and '.join(filter(None, parts))}"
        case Domain(names):
            return f"have an address at {' or '.join(names)}"
        case Language(code):
            return f"read in {code}"
        case Active(days):
            return f"were seen within {days} days"
        case Inactive(days):
            return f"let us see them, and were not seen for {days} days"


def _inner(rule: Rule) -> str:
    return f"({_clause(rule)})" if isinstance(rule, AllOf | AnyOf) else _clause(rule)


def wrong(said: str) -> str:
    """What the parser says, with its place as a person sees it: "all[1].clicks.days: ..." is about condition 2."""
    place, _, what = said.partition(": ")
    found = re.match(r"(?:all|any)\[(\d+)\]", place)
    if found is None:
        return "Choose at least one condition." if place in {"all", "any"} else f"{what or said}."
    return f"Condition {int(found.group(1)) + 1}, {place.rpartition('.')[2].replace('_', ' ')}: {what}."
