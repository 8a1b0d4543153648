"""What people's hands made of an edition, kept after every act of theirs: undo, redo and "who changed what" read it.

Only hands are kept: where rules decide, composing decides again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from pipeline.editions.models import Edition, Item, Revision
from pipeline.staff.models import User

#: Acts kept of one edition; older ones cannot be undone.
MOST_KEPT = 100
#: What stood before the first act.
BEGUN = "begun"
WORDS = ("subject", "preheader", "note")
_OF_A_STORY = ("pinned", "picked", "position", "overrides", "site")


def begin(edition: Edition, *, now: datetime) -> None:
    """Before a first act: what it will be undone to."""
    if not edition.revisions.exists():
        Revision.objects.create(
            edition=edition, number=edition.revision, at=now, verb=BEGUN, body=picture(edition, article_id=None)
        )


def keep(edition: Edition, *, actor: User, verb: str, now: datetime, article_id: int | None = None) -> None:
    """After an act, in its transaction. What was taken back before it can be brought back no more."""
    body = picture(edition, article_id=article_id)
    Revision.objects.create(edition=edition, number=edition.revision, at=now, by=actor, verb=verb, body=body)
    old = edition.revisions.order_by("-number").values_list("number", flat=True)[MOST_KEPT : MOST_KEPT + 1]
    if beyond := list(old):
        edition.revisions.filter(number__lte=beyond[0]).delete()


def picture(edition: Edition, *, article_id: int | None) -> dict[str, Any]:
    """Words and places by hand, as plain data; stories by the number of their article."""
    rows = edition.items.filter(Q(pinned=True) | ~Q(overrides={})).select_related("block")
    return {
        "article": article_id,
        "words": {name: getattr(edition, name) for name in WORDS} | {"edited": edition.edited},
        "stories": {str(row.article_id): _story(row) for row in rows},
    }


def _story(row: Item) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _OF_A_STORY} | {"block": row.block.position if row.block else None}


def standing(edition: Edition) -> tuple[list[Revision], list[Revision]]:
    """The acts that stand, and those that can be brought back, each in their order."""
    rows = list(edition.revisions.select_related("by").order_by("number"))
    done = [row for row in rows if not row.undone]
    last = done[-1].number if done else 0
    return done, [row for row in rows if row.undone and row.number > last]
