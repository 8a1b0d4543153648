"""Freezing an audience: who, in which order, in which batch, due when. One statement each, nothing passes through Python."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max

from pipeline.audience.recipients import REMEMBER, due
from pipeline.audience.segments.mailing import narrowing
from pipeline.delivery.course.pace import spread
from pipeline.delivery.models import Delivery, Send
from pipeline.engagement.keeping import reports

BATCH_SIZE = 1000
#: Mail domains that are told apart: the largest, and none of fewer readers than could be guessed by name.
MOST_DOMAINS, FEWEST_READERS = 12, 5
MOST_ZONES = 6  #: named of one departure


class CountsDiffer(Exception):
    """What was frozen is not what was counted; nothing was kept and the send is failed for a person to see."""


def freeze(*, send: Send, now: datetime) -> int:
    """Insert batches and deliveries in the caller's transaction; how many readers. Raises CountsDiffer.

    `send.params["departures"]` is {zone: instant} where readers are mailed at their own clock; readers of a zone that is
    not in it are mailed with those of none ("").
    """
    newsletter = send.edition.newsletter
    departures = {zone: datetime.fromisoformat(at) for zone, at in send.params.get("departures", {}).items()}
    frozen = _insert(send=send, departures=departures, now=now)
    if newsletter.pace_s:
        spread(send_id=send.id, over=timedelta(seconds=newsletter.pace_s))
    last = send.batches.aggregate(last=Max("due_at"))["last"] or now
    waited = max(now - send.created_at, timedelta(0))  # for a worker: news does not grow younger by it
    Send.objects.filter(id=send.id).update(
        recipients=frozen, prepared_at=now, expires_at=last + timedelta(seconds=newsletter.keeps_s) - waited
    )
    return frozen


def forget(*, send_id: int, batch_id: int | None = None) -> None:
    """Who did not get it has it not counted by their dial; in the caller's transaction, of one batch where it is given.

    Nobody's earlier edition has to be looked up: it was so long ago when this one was frozen that they were due.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"send": send_id, "batch": batch_id})


def remember_again(*, send_id: int) -> None:
    """Who is open once more gets it counted again, unless another edition came meanwhile; before a batch is claimed."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER_AGAIN, {"send": send_id})


def uncounted(send: Send) -> str:
    """In words, what keeps the rows of an ended send from adding up to its frozen count; "" where they do."""
    rows = Delivery.objects.filter(send_id=send.id)
    kept, unanswered = rows.count(), rows.filter(state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED]).count()
    if kept == send.recipients and not unanswered:
        return ""
    return f"{send.recipients} frozen, {kept} listed, {unanswered} of them without an end"


def _insert(*, send: Send, departures: dict[str, datetime], now: datetime) -> int:
    values: dict[str, Any] = {
        "send": send.id, "topic": send.edition.newsletter.topic_id, "slot": send.edition.slot_at, "size": BATCH_SIZE, "now": now,
        "otherwise": max(departures.get("", now), now), "zones": list(departures), "instants": [max(at, now) for at in departures.values()],
    }  # fmt: skip
    newsletter = send.edition.newsletter
    condition, chosen = narrowing(newsletter.segment, now=now)
    whom = due(condition=condition, rests=newsletter.judges_silence)
    statement = (_AT_THEIR_CLOCK if departures else _AT_ONCE).format(due=whom)
    with connection.cursor() as cursor:
        # An audience is joined as a whole. Where statistics still speak of few rows, the planner goes over one table for
        # each row of another: 28 s for 20,000 readers, seen in a database whose tables had been full and empty before.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(statement, values | chosen)
        cursor.execute("SELECT count(*) FROM frozen")
        counted = int(cursor.fetchone()[0])
        cursor.execute(_BATCHES, values)
        cursor.execute(_DELIVERIES, values)
        inserted = int(cursor.rowcount)
        _keep_made_of(cursor, send=send, departures=departures, now=now)
        cursor.execute(REMEMBER, values)
        cursor.execute("DROP TABLE frozen")
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
    if counted != inserted:
        raise CountsDiffer(f"{counted} counted, {inserted} frozen")
    return inserted


def _keep_made_of(cursor: Any, *, send: Send, departures: dict[str, datetime], now: datetime) -> None:
    """Keep who was frozen, by mail domain and by departure, while the list is at hand: afterwards it is a million rows."""
    cursor.execute(_DOMAINS, {"most": MOST_DOMAINS, "fewest": FEWEST_READERS})
    domains = [[name, n] for name, n in cursor.fetchall()]
    leaving = []
    if departures:
        cursor.execute(_DEPARTURES)
        for at, first, last in cursor.fetchall():
            zones = sorted(zone for zone, instant in departures.items() if zone and max(instant, now) == at)
            leaving.append(
                {
                    "at": at.isoformat(),
                    "first": first,
                    "last": last,
                    "zones": zones[:MOST_ZONES],
                    "more": max(0, len(zones) - MOST_ZONES),
                }
            )
    segment = send.edition.newsletter.segment
    made_of = {"domains": domains, "departures": leaving, "segment": segment.name if segment else ""}
    reports.keep(send.origin_id, made_of=made_of)


_DOMAINS = """
SELECT lower(substring(address FROM '@([^@]*)$')) AS domain, count(*) FROM frozen GROUP BY 1
HAVING count(*) >= %(fewest)s ORDER BY 2 DESC, 1 LIMIT %(most)s
"""
_DEPARTURES = "SELECT due_at, min(ordinal), max(ordinal) FROM frozen GROUP BY 1 ORDER BY 1"
_AT_ONCE = """
CREATE TEMPORARY TABLE frozen ON COMMIT DROP AS
SELECT id, address, ordinal, (ordinal - 1) / %(size)s AS part,
       least(%(now)s::timestamptz, clock_timestamp()) AS due_at
  FROM (SELECT id, address, row_number() OVER (ORDER BY id) AS ordinal FROM ({due}) AS reader) AS placed
