"""A chunk of rows into the database: COPY into a temporary table, judged there, taken in by a statement each.

What becomes of a row is decided by what is known of its address:

    wants      suppressed -> refused; left this topic -> refused; follows it -> known; else added
    left       an imported subscription ends; one the reader confirmed here stays; else the leaving is kept
    bounced    suppressed, unless the reader confirmed here since
    complained, blocked   suppressed

Statuses that keep somebody out are counted as refused: they made no reader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg import Cursor

from pipeline.audience.imports.rows import Arrival, Fault


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of a chunk by what became of them."""

    added: int
    known: int
    refused: int


def prepare() -> None:
    """Make this session's temporary tables, empty."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)


def take(
    arrivals: Sequence[Arrival], faults: Sequence[Fault], *, made_in: int, topic: int, origin: str, now: datetime, rehearse: bool
) -> Counted:  # fmt: skip
    """Judge and, but in a rehearsal, enter; in the caller's transaction. Rows of one address must say one thing."""
    values: dict[str, Any] = {"import": made_in, "topic": topic, "origin": origin, "now": now}
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE arriving")
        _copy(cursor.cursor, arrivals)
        cursor.execute("ANALYZE arriving")
        cursor.execute(_JUDGE, values)
        cursor.execute("ANALYZE arriving (verdict)")  # with all of them unknown, joins are planned for one row
        for statement in _REHEARSED if rehearse else _ENTERED:
            cursor.execute(statement, values)
        cursor.execute(_FAULTS, values)
        cursor.executemany(_FAULT, [(made_in, f.row, f.given, f.code, json.dumps(f.params)) for f in faults])
        cursor.execute(
            "SELECT count(*) FILTER (WHERE verdict = 'added'), count(*) FILTER (WHERE verdict = 'known') FROM arriving"
        )
        added, known = cursor.fetchone()
    return Counted(added=added, known=known, refused=len(arrivals) - added - known + len(faults))


def _copy(cursor: Cursor[Any], arrivals: Sequence[Arrival]) -> None:
    with cursor.copy(
        "COPY arriving (row, address, hash, fate, name, language, zone, joined_at, joined, network) FROM STDIN"
    ) as copy:
        for a in arrivals:
            copy.write_row(
                (a.row, a.address, a.hash, a.fate.value, a.name, a.language, a.zone, a.joined_at, a.joined, a.network)
            )


