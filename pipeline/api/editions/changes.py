"""What people changed in an edition: listed, taken back, brought back, and gone back to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Id, told
from pipeline.api.bearer import Asked
from pipeline.api.editions.deciding import COMPOSING, decided, deciding
from pipeline.api.editions.shapes import EditionDone
from pipeline.editions.acts import revisions, undoing
from pipeline.editions.models import Edition, Revision

router = Router(tags=["editions"])
CHANGES = "/editions/{int:edition_id}/changes"
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]


class ChangeRow(Schema):
    """One act of a person on words or stories. The first of an edition, `begun`, is what stood before any."""

    number: int
    verb: str
    by: str | None
    at: datetime
    article_id: int | None


class Changes(Schema):
    """The acts that stand, oldest first, and those that can be brought back, the next one first."""

    standing: list[ChangeRow]
    taken_back: list[ChangeRow]


class WhichBody(Schema):
    """The act that was looked at: the last that stands for undo, the first that was taken back for redo."""

    number: Number


class RestoreBody(WhichBody):
    """`number`: the act after which it was as wanted. `seen`: the last act that stood when it was looked at."""

    seen: Number


@router.get(CHANGES, response=told(Changes), summary="What people changed")
def list_changes(request: Asked, edition_id: Id) -> Changes:  # noqa: ARG001
    """At most the last hundred acts are kept."""
    done, undone = revisions.standing(get_object_or_404(Edition, id=edition_id))
    return Changes(standing=[_row(act) for act in done], taken_back=[_row(act) for act in undone])


@router.post(f"{CHANGES}/undo", response=told(EditionDone), summary="Take the last change back")
def undo_change(request: Asked, edition_id: Id, body: WhichBody) -> EditionDone:
    """Refused where somebody changed something since: nobody's act is taken back unseen."""
    actor = deciding(request, edition_id)
    which = {"edition_id": edition_id, "number": body.number}
    return decided(edition_id, lambda: undoing.undo(**which, actor=actor, now=timezone.now()).edition, said=COMPOSING)


@router.post(f"{CHANGES}/redo", response=told(EditionDone), summary="Bring a change back")
def redo_change(request: Asked, edition_id: Id, body: WhichBody) -> EditionDone:
    """What was taken back last comes first; a new change forgets all that could be brought back."""
    actor = deciding(request, edition_id)
    which = {"edition_id": edition_id, "number": body.number}
    return decided(edition_id, lambda: undoing.redo(**which, actor=actor, now=timezone.now()).edition, said=COMPOSING)


@router.post(f"{CHANGES}/restore", response=told(EditionDone), summary="Make it as it was then")
def restore_change(request: Asked, edition_id: Id, body: RestoreBody) -> EditionDone:
    """A change of its own, which can be taken back like any other."""
    actor = deciding(request, edition_id)
    which = {"edition_id": edition_id, "number": body.number, "seen": body.seen}
    return decided(
        edition_id, lambda: undoing.restore(**which, actor=actor, now=timezone.now()).edition, said=COMPOSING
    )


def _row(act: Revision) -> ChangeRow:
    by, article = str(act.by) if act.by else None, act.body.get("article")
    return ChangeRow(number=act.number, verb=act.verb, by=by, at=act.at, article_id=article)
