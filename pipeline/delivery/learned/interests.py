"""How often each reader who consented followed stories of a section, as far back as there are events."""

from __future__ import annotations

from django.db import connection, transaction

#: One at a time: two recounts beside each other would insert the same reader twice.
LOCK = 0x6C_65_61_72
#: A story counts once a day, as everywhere; consent was there at the send and the hit, or the mode would say less.
_FOUND = """
CREATE TEMPORARY TABLE followed ON COMMIT DROP AS
SELECT delivery.subscriber_id, section.key AS section, max(event.at) AS last_at,
       count(DISTINCT (event.article_id, date_trunc('day', event.at, 'UTC'))) AS clicks
  FROM dateline_event event
  JOIN dateline_send send ON send.origin_id = event.origin_id
  JOIN dateline_delivery delivery ON delivery.send_id = send.id AND delivery.ordinal = event.ordinal
  JOIN dateline_subscriber reader ON reader.id = delivery.subscriber_id AND reader.tracking = 'consented'
  JOIN dateline_article article ON article.id = event.article_id
  JOIN dateline_section section ON section.id = article.section_id
 WHERE event.mode = 'consented' AND event.kind = 'click' AND event.verdict = 'human'
 GROUP BY 1, 2
"""
_GONE = """
DELETE FROM dateline_interest interest WHERE NOT EXISTS (
    SELECT 1 FROM followed WHERE (followed.subscriber_id, followed.section) = (interest.subscriber_id, interest.section))
"""
_KEPT = """
INSERT INTO dateline_interest AS interest (subscriber_id, section, clicks, last_at)
SELECT subscriber_id, section, clicks, last_at FROM followed ORDER BY 1, 2
ON CONFLICT (subscriber_id, section) DO UPDATE SET clicks = excluded.clicks, last_at = excluded.last_at
 WHERE (interest.clicks, interest.last_at) IS DISTINCT FROM (excluded.clicks, excluded.last_at)
"""


@transaction.atomic
def learn() -> None:
    """Make the rows what the consented events say; who took consent back has none left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for statement in (_FOUND, _GONE, _KEPT, "DROP TABLE followed"):
            cursor.execute(statement)
