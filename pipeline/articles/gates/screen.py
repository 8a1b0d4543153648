"""The gates between what was seen and what may be announced (the watching reference section 7).

Pure: every fact comes in, `now` with them. The gates are asked in order and the first that closes answers, so a
re-import, a GUID flip or a restored backup ends as `duplicate`, `archived` or `held`, never as a mass mailing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from pipeline.articles.gates.likeness import SIMILAR

MAX_AGE = timedelta(hours=36)
REPUBLISHED_AFTER = timedelta(days=3)  #: a dateline this much older than the publication is an old story
FUTURE_LIMIT = timedelta(hours=24)  #: a claimed date further ahead is a fault; wrong zones stay below it
CAUTIOUS_FOR = timedelta(hours=6)
OUTAGE = timedelta(hours=24)
BURST_AT_LEAST = 5
BURST_TIMES_P99 = 3
COMPARED_FOR = timedelta(days=14)  #: an older text under another title is not asked
MOST_COMPARED = 500
#: A source that tells at once may do so twice a minute; the third story waits as others do.
QUICK_MOST, QUICK_WITHIN, SETTLE_OF_THE_QUICK = 2, timedelta(seconds=60), timedelta(seconds=60)


class State(StrEnum):
    """Where screening can leave an article; only ELIGIBLE may be announced."""

    ELIGIBLE = "eligible"
    BASELINE = "baseline"
    ARCHIVED = "archived"
    HELD = "held"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Decision:
    """A state, the gate that gave it (`code`), and the figures it weighed (`params`, plain JSON values)."""

    state: State
    code: str
    params: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one article when it is screened. Instants are aware UTC.

    `same_as` names the article any alias already belongs to, or the most similar one with its `similarity`.
    `migrating` is `identity_break` of the batch it came with, `title_known` whether its title is one we know.
    `fresh_in_hour` counts newly eligible articles of the source in 60 minutes, this one's whole batch included;
    `usual_per_hour` is the source's 99th percentile over 28 days. `announced_today` is held against `daily_budget`.
    """

    now: datetime
    first_seen: datetime
    baseline_at: datetime | None
    looks: int = 2  #: successful looks at the source so far; announcing starts with the second
    was_there_before: bool = False  #: first seen in the baseline look itself
    published: datetime | None = None
    published_is_day: bool = False  #: the site gave a day without a time
    dateline_date: date | None = None
    same_as: int | str | None = None
    similarity: float = 1.0
    title_known: bool = False
    migrating: bool = False
    embargo: str | None = None
    retraction: str | None = None
    fresh_in_hour: int = 1
    usual_per_hour: float = 0.0
    cautious_until: datetime | None = None
    cautious_because: str = ""
    announced_today: int = 0
    daily_budget: int | None = None
    stopped: bool = False  #: the global kill switch


def screen(facts: Facts) -> Decision:
    """The first closed gate's answer, or eligible."""
    for gate in GATES:
        decision = gate(facts)
        if decision is not None:
            return decision
    return Decision(State.ELIGIBLE, "news", {} if facts.published else {"dated": "first_seen"})


def identity_break(sightings: Sequence[tuple[bool, bool]]) -> bool:
    """Did a site rename its stories? One (id is known, link or title is known) for each entry of a feed.

    At least 3 and half of all ids are new, while at least half of those are stories we have under another name.
    """
    new = [known_otherwise for id_known, known_otherwise in sightings if not id_known]
    return len(new) >= 3 and len(new) * 2 >= len(sightings) and sum(new) * 2 >= len(new)


def burst_limit(usual_per_hour: float) -> float:
    """How many new stories an hour are believed without asking a person."""
    return max(BURST_AT_LEAST, BURST_TIMES_P99 * usual_per_hour)


