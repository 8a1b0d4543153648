"""What was done here, by whom, when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Field, Router, Schema

from pipeline.api.answers import Before, Id, Size, Word, part, told
from pipeline.api.bearer import Asked, editor
from pipeline.staff.models import JournalEntry

router = Router(tags=["journal"])


class Entry(Schema):
    """An act; `by` null is Dateline itself, acting by rule."""

    id: int
    at: datetime
    by: str | None
    through: str | None = Field(description="name of the token it was done with; null at the desk and by rule")
    verb: str
    subject: str
    subject_id: int
    reason: str
    detail: dict[str, Any]


class JournalPage(Schema):
    """A page of the journal, the newest first."""

    entries: list[Entry]
    next: int | None = Field(description="`before` of the next page")


@router.get("/journal", response=told(JournalPage), summary="The journal")
def list_journal(
    request: Asked,
    *,
    verb: Word = "",
    subject: Word = "",
    subject_id: Id | None = None,
    before: Before = None,
    size: Size = 25,
) -> JournalPage:
    """Acts, the newest first; by verb and by what they were done to where asked. Takes an editor's role."""
    editor(request)
    asked = {"verb": verb, "subject": subject, "subject_id": subject_id}
    found = JournalEntry.objects.select_related("actor").filter(
        **{name: value for name, value in asked.items() if value}
    )
    rows, following = part(found, before=before, size=size)
    return JournalPage(entries=[_entry(row) for row in rows], next=following)


def _entry(row: JournalEntry) -> Entry:
    same = ("id", "at", "verb", "subject", "subject_id", "reason", "detail")
    token = row.detail.get("through")
    return Entry(
        **{name: getattr(row, name) for name in same}, by=str(row.actor) if row.actor else None,
        through=token if isinstance(token, str) else None,
    )  # fmt: skip
