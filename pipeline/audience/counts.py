"""How many readers an edition would reach, and why not all who chose it: in numbers, never by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from pipeline.audience.models import Segment
from pipeline.audience.recipients import due, sums
from pipeline.audience.segments.mailing import narrowing


@dataclass(frozen=True, slots=True)
class Audience:
    """Active readers who chose a topic; each of those passed over is counted under one reason."""

    chose: int
    suppressed: int = 0
    resting: int = 0  #: were asked whether they still want it, and did not answer
    paused: int = 0
    fewer: int = 0  #: asked for at most one a day or week, and had it
    outside: int = 0  #: of the newsletter's segment

    @property
    def due(self) -> int:
        """Whom the freeze would take."""
        return self.chose - self.suppressed - self.resting - self.paused - self.fewer - self.outside


def count(*, topic_id: int, segment: Segment | None, slot_at: datetime, now: datetime, rests: bool = False) -> int:
    """How many readers the freeze of an edition of that slot would take now."""
    condition, chosen = narrowing(segment, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({due(condition=condition, rests=rests)}) AS r",  # noqa: S608 - our own statement
            {"topic": topic_id, "slot": slot_at, **chosen},
        )
        return int(cursor.fetchone()[0])


def audience(
    *, topic_id: int, segment: Segment | None, slot_at: datetime, now: datetime, rests: bool = False
) -> Audience:
    """The same count, with everybody it leaves out."""
    condition, chosen = narrowing(segment, now=now)
    with connection.cursor() as cursor:
        cursor.execute(sums(condition=condition, rests=rests), {"topic": topic_id, "slot": slot_at, **chosen})
        return Audience(*cursor.fetchone())


@dataclass(frozen=True, slots=True)
class Counted:
    """An audience and when it was counted; `at` is None where it was counted just now."""

    found: Audience
    at: datetime | None = None


#: Audiences of so many are counted once for everybody who looks within KEPT_FOR: a million take half a second.
LARGE, KEPT_FOR, MOST_KEPT = 50_000, timedelta(minutes=5), 200
_kept: dict[tuple[object, ...], Counted] = {}


def lately(
    *, topic_id: int, segment: Segment | None, slot_at: datetime, now: datetime, rests: bool = False
) -> Counted:  # fmt: skip
    """`audience` for a page: a large one may be some minutes old, and says so. Nothing is decided by it: a freeze counts."""
    key = (topic_id, segment.id if segment else None, repr(segment.rule) if segment else "", slot_at, rests)
    known = _kept.get(key)
    if known is not None and known.at is not None and timedelta(0) <= now - known.at < KEPT_FOR:
        return known
    found = audience(topic_id=topic_id, segment=segment, slot_at=slot_at, now=now, rests=rests)
    if found.chose >= LARGE:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = Counted(found, now)
    return Counted(found)
