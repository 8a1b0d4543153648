"""Counts that equal a recount: one vote per person, article and UTC day, the first human click by time and id.

Whatever changes a verdict names the votes it touched; only those are decided again, and the difference moves
the integers in the same transaction. Order of arrival therefore never matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection


class Vote(NamedTuple):
    """What is counted at most once. `day` is days since 1970 UTC."""

    article_id: int
    person: bytes
    day: int


class Count(NamedTuple):
    """`n` votes for an article in one UNIX minute by one channel."""

    article_id: int
    minute: int
    channel: str
    n: int


#: Whoever decides votes or counts them all again holds this; taken until the transaction ends.
LOCK = 0x73_65_74_74
#: A cast to bigint rounds: without floor the last half second of a day belonged to the next one.
_DAY = "(floor(extract(epoch FROM event.at))::bigint / 86400)"
_MINUTE = "(floor(extract(epoch FROM event.at))::bigint / 60)"

_TOUCHED = """
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
SELECT DISTINCT * FROM unnest(%(articles)s::bigint[], %(persons)s::bytea[], %(days)s::bigint[]) AS t(article_id, person, day)
"""
_WINNERS = f"""
CREATE TEMPORARY TABLE winners ON COMMIT DROP AS
SELECT DISTINCT ON (touched.article_id, touched.person, touched.day) event.id
  FROM touched JOIN dateline_event event USING (article_id, person)
 WHERE event.kind = 'click' AND event.verdict = 'human' AND {_DAY} = touched.day
 ORDER BY touched.article_id, touched.person, touched.day, event.at, event.id
"""  # noqa: S608 - our own constants
_MOVE = f"""
WITH lost AS (
    UPDATE dateline_event event SET counted = false FROM touched
     WHERE event.article_id = touched.article_id AND event.person = touched.person AND {_DAY} = touched.day
       AND event.counted AND NOT EXISTS (SELECT 1 FROM winners WHERE winners.id = event.id)
    RETURNING event.article_id, {_MINUTE} AS minute, event.channel, -1 AS n),
won AS (
    UPDATE dateline_event event SET counted = true FROM winners WHERE event.id = winners.id AND NOT event.counted
    RETURNING event.article_id, {_MINUTE} AS minute, event.channel, 1 AS n)
INSERT INTO dateline_tally AS tally (article_id, minute, channel, n)
SELECT article_id, minute, channel, sum(n) FROM (SELECT * FROM lost UNION ALL SELECT * FROM won) AS moved
 GROUP BY article_id, minute, channel HAVING sum(n) <> 0
ON CONFLICT (article_id, minute, channel) DO UPDATE SET n = tally.n + excluded.n
"""  # noqa: S608 - our own constants
_RECOUNT = f"""
SELECT article_id, minute, channel, count(*) FROM (
    SELECT DISTINCT ON (event.article_id, event.person, {_DAY}) event.article_id, {_MINUTE} AS minute, event.channel
      FROM dateline_event event
     WHERE event.kind = 'click' AND event.verdict = 'human' AND event.article_id IS NOT NULL
     ORDER BY event.article_id, event.person, {_DAY}, event.at, event.id) AS vote
 GROUP BY article_id, minute, channel ORDER BY article_id, minute, channel
"""  # noqa: S608 - our own constants


def settle_votes(votes: Iterable[Vote]) -> None:
    """Decide the named votes again, inside the caller's transaction."""
    listed = list(votes)
    if not listed:
        return
    values: dict[str, Any] = {
        "articles": [vote.article_id for vote in listed],
        "persons": [vote.person for vote in listed],
        "days": [vote.day for vote in listed],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, values)
        cursor.execute(_WINNERS)
        cursor.execute(_MOVE)
        cursor.execute("DROP TABLE touched, winners")


def recount() -> list[Count]:
    """Every count from the events alone: the oracle the tallies must equal."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT)
        return [Count(*row) for row in cursor.fetchall()]


def kept() -> list[Count]:
    """Every count as it is kept; zeros are absences."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT article_id, minute, channel, n FROM dateline_tally WHERE n <> 0 ORDER BY article_id, minute, channel"
        )
        return [Count(*row) for row in cursor.fetchall()]


def rebuild() -> None:
    """Throw the tallies away and count again, inside the caller's transaction; waits for verdicts under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("UPDATE dateline_event SET counted = false WHERE counted")
        cursor.execute("DELETE FROM dateline_tally")
        cursor.execute(
            f"""UPDATE dateline_event SET counted = true WHERE id IN (
                SELECT DISTINCT ON (event.article_id, event.person, {_DAY}) event.id FROM dateline_event event
                 WHERE event.kind = 'click' AND event.verdict = 'human' AND event.article_id IS NOT NULL
                 ORDER BY event.article_id, event.person, {_DAY}, event.at, event.id)"""  # noqa: S608
        )
        cursor.execute(f"INSERT INTO dateline_tally (article_id, minute, channel, n) {_RECOUNT}")
