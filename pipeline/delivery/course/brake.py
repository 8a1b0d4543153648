"""Stop all sending: one row that every claim and every holder of a batch looks for."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pipeline.delivery.course import pace
from pipeline.delivery.models import Delivery, Send
from pipeline.staff.journal import note
from pipeline.staff.models import Stop, User


def is_pulled() -> bool:
    """Whether sending is stopped."""
    return Stop.objects.filter(kind=Stop.Kind.SENDING).exists()


@transaction.atomic
def pull(*, actor: User | None, now: datetime, reason: str) -> bool:
    """Stop all mail: no batch is taken after this commits, and one that is being sent ends as a pause ends it.

    Editions keep being composed and approved. True if sending was not stopped before.
    """
    stop, made = Stop.objects.get_or_create(
        kind=Stop.Kind.SENDING, defaults={"at": now, "by": actor, "reason": reason}
    )  # fmt: skip
    if made:
        note(verb="stop", subject="sending", subject_id=stop.id, now=now, actor=actor, reason=reason, waiting=waiting())
    return made


@transaction.atomic
def release(*, actor: User | None, now: datetime) -> bool:
    """Let go of the brake: what waited leaves, at its newsletter's pace; what is too old for it does not. True if it was pulled."""
    gone, _ = Stop.objects.filter(kind=Stop.Kind.SENDING).delete()
    if not gone:
        return False
    note(verb="resume", subject="sending", subject_id=0, now=now, actor=actor)
    for send in Send.objects.filter(state=Send.State.SUBMITTING).select_related("edition__newsletter"):
        pace.due_again(send=send, now=now)
        pace.wake_due(send_id=send.id, now=now)
    return True


def waiting() -> int:
    """How many mails of sends under way have not left."""
    open_ = [Delivery.State.PENDING, Delivery.State.DEFERRED]
    return Delivery.objects.filter(send__state=Send.State.SUBMITTING, state__in=open_).count()
