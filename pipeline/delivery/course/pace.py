"""Spreading what is due: evenly over a window from its first batch, and never faster than that after a pause."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from pipeline.delivery.models import Batch, Send
from pipeline.kernel.queue import Job, wake

#: Each departure has a window of its own; its last batch leaves one step before the window ends.
_SPREAD = """
UPDATE dateline_batch AS batch
   SET due_at = placed.due_at + %(over_s)s * interval '1 second' * placed.place / placed.size
  FROM (SELECT id, due_at, row_number() OVER (PARTITION BY due_at ORDER BY number) - 1 AS place,
               count(*) OVER (PARTITION BY due_at) AS size
          FROM dateline_batch WHERE send_id = %(send)s AND state = 'pending'
           AND (%(until)s::timestamptz IS NULL OR due_at <= %(until)s)) AS placed
 WHERE batch.id = placed.id
"""


def spread(*, send_id: int, over: timedelta, until: datetime | None = None) -> None:
    """Space the batches that are due at the same time (by `until`, or ever) over a stretch from then."""
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD, {"send": send_id, "over_s": over.total_seconds(), "until": until})


def due_again(*, send: Send, now: datetime) -> None:
    """Make what a pause held up due again, in the caller's transaction.

    A batch of a later departure keeps its time. With a pace, the others share what is left of the window, or as much
    time as they had before if that is longer; if it has passed altogether they get a fresh one from now.
    """
    newsletter = send.edition.newsletter
    waiting = Batch.objects.filter(send_id=send.id, state=Batch.State.PENDING)
    held_up = waiting.filter(due_at__lte=now) if newsletter.at_readers_clock else waiting
    count = held_up.update(due_at=now, rung_at=None)
    if newsletter.pace_s and count:
        window = timedelta(seconds=newsletter.pace_s)
        left = (send.prepared_at or now) + window - now
        fair = window * count / max(send.batches.count(), 1)
        fresh = newsletter.at_readers_clock or left <= timedelta(0)
        spread(send_id=send.id, over=window if fresh else max(left, fair), until=now)


def wake_due(*, send_id: int, now: datetime) -> None:
    """Ring, once the transaction is kept, for what may be taken now; the sweep rings for what comes due later."""
    due = Batch.objects.filter(send_id=send_id, state=Batch.State.PENDING, due_at__lte=now)
    for batch_id in due.order_by("number").values_list("id", flat=True):
        wake(Job.DELIVERY_SUBMIT, batch_id=batch_id)