"""
#: A batch never mixes two departures, so that each can be due at its own.
_AT_THEIR_CLOCK = """
CREATE TEMPORARY TABLE frozen ON COMMIT DROP AS
SELECT id, address, ordinal, due_at, dense_rank() OVER (ORDER BY due_at, seat / %(size)s) - 1 AS part
  FROM (SELECT id, address, due_at, row_number() OVER (ORDER BY due_at, id) AS ordinal,
               row_number() OVER (PARTITION BY due_at ORDER BY id) - 1 AS seat
          FROM (SELECT reader.id, reader.address, coalesce(departure.at, %(otherwise)s) AS due_at
                  FROM ({due}) AS reader JOIN dateline_subscriber person ON person.id = reader.id
                  LEFT JOIN unnest(%(zones)s::text[], %(instants)s::timestamptz[]) AS departure (zone, at)
                    ON departure.zone = person.zone) AS timed) AS placed
"""
_BATCHES = """
INSERT INTO dateline_batch (send_id, number, state, fence, host, due_at)
SELECT %(send)s, part, 'pending', 0, '', min(due_at) FROM frozen GROUP BY part
"""
_DELIVERIES = """
INSERT INTO dateline_delivery (send_id, batch_id, subscriber_id, ordinal, address, state, reason, smtp_code, tries)
SELECT %(send)s, batch.id, frozen.id, frozen.ordinal, frozen.address, 'pending', '', 0, 0
  FROM frozen JOIN dateline_batch batch ON batch.send_id = %(send)s AND batch.number = frozen.part
"""
_OF_A_SEND = """
  FROM dateline_delivery row
  JOIN dateline_send send ON send.id = row.send_id
  JOIN dateline_edition edition ON edition.id = send.edition_id
  JOIN dateline_newsletter newsletter ON newsletter.id = edition.newsletter_id
 WHERE row.send_id = %(send)s AND choice.subscriber_id = row.subscriber_id AND choice.topic_id = newsletter.topic_id
   AND choice.pace <> 'every'
"""
_FORGET = f"""
UPDATE dateline_subscription AS choice SET last_at = NULL {_OF_A_SEND}
   AND choice.last_at = edition.slot_at AND row.state IN ('cancelled', 'suppressed', 'refused')
   AND (%(batch)s::bigint IS NULL OR row.batch_id = %(batch)s)
"""  # noqa: S608 - our own constant
_REMEMBER_AGAIN = f"""
UPDATE dateline_subscription AS choice SET last_at = edition.slot_at {_OF_A_SEND}
   AND choice.last_at IS NULL AND row.state = 'pending'
"""  # noqa: S608 - our own constant
