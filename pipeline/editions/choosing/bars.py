"""What keeps a story out of an edition, or out of one block: each bar is a code with its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from pipeline.editions.choosing.rules import Rule

Fault = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article, as far as choosing needs to know it. Sections are keys from the front page down; tags are loose."""

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
    popular_label: str = ""  #: "from 2019", where readers revived an old story
    tags: tuple[str, ...] = ()
    source_id: int = 0
    words: int = 0
    carried: int = 0  #: editions in a row that had no room for it
    related: tuple[int, ...] = ()  #: articles its own page points to
    is_evergreen: bool = False
    alerted_at: datetime | None = None

    @property
    def news_at(self) -> datetime:
        """The later of published and first seen: a story found late is not old to its readers."""
        return max(self.published_at or self.first_seen_at, self.first_seen_at)


@dataclass(frozen=True, slots=True)
class Frame:
    """The edition's own bounds: from when on stories count as new, until when they are taken, how old they may be.

    `carry_editions` is how many editions a story without room waits before it is given up.
    """

    since: datetime
    cutoff_at: datetime
    most_age_h: int
    carry_editions: int = 1


def barred(c: Candidate, frame: Frame) -> Fault | None:
    """What bars a story from the whole edition. A carried one is not too old: it was young when it first waited."""
    waits = is_carried(c, frame)
    bars: tuple[tuple[bool, str, Callable[[], dict[str, Any]]], ...] = (
        (c.killed, "killed", dict),
        (c.eligible_at is None, "not_announced", dict),
        (c.sent_at is not None and c.sent_version >= c.version, "already_sent", lambda: {"at": iso(c.sent_at)}),
        (late_s(c, frame) > 0, "missed_cutoff", lambda: {"by_s": late_s(c, frame)}),
        (c.news_at < frame.since, "before_window", lambda: {"since": iso(frame.since)}),
        (
            not waits and c.news_at < frame.cutoff_at - timedelta(hours=frame.most_age_h),
            "too_old",
            lambda: {"hours": frame.most_age_h},
        ),
    )
    return next(((code, params()) for holds, code, params in bars if holds), None)


def is_carried(c: Candidate, frame: Frame) -> bool:
    """Whether it waited for room in the last edition and may still get some."""
    return 0 < c.carried <= frame.carry_editions


def misfit(c: Candidate, rule: Rule, frame: Frame | None) -> Fault | None:
    """What keeps a story out of one block; without a frame, its age is not asked."""
    sections, tags = _folded(c.sections), _folded((*c.sections, *c.tags))
    unwanted = _folded(rule.exclude_topics) & tags
    young = frame is None or rule.most_age_h is None or is_carried(c, frame)
    faults: tuple[tuple[bool, str, dict[str, Any]], ...] = (
        (bool(rule.sources) and c.source_id not in rule.sources, "other_source", {}),
        (
            bool(rule.sections) and not _folded(rule.sections) & sections,
            "other_section",
            {"sections": list(c.sections)},
        ),
        (bool(_folded(rule.exclude) & sections), "excluded_section", {"sections": list(c.sections)}),
        (bool(rule.topics) and not _folded(rule.topics) & tags, "other_topic", {"topics": list(rule.topics)}),
        (bool(unwanted), "excluded_topic", {"topics": sorted(unwanted)}),
        (not young and _is_older(c, frame, rule.most_age_h), "too_old", {"hours": rule.most_age_h}),
    )
    return next(((code, params) for holds, code, params in faults if holds), None)


def _is_older(c: Candidate, frame: Frame | None, hours: int | None) -> bool:
    return frame is not None and hours is not None and c.news_at < frame.cutoff_at - timedelta(hours=hours)


def iso(at: datetime | None) -> str | None:
    """An instant as reasons keep it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def late_s(c: Candidate, frame: Frame) -> int:
    """Whole seconds after the cut-off, rounded up; 0 or less for a story that made it."""
    return ceil((c.eligible_at - frame.cutoff_at).total_seconds()) if c.eligible_at else 0


def _folded(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)
