"""Who would receive a topic's mail right now: one definition, used at the freeze and again before each batch."""

from __future__ import annotations

from pipeline.audience.sunset import ANSWER_DAYS

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

#: The dial, of `choice`, for an edition of slot %(slot)s: pauses, and who asked for fewer had none too lately. Spans,
#: not calendar days: they need no zone, and leave room for summer time and a late start. An edition a reader is
#: frozen into never excludes itself.
DIAL = """
   AND (choice.paused_until IS NULL OR choice.paused_until <= %(slot)s)
   AND (choice.pace = 'every' OR choice.last_at IS NULL OR choice.last_at = %(slot)s
        OR abs(extract(epoch FROM choice.last_at - %(slot)s))
           >= CASE choice.pace WHEN 'daily' THEN 20 * 3600 ELSE 156 * 3600 END)
"""
#: Readers who were asked whether they still want our mail, and of whom nothing was seen for as long as they had to
#: answer: `sunset.silent`, in SQL. Any sign of them afterwards ends it, and so does their wish not to be seen.
RESTING = f"""coalesce(reader.tracking = 'consented' AND reader.tracking_at < reader.asked_again_at
       AND reader.asked_again_at <= %(slot)s - interval '{ANSWER_DAYS} days'
       AND coalesce(reader.last_human_at < reader.asked_again_at, TRUE), FALSE)"""
#: Everybody who chose the topic, and why an edition passes over some of them: parameters as for `due`.
#: Each reader is counted once, by the first reason that holds.
SUMS = """
SELECT count(*), count(*) FILTER (WHERE why = 'suppressed'), count(*) FILTER (WHERE why = 'resting'),
       count(*) FILTER (WHERE why = 'paused'),
       count(*) FILTER (WHERE why = 'fewer'), count(*) FILTER (WHERE why = 'outside')
  FROM (SELECT CASE WHEN gone.address_hash IS NOT NULL THEN 'suppressed'
                    WHEN {resting} THEN 'resting'
                    WHEN choice.paused_until > %(slot)s THEN 'paused'
                    WHEN NOT (TRUE {dial}) THEN 'fewer'
                    WHEN NOT ({condition}) THEN 'outside' END AS why
          FROM dateline_subscriber reader
          JOIN dateline_subscription choice
            ON choice.subscriber_id = reader.id AND choice.topic_id = %(topic)s AND choice.left_at IS NULL
          LEFT JOIN dateline_suppression gone ON gone.address_hash = reader.address_hash
         WHERE reader.state = 'active') AS everybody
"""
#: Run at the freeze, over the temporary table of those frozen: only choices that ask for fewer need to remember.
REMEMBER = """
UPDATE dateline_subscription AS choice SET last_at = %(slot)s FROM frozen
 WHERE choice.topic_id = %(topic)s AND choice.subscriber_id = frozen.id AND choice.pace <> 'every'
"""


def due(*, condition: str = "", rests: bool = False) -> str:
    """SELECT of (id, address) of who is due an edition: parameters %(topic)s and %(slot)s.

    `condition` is SQL over `reader` and `choice` that narrows it further, a segment's for one; its parameters are the
    caller's to give. `rests` leaves out those who are RESTING.
    """
    narrowed = f"   AND ({condition})\n" if condition else ""
    return RECIPIENTS + DIAL + narrowed + (f"   AND NOT {RESTING}\n" if rests else "")


def sums(*, condition: str = "", rests: bool = False) -> str:
    """SELECT of (chose, suppressed, resting, paused, fewer, outside): what `due` leaves is the first minus the others."""
    return SUMS.format(dial=DIAL, condition=condition or "TRUE", resting=RESTING if rests else "FALSE")
