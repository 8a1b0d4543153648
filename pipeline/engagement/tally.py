"""Counts that equal a recount: one vote per person, article and UTC day, the first human click by time and id, and
of one network at most so many for one article in one hour (mail aside).

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


MAIL, BOX = "email", "box"
NETWORK_CAP = 20
#: Whoever decides votes or counts them all again holds this; taken until the transaction ends.
LOCK = 0x73_65_74_74
#: A cast to bigint rounds: without floor the last half second of a day belonged to the next one.
_SECOND = "floor(extract(epoch FROM event.at))::bigint"
_DAY, _HOUR, _MINUTE = f"({_SECOND} / 86400)", f"({_SECOND} / 3600)", f"({_SECOND} / 60)"
#: A link of our own Most Popular box is a channel of its own, for ranking to weigh.
_IN_BOX = "EXISTS (SELECT 1 FROM dateline_origin box WHERE box.id = event.origin_id AND box.kind = 'box')"
_CHANNEL = f"(CASE WHEN {_IN_BOX} THEN '{BOX}' ELSE event.channel END)"
#: The first human click by time and id; one in our own box only where the person made no other that day.
_VOTES = f"""
SELECT DISTINCT ON (event.article_id, event.person, {_DAY})
       event.id, event.at, event.article_id, event.network, {_HOUR} AS hour, {_MINUTE} AS minute, {_CHANNEL} AS channel
  FROM dateline_event event {{those}}
 WHERE event.kind = 'click' AND event.verdict = 'human' AND event.article_id IS NOT NULL
 ORDER BY event.article_id, event.person, {_DAY}, {_IN_BOX}, event.at, event.id
"""  # noqa: S608 - our own constants
#: Of one network, for one article in one hour, the first few by time and id. Mail has a vote for each letter instead.
_CAPPED = f"""
SELECT id, article_id, network, hour, minute, channel FROM (
    SELECT vote.*, row_number() OVER (PARTITION BY article_id, network, hour, channel = '{MAIL}' ORDER BY at, id) AS turn
      FROM ({_VOTES}) AS vote) AS vote
 WHERE channel = '{MAIL}'
    OR turn <= coalesce((SELECT network_cap FROM dateline_method ORDER BY id LIMIT 1), {NETWORK_CAP})
"""  # noqa: S608 - our own constants
#: Events before it are gone by retention, by whole UTC days: their counts stand and are not counted again.
HORIZON = "coalesce((SELECT max(minute) FROM dateline_horizon), 0)"
#: Whose acts those before it were is forgotten, by whole UTC days.
FORGOTTEN = "coalesce((SELECT max(forgotten) FROM dateline_horizon), 0)"

_TOUCHED = """
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
SELECT DISTINCT * FROM unnest(%(articles)s::bigint[], %(persons)s::bytea[], %(days)s::bigint[]) AS t(article_id, person, day)
"""
#: A vote that comes or goes makes room or takes it in its network's hour: all who voted there are decided with it.
_CROWDS = f"""
CREATE TEMPORARY TABLE crowds ON COMMIT DROP AS
SELECT DISTINCT event.article_id, event.network, {_HOUR} AS hour
  FROM touched JOIN dateline_event event USING (article_id, person)
 WHERE event.kind = 'click' AND {_DAY} = touched.day AND {_CHANNEL} <> '{MAIL}'
"""  # noqa: S608 - our own constants
_JOINED = f"""
INSERT INTO touched
SELECT event.article_id, event.person, {_DAY}
  FROM crowds JOIN dateline_event event USING (article_id, network)
 WHERE event.kind = 'click' AND {_HOUR} = crowds.hour
EXCEPT SELECT article_id, person, day FROM touched
"""  # noqa: S608 - our own constants
_THEIRS = (
    f"JOIN touched ON (touched.article_id, touched.person, touched.day) = (event.article_id, event.person, {_DAY})"
)
#: Only of crowds that are here whole can be said who stands within the cap.
_WINNERS = f"""
CREATE TEMPORARY TABLE winners ON COMMIT DROP AS
SELECT vote.id FROM ({_CAPPED.format(those=_THEIRS)}) AS vote
 WHERE vote.channel = '{MAIL}' OR (vote.article_id, vote.network, vote.hour) IN (SELECT article_id, network, hour FROM crowds)
"""  # noqa: S608 - our own constants
_MOVE = f"""
WITH lost AS (
    UPDATE dateline_event event SET counted = false FROM touched
     WHERE event.article_id = touched.article_id AND event.person = touched.person AND {_DAY} = touched.day
       AND event.counted AND NOT EXISTS (SELECT 1 FROM winners WHERE winners.id = event.id)
       AND ({_CHANNEL} = '{MAIL}'
            OR (event.article_id, event.network, {_HOUR}) IN (SELECT article_id, network, hour FROM crowds))
    RETURNING event.article_id, {_MINUTE} AS minute, {_CHANNEL} AS channel, -1 AS n),
