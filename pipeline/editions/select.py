"""Which article goes where, and why; and why not, for every one that was left out.

Blocks choose in the order they are read, except that Most Popular chooses last: it fills with what readers
liked and the edition does not carry already. Reasons are codes with parameters; words are found at display.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An eligible article, as far as choosing needs to know it. Sections are keys from the front page down."""

    article_id: int
    headline: str
    sections: tuple[str, ...]
    authors: tuple[str, ...]
    published_at: datetime | None
    first_seen_at: datetime
    eligible_at: datetime | None  #: None: it may not be announced, but readers may have made it popular
    version: int = 1
    killed: bool = False
    sent_at: datetime | None = None  #: when an earlier edition of this newsletter carried it
    sent_version: int = 0
    popular_place: int | None = None
    popular_window: str = ""

    @property
    def news_at(self) -> datetime:
        """The later of published and first seen: a story found late is not old to its readers."""
        return max(self.published_at or self.first_seen_at, self.first_seen_at)


@dataclass(frozen=True, slots=True)
class Rule:
    """How a block is filled. Empty `sections` means any; `most_age_h` None leaves the newsletter's own."""

    position: int
    kind: str
    title: str = ""
    sections: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    count: int = 3
    most_age_h: int | None = None
    per_author: int | None = None
    per_section: int | None = None

    @classmethod
    def of(cls, *, position: int, kind: str, title: str, rule: Mapping[str, Any]) -> Rule:
        """Read a stored rule; names it does not know raise KeyError, so that a typo is not a silent default."""
        known = {"sections", "exclude", "count", "most_age_h", "per_author", "per_section"}
        if unknown := set(rule) - known:
            raise KeyError(f"a block's rule has no {', '.join(sorted(unknown))}")
        lists = {name: tuple(rule[name]) for name in ("sections", "exclude") if name in rule}
        return cls(**{**rule, **lists, "position": position, "kind": kind, "title": title})

    def sentence(self) -> str:
        """The rule as an editor reads it."""
        if self.kind == POPULAR:
            return f"the {self.count} most popular that this edition does not carry already"
        where = f" in {', '.join(self.sections)}" if self.sections else ""
        limits = [f"none older than {self.most_age_h} h"] if self.most_age_h else []
        limits += [f"max {self.per_author} per author"] if self.per_author else []
        limits += [f"max {self.per_section} per section"] if self.per_section else []
        return ", ".join([f"newest {self.count}{where}", *limits])


@dataclass(frozen=True, slots=True)
class Frame:
    """The edition's own bounds: from when on stories count as new, until when they are taken, how old they may be."""

    since: datetime
    cutoff_at: datetime
    most_age_h: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One article's fate. `position` is 0 where it was left out."""

    article_id: int
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    block: int | None = None
    position: int = 0
    label: str = ""

    @property
    def picked(self) -> bool:
        """Whether it is in."""
        return self.position > 0


def select(candidates: Sequence[Candidate], *, rules: Sequence[Rule], frame: Frame) -> list[Choice]:
    """Choose. Every candidate is answered exactly once: placed with a reason, or left out with one."""
    open_ = {c.article_id: c for c in sorted(candidates, key=_newest_first)}
    rules = sorted(rules, key=lambda rule: rule.position)
    placed: list[Choice] = []
    for rule in sorted(rules, key=lambda rule: rule.kind == POPULAR):
        chosen = _popular(open_.values(), rule) if rule.kind == POPULAR else _newest(open_.values(), rule, frame)
        placed += chosen
        for choice in chosen:
            del open_[choice.article_id]
    return sorted(placed, key=lambda c: (c.block or 0, c.position)) + [
        _why_not(candidate, rules=rules, frame=frame, placed=placed) for candidate in open_.values()
    ]


def _newest_first(candidate: Candidate) -> tuple[float, int]:
    return (-candidate.news_at.timestamp(), candidate.article_id)


