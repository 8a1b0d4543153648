"""Steering the mail of an edition: pause, go on, cancel, confirm, the rest, those in doubt."""

from __future__ import annotations

from typing import Annotated

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Before, Id, Size, Why, among, once, part, told, turned
from pipeline.api.bearer import Asked, editor, touch
from pipeline.api.editions.shapes import SendDone, SendRow, send_row
from pipeline.delivery import send as sending
from pipeline.delivery.course import doubts, drift, rest
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.acts.review import Refused
from pipeline.staff.models import Grant, User

router = Router(tags=["sends"])
DeliveryState = Annotated[Delivery.State, among(Delivery.State)]
SEND = "/editions/{int:edition_id}/send"


class ConfirmBody(Schema):
    """The number of readers, to prove that somebody read it."""

    readers: Annotated[int, Field(ge=0, le=2**31 - 1)]


class DeliveryRow(Schema):
    """One reader's mail. The address, and what the server said of it, are shown at the desk only."""

    id: int
    state: str
    smtp_code: int
    tries: int


class DeliveryPage(Schema):
    """A page of deliveries, the newest first."""

    deliveries: list[DeliveryRow]
    next: int | None


@router.get(SEND, response=told(SendRow), summary="Progress of a send")
def show_send(request: Asked, edition_id: Id) -> SendRow:  # noqa: ARG001
    """How far it is, by the state of its deliveries."""
    return send_row(get_object_or_404(Send, edition_id=edition_id))


@router.get(f"{SEND}/deliveries", response=told(DeliveryPage), summary="List deliveries of a send")
def list_deliveries(
    request: Asked,
    edition_id: Id,
    state: DeliveryState | None = None,
    before: Before = None,
    size: Size = 25,
) -> DeliveryPage:
    """Every delivery, by state where asked."""
    editor(request)
    found = Delivery.objects.filter(send=get_object_or_404(Send, edition_id=edition_id))
    rows, following = part(found.filter(state=state) if state else found, before=before, size=size)
    return DeliveryPage(deliveries=[DeliveryRow.from_orm(row) for row in rows], next=following)


@router.post(f"{SEND}/pause", response=told(SendDone), summary="Pause a send")
def pause_send(request: Asked, edition_id: Id) -> SendDone:
    """Workers stop within about a second; what was accepted before cannot be recalled."""
    send, actor = _steered(request, edition_id)
    with transaction.atomic():
        state = rest.lock(send.id, actor=actor).state
        if state not in (Send.State.SUBMITTING, Send.State.PAUSED):
            raise Refused(f"This send is {state}: there is nothing to pause. Nothing was changed.")
        done = sending.pause(send_id=send.id, now=timezone.now(), actor=actor)
    return _done(send, *turned(done, said="Paused."))


@router.post(f"{SEND}/resume", response=told(SendDone), summary="Resume a send")
def resume_send(request: Asked, edition_id: Id) -> SendDone:
    """Go on where it stopped; nobody who has it gets it again."""
    send, actor = _steered(request, edition_id)
    with transaction.atomic():
        state = rest.lock(send.id, actor=actor).state
        if state not in (Send.State.SUBMITTING, Send.State.PAUSED):
            raise Refused(f"This send is {state}: it is not paused. Nothing was changed.")
        done = sending.resume(send_id=send.id, now=timezone.now(), actor=actor)
    return _done(send, *turned(done, said="Going on where it stopped."))


@router.post(f"{SEND}/cancel", response=told(SendDone), summary="Cancel what has not left")
def cancel_send(request: Asked, edition_id: Id, body: Why) -> SendDone:
    """Who has not got it will not get it, unless it is sent to the rest later. What was accepted cannot be recalled."""
    send, actor = _steered(request, edition_id)
    with transaction.atomic():
        state = rest.lock(send.id, actor=actor).state
        if state in (Send.State.SUBMITTED, Send.State.FAILED):
            raise Refused(f"This send is {state}: there is nothing left to cancel. Nothing was changed.")
        spared = sending.cancel(send_id=send.id, now=timezone.now(), actor=actor, reason=body.reason)
    done = state != Send.State.CANCELLED
    return _done(send, *turned(done, said=f"Cancelled: {spared} will not get it."))


@router.post(f"{SEND}/confirm", response=told(SendDone), summary="Confirm an unusual audience")
def confirm_send(request: Asked, edition_id: Id, body: ConfirmBody) -> SendDone:
    """Let it leave to more or fewer readers than usual; the number must be the send's own."""
    send, actor = _steered(request, edition_id)
    done = once(
        lambda: drift.confirm(send_id=send.id, actor=actor, typed_count=body.readers, now=timezone.now()),
        refused=Refused,
        already=lambda: Send.objects.filter(id=send.id, confirmed_by=actor, recipients=body.readers).exists(),
        said=f"Confirmed: it leaves to {body.readers} now.",
    )
    return _done(send, *done)


@router.post(f"{SEND}/to-the-rest", response=told(SendDone), summary="Send to those a cancel spared")
def send_to_the_rest(request: Asked, edition_id: Id) -> SendDone:
    """The same send goes on to whoever has not got it; nobody gets it twice."""
    send, actor = _steered(request, edition_id)
    count = rest.to_the_rest(send_id=send.id, actor=actor, now=timezone.now())
    return _done(send, True, f"It goes on to the {count} it had spared.")


@router.post(f"{SEND}/resend-doubts", response=told(SendDone), summary="Send once more to those in doubt")
def resend_doubts(request: Asked, edition_id: Id) -> SendDone:
    """To whoever may or may not have it, under the same message number."""
    send, actor = _steered(request, edition_id)
    count = doubts.settle_doubts(send_id=send.id, actor=actor, resend=True, now=timezone.now())
    return _done(send, *turned(bool(count), said=f"Sent once more to {count} in doubt."))


def _steered(request: Asked, edition_id: int) -> tuple[Send, User]:
    """The send, and whoever asks, if they may steer it."""
    actor = editor(request)
    send = get_object_or_404(Send.objects.select_related("edition"), edition_id=edition_id)
    touch(actor, Grant.Kind.NEWSLETTER, send.edition.newsletter_id)
    return send, actor


def _done(send: Send, done: bool, message: str) -> SendDone:
    send.refresh_from_db()
    return SendDone(done=done, message=message, send=send_row(send))
