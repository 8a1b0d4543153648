"""Who would receive a topic's mail right now: one definition, used at the freeze and again before each batch."""

from __future__ import annotations

from django.db import connection

#: SELECT of (id, address) for parameter %(topic)s. SQL because an audience of a million is frozen by
#: INSERT ... SELECT and never passes through Python.
RECIPIENTS = """
SELECT reader.id, reader.address
  FROM dateline_subscriber reader
  JOIN dateline_subscription choice
    ON choice.subscriber_id = reader.id AND choice.topic_id = %(topic)s AND choice.left_at IS NULL
 WHERE reader.state = 'active'
   AND NOT EXISTS (SELECT 1 FROM dateline_suppression gone WHERE gone.address_hash = reader.address_hash)
"""


def count(*, topic_id: int) -> int:
    """How many readers a mail to this topic would reach now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({RECIPIENTS}) r", {"topic": topic_id})  # noqa: S608 - our own constant
        return int(cursor.fetchone()[0])