def _popular(candidates: Iterable[Candidate], rule: Rule) -> list[Choice]:
    ranked = sorted(
        (c for c in candidates if c.popular_place is not None and not c.killed),
        key=lambda c: (c.popular_place, c.article_id),
    )
    return [
        Choice(
            article_id=c.article_id, code="popular", block=rule.position, position=n,
            params={"place": c.popular_place, "window": c.popular_window},
        )
        for n, c in enumerate(ranked[: rule.count], start=1)
    ]  # fmt: skip


def _newest(candidates: Iterable[Candidate], rule: Rule, frame: Frame) -> list[Choice]:
    fitting = [c for c in candidates if _barred(c, frame) is None and _misfit(c, rule, frame) is None]
    chosen = _within_limits(fitting, rule)
    return [
        Choice(
            article_id=c.article_id, code="developed" if c.sent_at else "newest", block=rule.position, position=n,
            params={"rank": n, "of": len(fitting), "sections": list(rule.sections)}, label="Update" if c.sent_at else "",
        )
        for n, c in enumerate(chosen, start=1)
    ]  # fmt: skip


def _within_limits(fitting: Sequence[Candidate], rule: Rule) -> list[Candidate]:
    """The newest that keep the limits; where that leaves places empty the limits give way, newest first."""
    authors, sections = Counter[str](), Counter[str]()
    chosen: list[Candidate] = []
    spare: list[Candidate] = []
    for candidate in fitting:
        author, section = (
            next(iter(candidate.authors), ""),
            candidate.sections[-1] if candidate.sections else "",
        )
        crowded = (rule.per_author and author and authors[author] >= rule.per_author) or (
            rule.per_section and section and sections[section] >= rule.per_section
        )
        (spare if crowded else chosen).append(candidate)
        if not crowded:
            authors[author] += 1
            sections[section] += 1
    return [*chosen, *spare][: rule.count]


#: Bars hold for the whole edition, misfits for one block. Each returns a code and its parameters, or None.
Fault = tuple[str, dict[str, Any]] | None


def _barred(c: Candidate, frame: Frame) -> Fault:
    bars: tuple[tuple[bool, str, Callable[[], dict[str, Any]]], ...] = (
        (c.killed, "killed", dict),
        (c.eligible_at is None, "not_announced", dict),
        (
            c.sent_at is not None and c.sent_version >= c.version,
            "already_sent",
            lambda: {"at": _iso(c.sent_at)},
        ),
        (_late_s(c, frame) > 0, "missed_cutoff", lambda: {"by_s": _late_s(c, frame)}),
        (c.news_at < frame.since, "before_window", lambda: {"since": _iso(frame.since)}),
        (
            c.news_at < frame.cutoff_at - timedelta(hours=frame.most_age_h),
            "too_old",
            lambda: {"hours": frame.most_age_h},
        ),
    )
    return next(((code, params()) for holds, code, params in bars if holds), None)


def _misfit(c: Candidate, rule: Rule, frame: Frame) -> Fault:
    if rule.sections and not set(rule.sections) & set(c.sections):
        return "other_section", {"sections": list(c.sections)}
    if set(rule.exclude) & set(c.sections):
        return "excluded_section", {"sections": list(c.sections)}
    if rule.most_age_h and c.news_at < frame.cutoff_at - timedelta(hours=rule.most_age_h):
        return "too_old", {"hours": rule.most_age_h}
    return None


def _why_not(c: Candidate, *, rules: Sequence[Rule], frame: Frame, placed: Sequence[Choice]) -> Choice:
    fault = _barred(c, frame)
    if fault is None:
        misfits = [(rule, _misfit(c, rule, frame)) for rule in rules if rule.kind != POPULAR]
        full = next((rule for rule, misfit in misfits if misfit is None), None)
        if full is not None:
            filled = sum(1 for choice in placed if choice.block == full.position)
            fault = ("no_room", {"block": full.position, "title": full.title, "count": filled})
        else:
            fault = next((misfit for _, misfit in misfits if misfit is not None), ("no_block", {}))
    code, params = fault
    return Choice(article_id=c.article_id, code=code, params=params)


def _iso(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _late_s(c: Candidate, frame: Frame) -> int:
    """Whole seconds after the cut-off, rounded up; 0 or less for a story that made it."""
    return ceil((c.eligible_at - frame.cutoff_at).total_seconds()) if c.eligible_at else 0
