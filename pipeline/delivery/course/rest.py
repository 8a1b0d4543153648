"""Opening a send again for those who lack the edition; whoever has it is not touched."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from pipeline.delivery.course.barred import holds_barred_story
from pipeline.delivery.course.freeze import remember_again
from pipeline.delivery.course.pace import due_again, wake_due
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition
from pipeline.kernel.queue import Job, wake
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, User
from pipeline.staff.people import may_touch

NOT_YOURS = "Your role may look at sends but not change them. Nothing was changed; ask a desk head."
_OPEN = (Delivery.State.PENDING, Delivery.State.DEFERRED)


@transaction.atomic
def to_the_rest(*, send_id: int, actor: User, now: datetime) -> int:
    """Send a cancelled or failed send to those it spared; how many they are. Raises Refused.

    The same send goes on, so that an edition keeps one send and nobody can be in two. Before a freeze there was
    nobody yet: the audience is frozen now.
    """
    send = lock(send_id, actor=actor)
    if send.state not in (Send.State.CANCELLED, Send.State.FAILED):
        raise Refused(f"This send is {send.state}: there is no rest to send to. Nothing was changed.")
    if (send.expires_at or send.created_at + timedelta(seconds=send.edition.newsletter.keeps_s)) <= now:
        raise Refused("This edition is no news any more. Nothing was sent; its stories stay where they are.")
    if Edition.objects.filter(holds_barred_story(), id=send.edition_id).exists():
        raise Refused(
            "A story of it was killed or is under embargo. Nothing was sent: take it out of the next edition."
        )
    if send.prepared_at is None:
        return _anew(send, actor=actor, now=now)
    count = Delivery.objects.filter(send_id=send.id, state=Delivery.State.CANCELLED).update(
        state=Delivery.State.PENDING, reason="", next_try_at=None
    )
    remember_again(send_id=send.id)
    note(verb="to_the_rest", subject="send", subject_id=send.id, now=now, actor=actor, readers=count)
    open_again(send, now=now)
    return count


def _anew(send: Send, *, actor: User, now: datetime) -> int:
    Send.objects.filter(id=send.id).update(state=Send.State.PLANNED, code="", ended_at=None)
    _leaving(send)
    note(verb="to_the_rest", subject="send", subject_id=send.id, now=now, actor=actor, readers=0)
    wake(Job.DELIVERY_PREPARE, send_id=send.id)
    return 0


def lock(send_id: int, *, actor: User | None) -> Send:
    """The send, locked in the caller's transaction, if this person may change it. Raises Refused."""
    if actor is not None and not actor.may_edit:
        raise Refused(NOT_YOURS)
    rows = Send.objects.select_for_update(of=("self",), no_key=True).select_related("edition__newsletter")
    send = rows.get(id=send_id)
    if actor is not None and not may_touch(actor, Grant.Kind.NEWSLETTER, send.edition.newsletter_id):
        raise Refused(NOT_YOURS)
    return send


def open_again(send: Send, *, now: datetime) -> None:
    """Let a locked send go on: done batches that hold somebody open are due again, in the caller's transaction."""
    somebody = Exists(Delivery.objects.filter(batch_id=OuterRef("id"), state__in=_OPEN))
    Batch.objects.filter(somebody, send_id=send.id, state=Batch.State.DONE).update(
        state=Batch.State.PENDING, due_at=now
    )
    due_again(send=send, now=now)
    Send.objects.filter(id=send.id).update(state=Send.State.SUBMITTING, code="", params={}, ended_at=None)
    _leaving(send)
    wake_due(send_id=send.id, now=now)


def _leaving(send: Send) -> None:
    Edition.objects.filter(id=send.edition_id).update(state=Edition.State.SENDING, code="", ended_at=None)
