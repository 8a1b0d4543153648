"""Looking at editions: a list, one whole, its message."""

from __future__ import annotations

from typing import Annotated

from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema

from pipeline.api.answers import Before, Id, Moment, Size, among, part, told
from pipeline.api.bearer import Asked
from pipeline.api.editions.shapes import EditionRow, EditionWhole, edition_row, edition_whole, editions
from pipeline.editions.acts.ordering import loaded
from pipeline.editions.models import Edition, Rendering

router = Router(tags=["editions"])
EditionState = Annotated[Edition.State, among(Edition.State)]


class EditionPage(Schema):
    """A page of editions, the newest first."""

    editions: list[EditionRow]
    next: int | None


class Message(Schema):
    """What leaves, as it was last rendered, with the slots of single readers still open."""

    revision: int
    subject: str
    preheader: str
    html: str
    text: str
    links: Annotated[int, Field(description="how many links are counted")]
    largest_bytes: int


@router.get("/editions", response=told(EditionPage), summary="List editions")
def list_editions(
    request: Asked,  # noqa: ARG001
    *,
    newsletter_id: Id | None = None,
    state: EditionState | None = None,
    slot_from: Moment | None = None,
    slot_to: Moment | None = None,
    before: Before = None,
    size: Size = 25,
) -> EditionPage:
    """Editions, the newest first; by newsletter, state and slot (from, up to but without) where asked."""
    asked = {"newsletter_id": newsletter_id, "state": state, "slot_at__gte": slot_from, "slot_at__lt": slot_to}
    found = editions().filter(**{name: value for name, value in asked.items() if value is not None})
    rows, following = part(found, before=before, size=size)
    return EditionPage(editions=[edition_row(row) for row in rows], next=following)


@router.get("/editions/{int:edition_id}", response=told(EditionWhole), summary="One edition")
def show_edition(request: Asked, edition_id: Id) -> EditionWhole:  # noqa: ARG001
    """An edition with its stories in reading order, those left out, every reason, preflight's findings, and its send."""
    return edition_whole(get_object_or_404(editions(), id=edition_id), loaded(edition_id))


@router.get("/editions/{int:edition_id}/message", response=told(Message), summary="The rendered message")
def show_message(request: Asked, edition_id: Id) -> Message:  # noqa: ARG001
    """The message as the renderer that sends it made it; not found where the edition was never composed."""
    row = get_object_or_404(Rendering, edition_id=edition_id)
    same = ("revision", "subject", "preheader", "html", "text", "largest_bytes")
    return Message(**{name: getattr(row, name) for name in same}, links=len(row.links))
