"""When a reader who consented was last seen: by what a person clicked, never by what was opened."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

#: Far longer than a verdict takes or a worker is away: clicks before it were learned before.
LOOK_BACK = timedelta(days=30)
#: Consent was there at the send and the hit, or the mode would say less; and it must still be there.
_SEEN = """
UPDATE dateline_subscriber reader SET last_human_at = seen.at
  FROM (SELECT delivery.subscriber_id, max(event.at) AS at
          FROM dateline_event event
          JOIN dateline_send send ON send.origin_id = event.origin_id
          JOIN dateline_delivery delivery ON delivery.send_id = send.id AND delivery.ordinal = event.ordinal
         WHERE event.at > %(since)s AND event.mode = 'consented' AND event.kind = 'click' AND event.verdict = 'human'
         GROUP BY 1) AS seen
 WHERE reader.id = seen.subscriber_id AND reader.tracking = 'consented'
   AND (reader.last_human_at IS NULL OR reader.last_human_at < seen.at)
"""


def learn(*, now: datetime) -> int:
    """Bring `Subscriber.last_human_at` up to date; how many were seen since."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"since": now - LOOK_BACK})
        return int(cursor.rowcount)
