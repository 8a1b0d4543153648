"""Writing the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.staff.models import JournalEntry, User

#: An actor's own memory of the token that acts for them; no field, and gone with the request.
_THROUGH = "_acts_through"


def through(actor: User, token: str) -> None:
    """Everything this object does from now on stands in the journal with the name of the token."""
    setattr(actor, _THROUGH, token)


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
    if token := getattr(actor, _THROUGH, ""):
        detail["through"] = token
    return JournalEntry.objects.create(
        at=now, actor=actor, verb=verb, subject=subject, subject_id=subject_id, reason=reason, detail=detail
    )
