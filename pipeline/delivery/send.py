"""A send from its plan to its end: freeze, verify, pause, resume, cancel, finish."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value

from pipeline.articles.models import Article
from pipeline.delivery.course import brake, doubts
from pipeline.delivery.course.barred import holds_barred_story, holds_killed_story
from pipeline.delivery.course.drift import confirm, steer, usual
from pipeline.delivery.course.freeze import CountsDiffer, forget, freeze, uncounted
from pipeline.delivery.course.pace import due_again, wake_due
from pipeline.delivery.course.rest import to_the_rest
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.models import Edition, Newsletter, Rendering
from pipeline.engagement.models import Link, Origin
from pipeline.hooks.tell import tell
from pipeline.kernel.queue import Job, ring, wake
from pipeline.staff.journal import note
from pipeline.staff.models import User

__all__ = [
    "LEAVING_OUT", "CountsDiffer", "begin", "cancel", "confirm", "finish", "fresh_origin_id", "holds_killed_story",
    "pause", "prepare", "resume", "settle_doubts", "sweep", "to_the_rest",
]  # fmt: skip

RING_AFTER = timedelta(seconds=5)
RING_AT_MOST = 64
#: The code of a send that stands still while what has not left is rendered without a killed story.
LEAVING_OUT = "leaving_out"
settle_doubts = doubts.settle_doubts


@transaction.atomic
def begin(
    *, edition_id: int, now: datetime, departures: Mapping[str, datetime] | None = None, by_hand: bool = False
) -> bool:
    """Take an approved edition whose undo window has passed; True if this caller won it.

    A killed, embargoed or held story stops it, in the statement that takes it: its stories are locked first, so that
    an embargo set at the same moment comes before it or after it, and is never missed. No joins: Django would move
    every condition into a subquery, which PostgreSQL does not look at again after it waited for the row, and two
    callers would win. Of a newsletter that was paused or ended a moment ago, only what a person approved leaves,
    or has sent `by_hand`. `departures` are the instants of readers' zones, where readers are mailed at their own clock.
    """
    list(_stories(edition_id).select_for_update(no_key=True).values_list("id"))
    runs = Newsletter.objects.filter(id=OuterRef("newsletter_id"), state=Newsletter.State.ACTIVE)
    won = Edition.objects.filter(
        Q(approved_by__isnull=False) | Exists(runs) | Q(Value(by_hand)),
        ~holds_barred_story(),
        Exists(Rendering.objects.filter(edition_id=OuterRef("id"))),
        id=edition_id,
        state=Edition.State.APPROVED,
        leaves_at__lte=now,
    ).update(state=Edition.State.SENDING)
    if not won:
        return False
    edition = Edition.objects.select_related("rendering").get(id=edition_id)
    origin = Origin.objects.create(id=fresh_origin_id(), kind=Origin.Kind.EDITION, started_at=now)
    Link.objects.bulk_create([_link(origin, row) for row in edition.rendering.links])
    Edition.objects.filter(id=edition_id).update(origin=origin)
    params = {"departures": {zone: at.isoformat() for zone, at in departures.items()}} if departures else {}
    send = Send.objects.create(edition=edition, origin=origin, created_at=now, params=params)
    wake(Job.DELIVERY_PREPARE, send_id=send.id)
    return True


def _stories(edition_id: int) -> Any:
    carried = Edition.objects.filter(id=edition_id, state=Edition.State.APPROVED, items__picked=True)
    return Article.objects.filter(id__in=carried.values("items__article_id")).order_by("id")


def prepare(*, send_id: int, now: datetime) -> int | None:
    """Freeze the audience and cut it into batches, all or nothing; the frozen count, or None if not ours to do.

    An unusual audience is not mailed before a person has confirmed it (`course.drift` states the rule).
    """
    started = Send.objects.filter(id=send_id, state__in=[Send.State.PLANNED, Send.State.PREPARING])
    if not started.update(state=Send.State.PREPARING):
        return None
    try:
        return _freeze(send_id=send_id, now=now)
    except CountsDiffer as error:
        Send.objects.filter(id=send_id).update(
            state=Send.State.FAILED, code="counts_differ", params={"counts": str(error)}, ended_at=now
        )
        raise


@transaction.atomic
def _freeze(*, send_id: int, now: datetime) -> int | None:
    send = (
        Send.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("edition__newsletter")
        .filter(id=send_id, state=Send.State.PREPARING)
        .first()
    )
    if send is None:
        return None
    send.expected = usual(newsletter_id=send.edition.newsletter_id, before=send.edition.slot_at).expected
    frozen = freeze(send=send, now=now)
    state, code, params = steer(send, frozen=frozen)
    Send.objects.filter(id=send_id).update(state=state, code=code, params=params, expected=send.expected)
    if state == Send.State.SUBMITTING:
        wake_due(send_id=send_id, now=now)
    if not frozen:
        transaction.on_commit(lambda: finish(send_id=send_id, now=now))
    return frozen


def finish(*, send_id: int, now: datetime) -> bool:
    """Close a send whose every batch is done and whose every reader has an end; True if this call closed it.

    Where the newsletter's policy resends what is in doubt, it goes on once more instead. Rows that do not add up to
    the frozen count fail it aloud; nothing is lost, and `to_the_rest` goes on with whoever is open.
    """
    if Batch.objects.filter(send_id=send_id).exclude(state=Batch.State.DONE).exists():
        return False
    with transaction.atomic():
        rows = Send.objects.select_for_update(of=("self",), no_key=True).select_related("edition__newsletter")
        send = rows.filter(id=send_id, state=Send.State.SUBMITTING).first()
        if send is None or Batch.objects.filter(send_id=send_id).exclude(state=Batch.State.DONE).exists():
            return False
        if doubts.by_policy(send, now=now):
            return False
        if difference := uncounted(send):
            _fail(send, difference, now=now)
            return False
        Send.objects.filter(id=send_id).update(state=Send.State.SUBMITTED, ended_at=now)
        Edition.objects.filter(id=send.edition_id, state=Edition.State.SENDING).update(
            state=Edition.State.SENT, ended_at=now
        )
        forget(send_id=send_id)
        tell(event="edition.sent", body=_told(send), now=now)
    return True


def _told(send: Send) -> dict[str, Any]:
    edition = send.edition
    return {
        "id": edition.id,
        "newsletter": edition.newsletter.slug,
        "slot_at": edition.slot_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recipients": send.recipients,
    }


def _fail(send: Send, difference: str, *, now: datetime) -> None:
    """Mail has left, so it is another failure than that of a freeze."""
    Send.objects.filter(id=send.id).update(
        state=Send.State.FAILED, code="counts_differ_after", params={"counts": difference}, ended_at=now
    )
    note(verb="fail", subject="send", subject_id=send.id, now=now, reason=difference)


def pause(*, send_id: int, now: datetime, actor: User | None = None, code: str = "paused", **params: Any) -> bool:
    """Stop submitting: holders of batches look at the send at least once a second."""
    return _move(send_id, Send.State.SUBMITTING, Send.State.PAUSED, now=now, actor=actor, code=code, params=params)


@transaction.atomic
def resume(*, send_id: int, now: datetime, actor: User | None = None) -> bool:
    """Go on where it stopped. With a killed story it goes on without it, as soon as what is left is rendered again."""
    rows = Send.objects.select_for_update(of=("self",), no_key=True).select_related("edition__newsletter")
    send = rows.filter(id=send_id, state=Send.State.PAUSED).first()
    if send is None:
        return False
    if Edition.objects.filter(holds_killed_story(), id=send.edition_id).exists():
        Send.objects.filter(id=send_id).update(code=LEAVING_OUT, params={})
        note(verb=LEAVING_OUT, subject="send", subject_id=send_id, now=now, actor=actor)
        return True
    _move(send_id, Send.State.PAUSED, Send.State.SUBMITTING, now=now, actor=actor, code="", params={})
    due_again(send=send, now=now)
    wake_due(send_id=send_id, now=now)
    return True


_OPEN = (
    Send.State.PLANNED,
    Send.State.PREPARING,
    Send.State.SUBMITTING,
    Send.State.PAUSED,
    Send.State.ASKING,
)


@transaction.atomic
def cancel(*, send_id: int, now: datetime, actor: User | None, reason: str) -> int:
    """Cancel what has not left; returns how many will not receive it. What is accepted cannot be recalled."""
    if not Send.objects.filter(id=send_id, state__in=_OPEN).update(state=Send.State.CANCELLED, ended_at=now):
        return 0
    untaken = Batch.objects.filter(send_id=send_id, state=Batch.State.PENDING).order_by("id")
    list(untaken.select_for_update(no_key=True).values_list("id"))  # what is being taken now is its holder's to end
    spared = Delivery.objects.filter(
        Exists(Batch.objects.filter(id=OuterRef("batch_id"), state=Batch.State.PENDING)),
        send_id=send_id,
        state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED],
    ).update(state=Delivery.State.CANCELLED, reason=reason[:300])
    forget(send_id=send_id)
    Edition.objects.filter(send__id=send_id).update(state=Edition.State.CANCELLED, code="cancelled", ended_at=now)
    note(verb="cancel", subject="send", subject_id=send_id, now=now, actor=actor, reason=reason, spared=spared)
    return spared


@transaction.atomic
def _move(
    send_id: int,
    old: Send.State,
    new: Send.State,
    *,
    now: datetime,
    actor: User | None,
    code: str,
    params: dict[str, Any],
) -> bool:
    moved = Send.objects.filter(id=send_id, state=old).update(state=new, code=code, params=params)
    if moved:
        note(verb=new.value, subject="send", subject_id=send_id, now=now, actor=actor, reason=code, **params)
    return bool(moved)


def fresh_origin_id() -> int:
    """A random 32-bit number; a collision violates the primary key and the caller's transaction tries again."""
    return secrets.randbelow(2**32 - 1) + 1


