"""What becomes of those in doubt: the final dot left us, no answer came, and each may have it or not.

Left alone they stay listed. Resent, each gets the same message under the same Message-ID, so that a mailbox that has
it can tell; some will have it twice. That is a person's decision, or the newsletter's stated policy, once a send.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pipeline.delivery.course.rest import lock, open_again
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Newsletter
from pipeline.staff.journal import note
from pipeline.staff.models import JournalEntry, User

RESENT, LEFT = "resend_doubts", "leave_doubts"
ENDED = (Send.State.SUBMITTED, Send.State.SUBMITTING)


@transaction.atomic
def settle_doubts(*, send_id: int, actor: User, resend: bool, now: datetime) -> int:
    """Resend to those in doubt, or state that they are left alone; how many they are. Raises Refused."""
    send = lock(send_id, actor=actor)
    if resend and send.state not in ENDED:
        raise Refused(f"This send is {send.state}. Nothing was resent: let it end first.")
    if resend and send.expires_at and send.expires_at <= now:
        raise Refused("This edition is no news any more. Nothing was resent; those in doubt stay listed.")
    return _resent(send, now=now, actor=actor) if resend else _left(send, now=now, actor=actor)


def by_policy(send: Send, *, now: datetime) -> int:
    """Apply the newsletter's policy to a locked send that would end now; how many are mailed once more."""
    if send.edition.newsletter.in_doubt != Newsletter.InDoubt.RESEND or (send.expires_at and send.expires_at <= now):
        return 0
    settled = JournalEntry.objects.filter(subject="send", subject_id=send.id, verb__in=(RESENT, LEFT))
    if settled.exists():
        return 0
    return _resent(send, now=now, actor=None)


def _resent(send: Send, *, now: datetime, actor: User | None) -> int:
    doubtful = Delivery.objects.filter(send_id=send.id, state=Delivery.State.UNKNOWN)
    count = doubtful.update(state=Delivery.State.PENDING, reason="", next_try_at=None, answered_at=None)
    if count:
        note(verb=RESENT, subject="send", subject_id=send.id, now=now, actor=actor, resent=count)
        open_again(send, now=now)
    return count


def _left(send: Send, *, now: datetime, actor: User | None) -> int:
    count = Delivery.objects.filter(send_id=send.id, state=Delivery.State.UNKNOWN).count()
    note(verb=LEFT, subject="send", subject_id=send.id, now=now, actor=actor, left=count)
    return count
