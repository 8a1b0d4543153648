"""Making and changing a segment; counting whom it chooses, for as long as a person waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from pipeline.audience.care.patience import TookTooLong, within
from pipeline.audience.models import Segment
from pipeline.audience.segments.compiling import count
from pipeline.audience.segments.rules import parsed
from pipeline.staff.journal import note
from pipeline.staff.models import User

PATIENCE_MS = 4_000


class Refused(Exception):
    """Why nothing was kept."""


def chosen(rule: object, *, now: datetime) -> int | None:
    """How many readers a rule chooses now; None where counting took too long. Raises UnreadableRule."""
    read = parsed(rule)
    try:
        with within(PATIENCE_MS):
            return count(read, now=now)
    except TookTooLong:
        return None


@transaction.atomic
def keep(
    *, segment_id: int | None, name: str, rule: Mapping[str, Any], actor: User, now: datetime
) -> Segment:  # fmt: skip
    """Make a segment, or change the one of that id. Raises Refused, UnreadableRule, and Segment.DoesNotExist."""
    parsed(rule)
    if not name:
        raise Refused("Give it a name. Nothing was kept.")
    row = Segment(created_at=now) if segment_id is None else Segment.objects.select_for_update().get(id=segment_id)
    old = row.rule if row.id else None
    row.name, row.rule, row.slug = name[:120], dict(rule), row.slug or _free_slug(name)
    row.counted, row.counted_at = chosen(rule, now=now), now
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Refused("Somebody made a segment of this name at the same moment. Look at the list.") from error
    note(
        verb="change segment" if old is not None else "make segment", subject="segment", subject_id=row.id, now=now,
        actor=actor, name=row.name, rule=row.rule, **({"old": old} if old is not None else {}),
    )  # fmt: skip
    return row


def _free_slug(name: str) -> str:
    slug = slugify(name)[:70] or "segment"
    taken = set(Segment.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(s for s in (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3))) if s not in taken)
