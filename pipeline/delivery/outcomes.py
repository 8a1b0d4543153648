"""From the engine's receipts to delivery rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.models import Delivery

#: RFC 5321 4.5.4.1 asks for patience; news does not keep, so tries are closer together and fewer. Each wait is up to
#: JITTER longer or shorter, so that readers deferred together do not come back together.
RETRY_AFTER_S = (300, 900, 1800, 3600, 7200, 14_400)
JITTER = 0.2

STATE_OF = {
    Outcome.ACCEPTED: Delivery.State.ACCEPTED,
    Outcome.DEFERRED: Delivery.State.DEFERRED,
    Outcome.REFUSED: Delivery.State.REFUSED,
    Outcome.POLICY: Delivery.State.PENDING,  # only a journal's word: its holder died before it was clear whose fault it was
    Outcome.UNKNOWN: Delivery.State.UNKNOWN,
    Outcome.UNSENT: Delivery.State.PENDING,
}

#: Evidence beats a lease: a late answer still counts for a row that was put in doubt meanwhile.
_APPLY = """
UPDATE dateline_delivery AS row
   SET state = new.state, smtp_code = new.code, reason = new.reason, answered_at = new.at,
       tries = row.tries + new.tried, remote_id = CASE WHEN new.remote = '' THEN row.remote_id ELSE new.remote END,
       next_try_at = CASE WHEN new.state = 'deferred'
                     THEN clock_timestamp() + (%(waits)s::int[])[least(row.tries + 1, %(most)s)]
                          * (1 - %(jitter)s + 2 * %(jitter)s * random()) * interval '1 second' END
  FROM (SELECT unnest(%(ids)s::bigint[]) AS id, unnest(%(states)s::text[]) AS state, unnest(%(codes)s::int[]) AS code,
               unnest(%(reasons)s::text[]) AS reason, unnest(%(tried)s::int[]) AS tried,
               unnest(%(remotes)s::text[]) AS remote,
               %(at)s::timestamptz AS at) AS new
 WHERE row.id = new.id AND row.state IN ('pending', 'deferred', 'unknown')
   AND NOT (row.state = 'unknown' AND new.state = 'pending')
"""

#: News that would arrive after its time is not sent: what is still deferred then ends, and says why.
_EXPIRE = """
UPDATE dateline_delivery AS row
   SET state = 'refused', next_try_at = NULL, reason = left('expired after ' || row.tries || ' tries: ' || row.reason, 300)
  FROM dateline_send send
 WHERE send.id = row.send_id AND row.state = 'deferred' AND row.next_try_at >= send.expires_at AND row.id = ANY(%(ids)s)
"""
_EXPIRE_BATCH = """
UPDATE dateline_delivery AS row
   SET state = CASE row.state WHEN 'pending' THEN 'cancelled' ELSE 'refused' END, next_try_at = NULL,
       reason = CASE row.state WHEN 'pending' THEN 'its time was over before it could be sent'
                ELSE left('expired after ' || row.tries || ' tries: ' || row.reason, 300) END
  FROM dateline_send send
 WHERE send.id = row.send_id AND row.state IN ('pending', 'deferred') AND send.expires_at <= clock_timestamp()
   AND row.batch_id = %(batch)s
"""

#: A greylisted edition is given up when its last wait has passed: yesterday's news is refused to ourselves.
_GIVE_UP = """
UPDATE dateline_delivery SET state = 'refused', next_try_at = NULL, reason = left('gave up after ' || tries || ' tries: ' || reason, 300)
 WHERE id = ANY(%(ids)s) AND state = 'deferred' AND tries > %(most)s
"""


def apply(receipts: Iterable[Receipt], *, now: datetime) -> int:
    """Record receipts in the caller's transaction; returns the rows changed."""
    listed = list(receipts)
    if not listed:
        return 0
    values: dict[str, Any] = {
        "ids": [r.key for r in listed],
        "states": [STATE_OF[r.outcome].value for r in listed],
        "codes": [r.code for r in listed],
        "reasons": [_reason(r) for r in listed],
        "tried": [int(r.outcome is not Outcome.UNSENT) for r in listed],
        "remotes": [r.remote_id[:120] for r in listed],
        "at": now,
        "waits": list(RETRY_AFTER_S),
        "most": len(RETRY_AFTER_S),
        "jitter": JITTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_APPLY, values)
        changed = int(cursor.rowcount)
        cursor.execute(_GIVE_UP, values)
        cursor.execute(_EXPIRE, values)
    return changed


def expire(*, batch_id: int) -> int:
    """End what is still open in a batch whose edition's time is over (Send.expires_at); returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE_BATCH, {"batch": batch_id})
        return int(cursor.rowcount)


def next_look(*, now: datetime, unreachable: int) -> datetime:
    """When to try a mail server again that could not be reached at all: 5 s doubling to 5 min."""
    return now + timedelta(seconds=min(300, 5 * 2 ** min(unreachable, 6)))


def _reason(receipt: Receipt) -> str:
    words = f"{receipt.enhanced} {receipt.text}".strip()
    return "".join(c if c.isprintable() else " " for c in words)[:300]
