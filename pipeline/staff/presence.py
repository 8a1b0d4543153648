"""Who has a page open, and at which part of it: said by the page itself, forgotten after a minute of silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.staff.models import Presence, User

HERE_FOR = timedelta(minutes=1)
LONGEST_PART = 80


@dataclass(frozen=True, slots=True)
class Here:
    """Somebody at a page; `part` is what they are at, as the page names it, or empty."""

    name: str
    part: str


def beat(*, user: User, subject: str, subject_id: int, part: str, now: datetime) -> None:
    """Say that they are here. One statement."""
    Presence.objects.bulk_create(
        [Presence(user=user, subject=subject, subject_id=subject_id, part=part[:LONGEST_PART], seen_at=now)],
        update_conflicts=True,
        unique_fields=["user", "subject", "subject_id"],
        update_fields=["part", "seen_at"],
    )


def others(*, subject: str, subject_id: int, but: User, now: datetime) -> list[Here]:
    """Everybody else who is here, by name. One query."""
    rows = Presence.objects.filter(subject=subject, subject_id=subject_id, seen_at__gt=now - HERE_FOR)
    found = rows.exclude(user=but).select_related("user").order_by("user__name", "user_id")
    return [Here(name=str(row.user), part=row.part) for row in found]


def forget(*, now: datetime) -> int:
    """Drop whoever was silent for a minute; how many."""
    return Presence.objects.filter(seen_at__lte=now - HERE_FOR).delete()[0]