def _link(origin: Origin, row: dict[str, Any]) -> Link:
    return Link(
        origin=origin,
        number=row["number"],
        url=row["url"],
        kind=row["kind"],
        slot=row["slot"],
        article_id=row["article_id"],
    )


def sweep(*, now: datetime) -> int:
    """Ring again for sends and batches nobody is working on; returns how many bells were rung.

    A batch is rung at most every few seconds: the bell is a hint, the claim decides. A bell that rang in the future was
    rung by a clock that was wrong, and says nothing (found by chaos: two hours of silence after a clock stepped back).
    """
    stuck = Send.objects.filter(state__in=[Send.State.PLANNED, Send.State.PREPARING], created_at__lt=now - RING_AFTER)
    for send_id in stuck.values_list("id", flat=True):
        ring(Job.DELIVERY_PREPARE, send_id=send_id)
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - RING_AFTER) | Q(rung_at__gt=now + RING_AFTER)
    takeable = Q(state=Batch.State.PENDING, due_at__lte=now) | Q(state=Batch.State.CLAIMED, lease_until__lt=now)
    going = Q(send__state=Send.State.CANCELLED, state=Batch.State.CLAIMED)
    if not brake.is_pulled():
        going |= Q(send__state=Send.State.SUBMITTING)
    due = Batch.objects.filter(quiet & takeable & going).order_by("due_at")[:RING_AT_MOST]
    waiting = list(due.values_list("id", flat=True))
    Batch.objects.filter(id__in=waiting).update(rung_at=now)
    for batch_id in waiting:
        ring(Job.DELIVERY_SUBMIT, batch_id=batch_id)
    for send_id in Send.objects.filter(state=Send.State.SUBMITTING).values_list("id", flat=True):
        finish(send_id=send_id, now=now)
    unanswered = Send.objects.filter(state__in=[Send.State.ASKING, Send.State.PAUSED], expires_at__lte=now)
    for send_id in unanswered.values_list("id", flat=True):
        cancel(send_id=send_id, now=now, actor=None, reason="nobody decided while it was news")
    return len(waiting)
