"""Suppress, lift, end: what desk heads and administrators do for a reader who asked them, with a reason each time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pipeline.audience import subscribe
from pipeline.audience.models import Subscriber, Suppression
from pipeline.audience.suppress import suppress as suppress_address
from pipeline.staff.journal import note
from pipeline.staff.models import Role, User

ORIGIN = "the desk"
#: Why a suppression is not the desk's to lift.
THEIRS = {
    Suppression.Reason.COMPLAINED: "They reported our mail as unwanted. Writing to them again would harm every reader’s mail; "
    "nobody here may lift that.",
    Suppression.Reason.LEFT_ALL: "They asked us never to write again. Only they can undo that: the sign-up form, confirmed "
    "from their own mailbox, lifts it by itself.",
}  # fmt: skip


class Refused(Exception):
    """Why nothing was changed."""


def may(actor: User) -> bool:
    """Whether this person sees readers' addresses and acts for them."""
    return actor.is_active and actor.role in {Role.ADMIN, Role.HEAD} and not actor.is_limited


@transaction.atomic
def suppress(*, subscriber_id: int, actor: User, now: datetime, reason: str) -> bool:
    """Write to this address no more; False where it was suppressed already. Raises Refused."""
    reader = _reader(subscriber_id, actor, reason)
    done = suppress_address(address=reader.address, reason=Suppression.Reason.MANUAL, now=now, detail=ORIGIN)
    if done:
        note(verb="suppress", subject="subscriber", subject_id=reader.id, now=now, actor=actor, reason=reason)
    return done


@transaction.atomic
def lift(*, subscriber_id: int, actor: User, now: datetime, reason: str) -> bool:
    """Write to this address again, as far as it follows anything; False where nothing was suppressed. Raises Refused."""
    reader = _reader(subscriber_id, actor, reason)
    row = Suppression.objects.select_for_update().filter(address_hash=bytes(reader.address_hash)).first()
    if row is None:
        return False
    if row.reason in THEIRS:
        raise Refused(f"{THEIRS[Suppression.Reason(row.reason)]} Nothing was changed.")
    was = row.reason
    row.delete()
    note(
        verb="lift suppression",
        subject="subscriber",
        subject_id=reader.id,
        now=now,
        actor=actor,
        reason=reason,
        was=was,
    )
    return True


@transaction.atomic
def end(*, subscriber_id: int, topic_id: int | None, actor: User, now: datetime, reason: str) -> bool:
    """End one subscription, or with None all of them for good; False where there was nothing to end. Raises Refused."""
    reader = _reader(subscriber_id, actor, reason)
    if topic_id is None:
        was_suppressed = Suppression.objects.filter(address_hash=bytes(reader.address_hash)).exists()
        ended = subscribe.leave_all(subscriber_id=reader.id, origin=ORIGIN, now=now)
        done = ended > 0 or not was_suppressed
    else:
        ended = int(subscribe.leave(subscriber_id=reader.id, topic_id=topic_id, origin=ORIGIN, now=now))
        done = ended > 0
    if done:
        note(
            verb="unsubscribe", subject="subscriber", subject_id=reader.id, now=now, actor=actor, reason=reason,
            topic=topic_id, ended=ended,
        )  # fmt: skip
    return done


def _reader(subscriber_id: int, actor: User, reason: str) -> Subscriber:
    if not may(actor):
        raise Refused("Desk heads and administrators act for readers. Nothing was changed.")
    if not reason:
        raise Refused("Say why, in a few words: it is kept in the journal. Nothing was changed.")
    return Subscriber.objects.select_for_update().exclude(state=Subscriber.State.ERASED).get(id=subscriber_id)
