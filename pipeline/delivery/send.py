"""A send from its plan to its end: freeze, verify, pause, resume, cancel, finish."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from pipeline.articles.models import Article
from pipeline.audience.recipients import RECIPIENTS
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.models import Edition, Item, Rendering
from pipeline.engagement.models import Link, Origin
from pipeline.kernel.queue import Job, ring, wake
from pipeline.staff.journal import note
from pipeline.staff.models import User

BATCH_SIZE = 1000
RING_AFTER = timedelta(seconds=5)
RING_AT_MOST = 64


class CountsDiffer(Exception):
    """What was frozen is not what was counted; nothing was kept and the send is failed for a person to see."""


@transaction.atomic
def begin(*, edition_id: int, now: datetime) -> bool:
    """Take an approved edition whose undo window has passed; True if this caller won it. A killed story stops it.

    No joins: Django would move every condition into a subquery, which PostgreSQL does not look at again after it
    waited for the row, and two callers would win.
    """
    won = Edition.objects.filter(
        ~holds_killed_story(),
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
    send = Send.objects.create(edition=edition, origin=origin, created_at=now)
    wake(Job.DELIVERY_PREPARE, send_id=send.id)
    return True


def holds_killed_story() -> Exists:
    """A condition on editions: a story they would carry has been killed since it was chosen."""
    killed = Q(article__state=Article.State.KILLED) | Q(article__killed_at__isnull=False)
    return Exists(Item.objects.filter(killed, edition_id=OuterRef("id"), picked=True))


def prepare(*, send_id: int, now: datetime) -> int | None:
    """Freeze the audience and cut it into batches, all or nothing; the frozen count, or None if not ours to do."""
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
    frozen = _insert_deliveries(send=send, topic_id=send.edition.newsletter.topic_id, now=now)
    Send.objects.filter(id=send_id).update(state=Send.State.SUBMITTING, recipients=frozen, prepared_at=now)
    for batch_id in Batch.objects.filter(send_id=send_id).order_by("number").values_list("id", flat=True):
        wake(Job.DELIVERY_SUBMIT, batch_id=batch_id)
    if not frozen:
        transaction.on_commit(lambda: finish(send_id=send_id, now=now))
    return frozen


def _insert_deliveries(*, send: Send, topic_id: int, now: datetime) -> int:
    values: dict[str, Any] = {"send": send.id, "topic": topic_id, "size": BATCH_SIZE, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_FROZEN, values)
        cursor.execute("SELECT count(*) FROM frozen")
        counted = int(cursor.fetchone()[0])
        cursor.execute(_BATCHES, values)
        cursor.execute(_DELIVERIES, values)
        inserted = int(cursor.rowcount)
        cursor.execute("DROP TABLE frozen")
    if counted != inserted:
        raise CountsDiffer(f"{counted} counted, {inserted} frozen")
    return inserted


_FROZEN = f"""
CREATE TEMPORARY TABLE frozen ON COMMIT DROP AS
SELECT id, address, row_number() OVER (ORDER BY id) AS ordinal FROM ({RECIPIENTS}) AS reader
"""  # noqa: S608 - our own constant
_BATCHES = """
INSERT INTO dateline_batch (send_id, number, state, fence, host, due_at)
SELECT %(send)s, number, 'pending', 0, '', %(now)s
  FROM generate_series(0, (SELECT (count(*) - 1) / %(size)s FROM frozen)) AS number
 WHERE EXISTS (SELECT 1 FROM frozen)
"""
_DELIVERIES = """
INSERT INTO dateline_delivery (send_id, batch_id, subscriber_id, ordinal, address, state, reason, smtp_code, tries)
SELECT %(send)s, batch.id, frozen.id, frozen.ordinal, frozen.address, 'pending', '', 0, 0
  FROM frozen JOIN dateline_batch batch ON batch.send_id = %(send)s AND batch.number = (frozen.ordinal - 1) / %(size)s
"""


def finish(*, send_id: int, now: datetime) -> bool:
    """Close a send whose every batch is done; True if this call closed it."""
    with transaction.atomic():
        if Batch.objects.filter(send_id=send_id).exclude(state=Batch.State.DONE).exists():
            return False
        won = Send.objects.filter(id=send_id, state=Send.State.SUBMITTING).update(
            state=Send.State.SUBMITTED, ended_at=now
        )
        if won:
            Edition.objects.filter(send__id=send_id, state=Edition.State.SENDING).update(
                state=Edition.State.SENT, ended_at=now
            )
    return bool(won)


def pause(*, send_id: int, now: datetime, actor: User | None = None, code: str = "paused", **params: Any) -> bool:
    """Stop submitting: holders of batches look at the send at least once a second."""
    return _move(send_id, Send.State.SUBMITTING, Send.State.PAUSED, now=now, actor=actor, code=code, params=params)


def resume(*, send_id: int, now: datetime, actor: User | None = None) -> bool:
    """Go on where it stopped."""
    moved = _move(send_id, Send.State.PAUSED, Send.State.SUBMITTING, now=now, actor=actor, code="", params={})
    if moved:
        Batch.objects.filter(send_id=send_id, state=Batch.State.PENDING).update(due_at=now)
        for batch_id in Batch.objects.filter(send_id=send_id, state=Batch.State.PENDING).values_list("id", flat=True):
            wake(Job.DELIVERY_SUBMIT, batch_id=batch_id)
    return moved


@transaction.atomic
def cancel(*, send_id: int, now: datetime, actor: User | None, reason: str) -> int:
    """Cancel what has not left; returns how many will not receive it. What is accepted cannot be recalled."""
    open_states = [Send.State.PLANNED, Send.State.PREPARING, Send.State.SUBMITTING, Send.State.PAUSED]
    if not Send.objects.filter(id=send_id, state__in=open_states).update(state=Send.State.CANCELLED, ended_at=now):
        return 0
    spared = Delivery.objects.filter(
        Exists(Batch.objects.filter(id=OuterRef("batch_id"), state=Batch.State.PENDING)),
        send_id=send_id,
        state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED],
    ).update(state=Delivery.State.CANCELLED)
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

    A batch is rung at most every few seconds: the bell is a hint, the claim decides.
    """
    stuck = Send.objects.filter(state__in=[Send.State.PLANNED, Send.State.PREPARING], created_at__lt=now - RING_AFTER)
    for send_id in stuck.values_list("id", flat=True):
        ring(Job.DELIVERY_PREPARE, send_id=send_id)
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - RING_AFTER)
    takeable = Q(state=Batch.State.PENDING, due_at__lte=now) | Q(state=Batch.State.CLAIMED, lease_until__lt=now)
    due = Batch.objects.filter(quiet & takeable, send__state=Send.State.SUBMITTING).order_by("due_at")[:RING_AT_MOST]
    waiting = list(due.values_list("id", flat=True))
    Batch.objects.filter(id__in=waiting).update(rung_at=now)
    for batch_id in waiting:
        ring(Job.DELIVERY_SUBMIT, batch_id=batch_id)
    for send_id in Send.objects.filter(state=Send.State.SUBMITTING).values_list("id", flat=True):
        finish(send_id=send_id, now=now)
    return len(waiting)
