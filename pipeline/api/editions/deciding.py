"""What people decide about an edition before it leaves: approve, take back, skip, write, alert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Id, Line, Paragraphs, Reason, Revision, once, told
from pipeline.api.bearer import Asked, editor, touch
from pipeline.api.editions.shapes import EditionDone, row_of
from pipeline.editions.acts import alerts, review
from pipeline.editions.models import Edition, Newsletter
from pipeline.staff.models import Grant, User

router = Router(tags=["editions"])
COMPOSING = "Kept; a worker composes it again now."


class AtRevision(Schema):
    """The revision the program looked at."""

    revision: Revision


class SkipBody(AtRevision):
    """Why there is none this time."""

    reason: Reason


class WordsBody(AtRevision):
    """The words above the stories."""

    subject: Line
    preheader: Line
    note: Paragraphs = ""


class AlertBody(Schema):
    """One story to alarm readers with."""

    newsletter_id: Id
    article_id: Id
    so_what: Annotated[Paragraphs, Field(max_length=alerts.LONGEST_SO_WHAT, description="what it means, in two lines")]
    despite: Line = Field("", description="a desk head's reason to go on although readers were alarmed lately")


@router.post("/editions/{int:edition_id}/approve", response=told(EditionDone), summary="Approve")
def approve_edition(request: Asked, edition_id: Id, body: AtRevision) -> EditionDone:
    """Let it leave at its slot, or when the undo window has passed. Asked for again, nothing is done."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: review.approve(edition_id=edition_id, revision=body.revision, actor=actor, now=timezone.now()),
        already=lambda row: row.state == Edition.State.APPROVED and row.revision == body.revision + 1,
        said="Approved. Until it leaves it can be taken back.",
    )


@router.post("/editions/{int:edition_id}/undo", response=told(EditionDone), summary="Take an approval back")
def undo_approval(request: Asked, edition_id: Id) -> EditionDone:
    """Nothing was sent, and it waits for approval again. Refused once it is leaving."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: review.undo(edition_id=edition_id, actor=actor, now=timezone.now()),
        already=lambda row: row.state == Edition.State.READY and row.code == review.TAKEN_BACK,
        said="Taken back: nothing was sent.",
    )


@router.post("/editions/{int:edition_id}/skip", response=told(EditionDone), summary="Skip")
def skip_edition(request: Asked, edition_id: Id, body: SkipBody) -> EditionDone:
    """Send nothing this time; its stories stay candidates for the next."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: review.skip(
            edition_id=edition_id, revision=body.revision, actor=actor, reason=body.reason, now=timezone.now()
        ),
        already=lambda row: row.state == Edition.State.SKIPPED and row.code == "by_editor",
        said="Skipped: nothing is sent.",
    )


@router.post("/editions/{int:edition_id}/write", response=told(EditionDone), summary="Write subject and note")
def write_edition(request: Asked, edition_id: Id, body: WordsBody) -> EditionDone:
    """Set the subject, the preview line and the editor's note, and compose again."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: review.rewrite(
            edition_id=edition_id, revision=body.revision, actor=actor, subject=body.subject,
            preheader=body.preheader, words=body.note, now=timezone.now(),
        ),
        already=lambda row: row.edited
        and row.revision > body.revision
        and (row.subject, row.preheader, row.note) == (body.subject, body.preheader, body.note),
        said=COMPOSING,
    )  # fmt: skip


@router.post("/editions/{int:edition_id}/compose-again", response=told(EditionDone), summary="Compose again")
def compose_again(request: Asked, edition_id: Id) -> EditionDone:
    """Take it through its rules once more, after a rule or a design was mended; what people wrote stays."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: review.compose_again(edition_id=edition_id, actor=actor, now=timezone.now()),
        already=lambda row: row.state == Edition.State.COLLECTING,
        said=COMPOSING,
    )


@router.post("/alerts", response=told(EditionDone), summary="Raise an alert")
def raise_alert(request: Asked, body: AlertBody) -> EditionDone:
    """Compose an alert of one story, to be approved like any edition. Nothing is sent by this."""
    actor = editor(request)
    get_object_or_404(Newsletter.objects.only("id"), id=body.newsletter_id)
    touch(actor, Grant.Kind.NEWSLETTER, body.newsletter_id)
    row = alerts.raise_alert(
        newsletter_id=body.newsletter_id, article_id=body.article_id, so_what=body.so_what, actor=actor,
        now=timezone.now(), despite=body.despite,
    )  # fmt: skip
    return EditionDone(done=True, message="Raised. Nothing was sent yet: approve it.", edition=row_of(row.id))


def deciding(request: Asked, edition_id: int) -> User:
    """Whoever asks, if they may change this edition."""
    actor = editor(request)
    newsletter_id = get_object_or_404(Edition.objects.only("newsletter_id"), id=edition_id).newsletter_id
    touch(actor, Grant.Kind.NEWSLETTER, newsletter_id)
    return actor


def decided(
    edition_id: int, act: Callable[[], Edition], *, said: str, already: Callable[[Edition], bool] = lambda _: False
) -> EditionDone:
    """Act, and answer with the edition after it. Raises review.Refused."""
    done, message = once(
        act, refused=review.Refused, already=lambda: already(Edition.objects.get(id=edition_id)), said=said
    )
    return EditionDone(done=done, message=message, edition=row_of(edition_id))