def source_event(
    *, generator_changed: bool = False, address_changed: bool = False, silent_for: timedelta = timedelta(0),
    total_jump: int = 0, listed: int = 0, revised_share: float = 0.0,
) -> str | None:  # fmt: skip
    """Why a source must be treated with caution for CAUTIOUS_FOR, or None.

    `total_jump` is the growth of X-WP-Total, `listed` how many new entries explain it; `revised_share` is the part
    of known articles that changed at once.
    """
    if generator_changed or address_changed:
        return "generator changed" if generator_changed else "address changed"
    if silent_for > OUTAGE:
        return "first answer after an outage"
    if total_jump > listed + burst_limit(0):
        return "more posts than the site lists"
    return "many known articles changed at once" if revised_share > 0.3 else None


def _known(facts: Facts) -> Decision | None:
    if facts.same_as is not None and facts.similarity >= SIMILAR:
        similarity = {} if facts.similarity == 1.0 else {"similarity": round(facts.similarity, 3)}
        return Decision(State.DUPLICATE, "same_story", {"article": facts.same_as, **similarity})
    if facts.migrating and facts.title_known:
        return Decision(State.DUPLICATE, "renamed_by_site", {})
    return None


def _first_look(facts: Facts) -> Decision | None:
    if facts.baseline_at is None or facts.looks < 2 or facts.was_there_before:
        return Decision(State.BASELINE, "first_look", {})
    return None


def aged(facts: Facts) -> Decision | None:
    """The gate of age. An undated article, and one dated by a fault in the future, counts from its first sight."""
    claimed = facts.published
    if claimed is None or facts.baseline_at is None or claimed > facts.now + FUTURE_LIMIT:
        claimed = facts.first_seen
    latest = claimed + timedelta(days=1) if facts.published_is_day else claimed
    if latest < facts.now - MAX_AGE:
        hours = int((facts.now - latest).total_seconds() // 3600)
        return Decision(State.ARCHIVED, "old", {"hours": hours, "published": _iso(claimed)})
    if facts.baseline_at and latest < facts.baseline_at:
        return Decision(
            State.ARCHIVED,
            "before_baseline",
            {"published": _iso(claimed), "baseline": _iso(facts.baseline_at)},
        )
    return _republished(facts, claimed)


def _republished(facts: Facts, claimed: datetime) -> Decision | None:
    if facts.dateline_date is None:
        return None
    days = (claimed.astimezone(UTC).date() - facts.dateline_date).days
    if days > REPUBLISHED_AFTER.days:
        return Decision(State.ARCHIVED, "republished", {"dateline": facts.dateline_date.isoformat(), "days": days})
    return None


def _withheld(facts: Facts) -> Decision | None:
    """An embargo is lifted by a person, never by a clock."""
    if facts.embargo:
        return Decision(State.HELD, "embargo", {"text": facts.embargo[:300]})
    if facts.retraction:
        return Decision(State.HELD, "retraction", {"text": facts.retraction[:300]})
    return None


def _burst(facts: Facts) -> Decision | None:
    limit = burst_limit(facts.usual_per_hour)
    if facts.fresh_in_hour > limit:
        return Decision(State.HELD, "burst", {"fresh": facts.fresh_in_hour, "limit": round(limit, 1)})
    return None


def _cautious(facts: Facts) -> Decision | None:
    if facts.cautious_until and facts.now < facts.cautious_until:
        because = {"because": facts.cautious_because} if facts.cautious_because else {}
        return Decision(State.HELD, "source_event", {"until": _iso(facts.cautious_until), **because})
    return None


def _budget(facts: Facts) -> Decision | None:
    if facts.stopped:
        return Decision(State.HELD, "stopped", {})
    if facts.daily_budget is not None and facts.announced_today >= facts.daily_budget:
        return Decision(State.HELD, "budget", {"announced": facts.announced_today, "budget": facts.daily_budget})
    return None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


GATES: tuple[Callable[[Facts], Decision | None], ...] = (
    _known,
    _first_look,
    aged,
    _withheld,
    _burst,
    _cautious,
    _budget,
)
