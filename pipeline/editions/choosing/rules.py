"""How a block is filled: a stored rule, checked, and as an editor reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

POPULAR, RELATED, SPONSOR, NOTE = "popular", "related", "sponsor", "note"
#: Blocks that choose after all others: they fill with what the edition does not carry already.
LAST = (RELATED, POPULAR)
#: Blocks a person or an order fills; no candidate is ever chosen for them.
GIVEN = (SPONSOR, NOTE)


class Order(StrEnum):
    """Which of the fitting stories come first."""

    NEWEST = "newest"
    OLDEST = "oldest"  #: for a recap that is read from Monday to Sunday
    POPULAR = "popular"
    LONGEST = "longest"


class Fallback(StrEnum):
    """What becomes of a block that finds fewer than its minimum."""

    SHORTEN = "shorten"
    EVERGREEN = "evergreen"
    POPULAR = "popular"
    SKIP = "skip"  #: the block is left out of this edition
    ASK = "ask"  #: the edition waits for a person


class UnusableRule(ValueError):
    """A stored rule that cannot be meant; the message names the block and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A block's rule. Empty `sections`, `topics` and `sources` mean any; `most_age_h` None leaves the newsletter's own.

    Sections match any step of a story's path, topics any of its tags, whatever their case. `minimum` 0 lets the block
    be empty without a word. `topic` is the slug readers follow, for a block that is theirs to choose.
    """

    position: int
    kind: str
    title: str = ""
    sections: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    exclude_topics: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    count: int = 3
    minimum: int = 0
    most_age_h: int | None = None
    per_author: int | None = None
    per_section: int | None = None
    order: Order = Order.NEWEST
    fallback: Fallback = Fallback.SHORTEN
    topic: str = ""
    story: Mapping[str, str] | None = None  #: a sponsor's own words: headline, url, text, picture, alt, order

    @classmethod
    def of(cls, *, position: int, kind: str, title: str, rule: Mapping[str, Any]) -> Rule:
        """Read a stored rule. Raises UnusableRule, so that a typo is not a silent default."""
        known = {field.name for field in fields(cls)} - {"position", "kind", "title"}
        if unknown := set(rule) - known:
            raise UnusableRule(f"block {position}: its rule has no {', '.join(sorted(unknown))}")
        values = dict(rule)
        for name in ("sections", "exclude", "topics", "exclude_topics", "sources"):
            values[name] = tuple(values.get(name, ()))
        try:
            values["order"] = Order(values.get("order", Order.NEWEST))
            values["fallback"] = Fallback(values.get("fallback", Fallback.SHORTEN))
        except ValueError as error:
            raise UnusableRule(f"block {position}: {error}") from None
        return cls(position=position, kind=kind, title=title, **values)._checked()

    def _checked(self) -> Rule:
        for name, low in (("count", 1), ("minimum", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 100:
                raise UnusableRule(f"block {self.position}: {name} must be a whole number from {low} to 100")
        if self.minimum > self.count:
            raise UnusableRule(f"block {self.position}: its minimum is more than its count")
        return self

    @property
    def is_news(self) -> bool:
        """Whether it chooses among what is new."""
        return self.kind not in (*LAST, *GIVEN)

    def sentence(self) -> str:
        """The rule as an editor reads it."""
        if self.kind in GIVEN:
            return "what the order says" if self.kind == SPONSOR else "what the editor writes"
        if self.kind == POPULAR:
            return f"the {self.count} most popular that this edition does not carry already"
        if self.kind == RELATED:
            return f"up to {self.count} stories that the lead's own page points to"
        parts = [f"{_ORDERED[self.order]} {self.count}{self._where()}", *self._limits()]
        return ", ".join(parts) + self._otherwise()

    def _where(self) -> str:
        where = f" in {_listed(self.sections)}" if self.sections else ""
        where += f" about {_listed(self.topics)}" if self.topics else ""
        left_out = [*self.exclude, *self.exclude_topics]
        return where + (f" but not {_listed(tuple(left_out))}" if left_out else "")

    def _limits(self) -> list[str]:
        limits = [f"none older than {self.most_age_h} h"] if self.most_age_h else []
        limits += [f"max {self.per_author} per author"] if self.per_author else []
        return limits + ([f"max {self.per_section} per section"] if self.per_section else [])

    def _otherwise(self) -> str:
        return f"; if fewer than {self.minimum}, {_INSTEAD[self.fallback]}" if self.minimum else ""


_ORDERED = {
    Order.NEWEST: "newest",
    Order.OLDEST: "oldest",
    Order.POPULAR: "best read",
    Order.LONGEST: "longest",
}
_INSTEAD = {
    Fallback.SHORTEN: "it stays short",
    Fallback.EVERGREEN: "evergreens make up the number",
    Fallback.POPULAR: "what readers liked makes up the number",
    Fallback.SKIP: "it is left out",
    Fallback.ASK: "a person is asked",
}


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