won AS (
    UPDATE dateline_event event SET counted = true FROM winners WHERE event.id = winners.id AND NOT event.counted
    RETURNING event.article_id, {_MINUTE} AS minute, {_CHANNEL} AS channel, 1 AS n)
INSERT INTO dateline_tally AS tally (article_id, minute, channel, n)
SELECT article_id, minute, channel, sum(n) FROM (SELECT * FROM lost UNION ALL SELECT * FROM won) AS moved
 GROUP BY article_id, minute, channel HAVING sum(n) <> 0
ON CONFLICT (article_id, minute, channel) DO UPDATE SET n = tally.n + excluded.n
"""  # noqa: S608 - our own constants
_ALL = _CAPPED.format(those="")
_RECOUNT = f"""
SELECT article_id, minute, channel, count(*) FROM ({_ALL}) AS vote WHERE minute >= {HORIZON}
 GROUP BY article_id, minute, channel ORDER BY article_id, minute, channel
"""  # noqa: S608 - our own constants
_LOUDEST = f"""
SELECT DISTINCT ON (article_id) article_id, network, n FROM (
    SELECT event.article_id, event.network, count(*) AS n FROM dateline_event event
     WHERE event.counted AND event.article_id = ANY(%(articles)s) AND event.kind = 'click'
       AND event.at >= to_timestamp(%(since)s) AND {_CHANNEL} <> '{MAIL}'
     GROUP BY event.article_id, event.network) AS heard
 ORDER BY article_id, n DESC, network
"""  # noqa: S608 - our own constants
_FILTERED = """
SELECT article_id, CASE WHEN counted THEN 'counted' WHEN verdict = 'human' THEN 'again' ELSE verdict END, count(*)
  FROM dateline_event
 WHERE article_id = ANY(%(articles)s) AND kind = 'click' AND at >= to_timestamp(%(since)s)
 GROUP BY 1, 2
"""


def settle_votes(votes: Iterable[Vote]) -> None:
    """Decide the named votes again, inside the caller's transaction; those before the horizon stand."""
    first_day = horizon_minute() // 1440
    listed = [vote for vote in votes if vote.day >= first_day]
    if not listed:
        return
    values: dict[str, Any] = {
        "articles": [vote.article_id for vote in listed],
        "persons": [vote.person for vote in listed],
        "days": [vote.day for vote in listed],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, values)
        cursor.execute(_CROWDS)
        cursor.execute(_JOINED)
        cursor.execute(_WINNERS)
        cursor.execute(_MOVE)
        cursor.execute("DROP TABLE touched, crowds, winners")


def horizon_minute() -> int:
    """The UNIX minute from which on there are events."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {HORIZON}")
        return int(cursor.fetchone()[0])


def recount() -> list[Count]:
    """Every count from the events alone: the oracle the tallies must equal."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT)
        return [Count(*row) for row in cursor.fetchall()]


def kept() -> list[Count]:
    """Every count as it is kept; zeros are absences."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT article_id, minute, channel, n FROM dateline_tally WHERE n <> 0 AND minute >= {HORIZON}
                 ORDER BY article_id, minute, channel"""  # noqa: S608 - our own constants
        )
        return [Count(*row) for row in cursor.fetchall()]


def rebuild() -> None:
    """Throw the tallies away and count again, inside the caller's transaction; waits for verdicts under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("UPDATE dateline_event SET counted = false WHERE counted")
        cursor.execute(f"DELETE FROM dateline_tally WHERE minute >= {HORIZON}")  # noqa: S608 - our own constants
        cursor.execute(f"UPDATE dateline_event SET counted = true WHERE id IN (SELECT id FROM ({_ALL}) AS vote)")  # noqa: S608
        cursor.execute(f"INSERT INTO dateline_tally (article_id, minute, channel, n) {_RECOUNT}")


def loudest_networks(*, article_ids: list[int], since_minute: int) -> dict[int, tuple[bytes, int]]:
    """By article, the network with the most counted votes outside mail since a UNIX minute, and how many they are."""
    with connection.cursor() as cursor:
        cursor.execute(_LOUDEST, {"articles": article_ids, "since": since_minute * 60})
        return {article: (bytes(network), n) for article, network, n in cursor.fetchall()}


def clicks_by_fate(*, article_ids: list[int], since_minute: int) -> dict[int, dict[str, int]]:
    """What became of every click since a UNIX minute: "counted", "again" (a repeat, or past a network's cap), or its verdict."""
    with connection.cursor() as cursor:
        cursor.execute(_FILTERED, {"articles": article_ids, "since": since_minute * 60})
        found: dict[int, dict[str, int]] = {}
        for article, fate, n in cursor.fetchall():
            found.setdefault(article, {})[fate] = n
        return found
