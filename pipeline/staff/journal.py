"""Writing the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.staff.models import JournalEntry, User


def note(
    *,
    verb: str,
    subject: str,
    subject_id: int,
    now: datetime,
    actor: User | None = None,
    reason: str = "",
    **detail: Any,
) -> JournalEntry:
    """Record an act in the caller's transaction; `actor` None is Dateline itself acting by rule."""
    return JournalEntry.objects.create(
        at=now, actor=actor, verb=verb, subject=subject, subject_id=subject_id, reason=reason, detail=detail
    )