_TABLES = """
DROP TABLE IF EXISTS pg_temp.arriving, pg_temp.rehearsed;
CREATE TEMPORARY TABLE arriving (row bigint, address text, hash bytea, fate text, name text, language text, zone text,
                                 joined_at timestamptz, joined text, network text, verdict text);
CREATE TEMPORARY TABLE rehearsed (hash bytea PRIMARY KEY, follows boolean, has_left boolean, suppressed boolean);
"""
#: `rehearsed` is empty but in a rehearsal, where it stands for the rows that were not written: an address may be
#: suppressed and follow at once, so each is kept by itself.
_JUDGE = """
UPDATE arriving SET verdict = CASE fate
         WHEN 'wants' THEN CASE WHEN facts.suppressed THEN 'suppressed' WHEN facts.left_here THEN 'left'
                                WHEN facts.follows OR facts.again THEN 'known' ELSE 'added' END
         WHEN 'left' THEN CASE WHEN facts.confirmed AND facts.follows AND NOT facts.left_here THEN 'stays'
                               WHEN facts.left_here OR facts.again THEN 'left_before' WHEN facts.follows THEN 'ends'
                               WHEN facts.suppressed THEN 'left_before' ELSE 'leaves' END
         WHEN 'bounced' THEN CASE WHEN facts.confirmed_any THEN 'stays' ELSE 'bounced' END
         ELSE fate END
  FROM (SELECT a.row AS number, row_number() OVER (PARTITION BY a.address ORDER BY a.row) > 1 AS again,
               EXISTS (SELECT 1 FROM dateline_suppression s WHERE s.address_hash = a.hash)
                 OR coalesce(seen.suppressed, false) AS suppressed,
               choice.left_at IS NOT NULL OR coalesce(seen.has_left, false) AS left_here,
               (choice.id IS NOT NULL AND choice.left_at IS NULL) OR coalesce(seen.follows, false) AS follows,
               a.fate = 'left' AND EXISTS (SELECT 1 FROM dateline_consent c WHERE c.subscriber_id = person.id
                          AND c.act = 'confirmed' AND c.topic_id = %(topic)s) AS confirmed,
               a.fate = 'bounced' AND EXISTS (SELECT 1 FROM dateline_consent c WHERE c.subscriber_id = person.id
                          AND c.act = 'confirmed') AS confirmed_any
          FROM arriving a
          LEFT JOIN dateline_subscriber person ON person.address = a.address
          LEFT JOIN dateline_subscription choice ON choice.subscriber_id = person.id AND choice.topic_id = %(topic)s
          LEFT JOIN rehearsed seen ON seen.hash = a.hash) AS facts
 WHERE facts.number = row
"""
_SUPPRESS = """
INSERT INTO dateline_suppression (address_hash, reason, at, detail)
SELECT hash, CASE verdict WHEN 'blocked' THEN 'manual' ELSE verdict END, %(now)s, left('imported: ' || %(origin)s, 200)
  FROM arriving WHERE verdict IN ('bounced', 'complained', 'blocked')
    ON CONFLICT DO NOTHING
"""
_READERS = """
INSERT INTO dateline_subscriber (address, address_hash, name, state, language, zone, tracking, joined_at, created_at)
SELECT address, hash, name, 'active', language, zone, 'aggregate',
       CASE verdict WHEN 'added' THEN coalesce(joined_at, %(now)s) END, %(now)s
  FROM arriving WHERE verdict IN ('added', 'leaves') ORDER BY address
    ON CONFLICT (address) DO NOTHING
"""
#: Somebody who asked to join and has not confirmed is vouched for by the list now.
_VOUCHED = """
UPDATE dateline_subscriber reader SET state = 'active', joined_at = coalesce(reader.joined_at, a.joined_at, %(now)s)
  FROM arriving a WHERE a.verdict = 'added' AND reader.address = a.address AND reader.state = 'pending'
"""
_FOLLOW = """
WITH taken AS MATERIALIZED (
  SELECT reader.id, a.verdict, a.joined, a.network
    FROM arriving a JOIN dateline_subscriber reader ON reader.address = a.address
   WHERE a.verdict IN ('added', 'leaves')),
fresh AS (
  INSERT INTO dateline_subscription (subscriber_id, topic_id, since, left_at, pace)
  SELECT id, %(topic)s, %(now)s, CASE verdict WHEN 'leaves' THEN %(now)s::timestamptz END, 'every' FROM taken ORDER BY id
      ON CONFLICT DO NOTHING RETURNING subscriber_id)
INSERT INTO dateline_consent (subscriber_id, topic_id, at, act, origin, wording, network, form, wording_version)
SELECT taken.id, %(topic)s, %(now)s, CASE taken.verdict WHEN 'added' THEN 'imported' ELSE 'left' END, %(origin)s,
       CASE taken.joined WHEN '' THEN '' ELSE 'the list says: joined ' || taken.joined END, taken.network, '', ''
  FROM fresh JOIN taken ON taken.id = fresh.subscriber_id
"""
_END = """
WITH ended AS (
  UPDATE dateline_subscription choice SET left_at = %(now)s
    FROM arriving a JOIN dateline_subscriber reader ON reader.address = a.address
   WHERE a.verdict = 'ends' AND choice.subscriber_id = reader.id AND choice.topic_id = %(topic)s AND choice.left_at IS NULL
  RETURNING choice.subscriber_id)
INSERT INTO dateline_consent (subscriber_id, topic_id, at, act, origin, wording, network, form, wording_version)
SELECT subscriber_id, %(topic)s, %(now)s, 'left', %(origin)s, '', '', '', '' FROM ended
"""
_ENTERED = (_SUPPRESS, _READERS, _VOUCHED, _FOLLOW, _END)
_REMEMBER = """
INSERT INTO rehearsed (hash, follows, has_left, suppressed)
SELECT hash, bool_or(verdict = 'added'), bool_or(verdict IN ('leaves', 'ends')),
       bool_or(verdict IN ('bounced', 'complained', 'blocked'))
  FROM arriving GROUP BY hash
    ON CONFLICT (hash) DO UPDATE SET follows = rehearsed.follows OR excluded.follows,
       has_left = rehearsed.has_left OR excluded.has_left, suppressed = rehearsed.suppressed OR excluded.suppressed
"""
_REHEARSED = (_REMEMBER,)
_FAULTS = """
INSERT INTO dateline_importfault (made_in_id, row, given, code, params)
SELECT %(import)s, row, '', verdict, '{}' FROM arriving WHERE verdict NOT IN ('added', 'known') ON CONFLICT DO NOTHING
"""
_FAULT = """
INSERT INTO dateline_importfault (made_in_id, row, given, code, params) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
