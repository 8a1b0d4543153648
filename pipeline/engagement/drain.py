"""From the stream into the database, exactly once: an event's id is its own, so a repeat finds it taken."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import redis
from django.db import connection, transaction

from pipeline.engagement.asking import agents
from pipeline.engagement.keeping.reports import MARK, add_late
from pipeline.engagement.models import Poison
from pipeline.engagement.records import BOOT_BYTES, ID_BYTES, VISITOR_BYTES, Flag, Poisoned, Record, unpack
from pipeline.engagement.tally import FORGOTTEN, HORIZON
from pipeline.engagement.tokens import UNRECORDED
from pipeline.kernel.processes.redis_link import redis_link

log = logging.getLogger("dateline.engagement")

STREAM = "dateline:events"
DRAINED = "dateline:drained"  #: hash: a door's boot in hex -> the counter up to which everything is committed
ENTRIES = 500
END_OF_TIME_MS = 253_402_300_800_000  #: the year 10000, which neither Python nor a reader's clock reaches
#: One drain at a time; a second one finds the lock taken and leaves.
LOCK = 0x64_72_61_69
UNKNOWN = bytes(VISITOR_BYTES)
NAMED_FOR = timedelta(days=2)
#: A beacon is a POST, which the door marks as no GET; where it came from and why says more.
_NOT_READING = Flag.PREFETCH | Flag.MANGLED | Flag.SCANNER
_TYPES = [
    *("bytea", "timestamptz", "text", "int8", "int8", "int4", "int4", "text", "bytea", "text"),
    *("int4", "bool"),
]

_INBOUND = """
CREATE TEMPORARY TABLE inbound (id bytea, at timestamptz, kind text, origin bigint, ordinal bigint, link int,
    flags int, method text, network bytea, agent text, seconds int, is_read boolean) ON COMMIT DROP
"""
#: What may be kept, as it is at the hit: the newsletter's and the reader's choice, whichever is less. Consent must
#: have been there when the edition left as well, and the browser must not ask for privacy. Before the horizon
#: everything is gone, and late arrivals with it; and of a day whose persons are forgotten nobody can say any more
#: whether this one was counted.
_MODE = f"""
CASE WHEN 'off' IN (newsletter.tracking, reader.tracking) OR inbound.ordinal = {UNRECORDED} AND inbound.origin <> 0
     THEN 'off'
     WHEN inbound.at < to_timestamp({HORIZON} * 60.0)
       OR inbound.ordinal > 0 AND inbound.origin <> 0 AND inbound.at < to_timestamp({FORGOTTEN} * 60.0) THEN 'late'
     WHEN newsletter.tracking = 'consented' AND reader.tracking = 'consented' AND reader.tracking_at <= origin.started_at
      AND inbound.flags & {int(Flag.PRIVATE)} = 0
     THEN 'consented' ELSE 'aggregate' END
"""
#: Of a record that came twice the first stands: without the order it was whichever the joins brought up (seen once).
#: The site's beacon names its article where a link of ours names a reader.
_BEACON = "inbound.kind = 'view' AND inbound.seconds IS NOT NULL AND inbound.origin = 0"
_ARRIVED = f"""
SELECT DISTINCT ON (inbound.id) inbound.*, {_MODE} AS mode, origin.id AS origin_id, origin.kind AS carrier,
       coalesce(link.article_id, story.id) AS article_id, ({_BEACON}) AS beacon
  FROM inbound LEFT JOIN dateline_origin origin ON origin.id = inbound.origin
       LEFT JOIN dateline_link link ON link.origin_id = inbound.origin AND link.number = inbound.link
            AND inbound.kind = 'click'
       LEFT JOIN dateline_article story ON story.id = inbound.ordinal AND {_BEACON}
       LEFT JOIN dateline_send send ON send.origin_id = origin.id
       LEFT JOIN dateline_edition edition ON edition.id = send.edition_id
       LEFT JOIN dateline_newsletter newsletter ON newsletter.id = edition.newsletter_id
       LEFT JOIN dateline_delivery delivery ON delivery.send_id = send.id AND delivery.ordinal = inbound.ordinal
       LEFT JOIN dateline_subscriber reader ON reader.id = delivery.subscriber_id
 ORDER BY inbound.id, inbound.ctid
"""  # noqa: S608 - our own constants
#: Of what may not be kept only the id stays, for a replay to find it taken and for the door's mark to pass it.
#: ordinal 0 is nobody in particular: there the visitor of the day is the person.
_APPLY = f"""
WITH arrived AS MATERIALIZED ({_ARRIVED}),
fresh AS (
    INSERT INTO dateline_event (id, at, kind, origin_id, ordinal, link, article_id, channel, person, network, agent,
                                method, flags, verdict, rules, counted, mode, seconds)
    SELECT id, at, kind, origin_id, CASE WHEN beacon THEN 0 ELSE ordinal END, link, article_id,
           CASE carrier WHEN 'edition' THEN 'email' WHEN 'post' THEN 'social' ELSE 'site' END,
           CASE WHEN ordinal > 0 AND NOT beacon THEN int8send(origin) || int8send(ordinal) ELSE network END,
           network, agent, method, flags, 'pending', '[]'::jsonb, false, mode, seconds
      FROM arrived WHERE mode NOT IN ('off', 'late')
    UNION ALL
    SELECT id, date_trunc('day', at, 'UTC'), kind, CASE mode WHEN 'late' THEN origin_id END, 0, 0, NULL, 'site',
           %(nobody)s, %(nobody)s, '', 'GET', 0, 'unknown', jsonb_build_array(upper(mode)), false, 'off', NULL
      FROM arrived WHERE mode IN ('off', 'late')
    ON CONFLICT (id) DO NOTHING
    RETURNING id, at, kind, origin_id, article_id, link, seconds, rules),
read AS (
    INSERT INTO dateline_reading AS reading (article_id, day, views, seconds)
    SELECT fresh.article_id, floor(extract(epoch FROM fresh.at))::bigint / 86400,
           count(*) FILTER (WHERE fresh.link = 0), sum(fresh.seconds)
      FROM fresh JOIN (SELECT DISTINCT id FROM inbound WHERE is_read) AS views USING (id)
     WHERE fresh.article_id IS NOT NULL AND fresh.seconds IS NOT NULL
     GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (article_id, day)
    DO UPDATE SET views = reading.views + excluded.views, seconds = reading.seconds + excluded.seconds),
stale AS ({MARK.format(changed="SELECT origin_id FROM fresh")})
SELECT (SELECT count(*) FROM fresh), (SELECT coalesce(jsonb_agg(to_jsonb(late)), '[]')::text FROM (
    SELECT origin_id, floor(extract(epoch FROM at))::bigint / 86400 AS day, kind, count(*) AS n FROM fresh
     WHERE rules = '["LATE"]' AND origin_id IS NOT NULL AND at < to_timestamp({HORIZON} * 60.0)
     GROUP BY 1, 2, 3) AS late)
"""  # noqa: S608 - our own constants
#: The first gap after `upto`: nothing behind it may be forgotten by the door. What an earlier portion brought counts
#: as well, so that a late frame closes its gap for all that came before it.
_CONTIGUOUS = """
WITH seen AS (
    SELECT ('x' || encode(substring(id FROM 7 FOR 6), 'hex'))::bit(48)::bigint AS counter,
           row_number() OVER (ORDER BY id) AS place
      FROM (SELECT id FROM dateline_event WHERE id > %(low)s AND id <= %(high)s ORDER BY id LIMIT 200000) AS beyond)
SELECT coalesce(max(counter), %(upto)s) FROM seen WHERE counter = %(upto)s + place
"""


def drain(*, client: redis.Redis, now: datetime, entries: int = ENTRIES) -> int:
    """Apply one portion of the stream; the number of new events. Raises redis.RedisError, django.db.Error.

    Order matters: rows are committed, then the door is told, then the stream forgets. A crash between any two
    repeats work and changes nothing.
    """
    portion = cast(list[tuple[bytes, dict[bytes, bytes]]], client.xrange(STREAM, count=entries))
    if not portion:
        return 0
    with transaction.atomic():
        if not _alone():
            return 0
        records = list(_records(portion, now=now))
        applied = _apply(records, now=now)
        upto = _advance(records)
    if upto:
        client.hset(DRAINED, mapping={boot.hex(): counter for boot, counter in upto.items()})
    client.xdel(STREAM, *[entry for entry, _ in portion])
    return applied


def drain_all(*, now: datetime, portions: int = 20) -> int:
    """Drain until the stream is empty or a time slice is used up; the number of new events."""
    applied = 0
    with redis_link(wait_s=10) as client:
        for _ in range(portions):
            if not backlog(client):
                break
            applied += drain(client=client, now=now)
    return applied


def backlog(client: redis.Redis) -> int:
    """Entries waiting in the stream."""
    return client.xlen(STREAM)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _records(portion: list[tuple[bytes, dict[bytes, bytes]]], *, now: datetime) -> Iterable[Record]:
    for entry, fields in portion:
        try:
            yield from _unpacked(fields)
        except Poisoned as error:
            log.warning("stream entry %s set aside: %s", entry.decode(), error)
            Poison.objects.get_or_create(
                entry=entry.decode(),
                defaults={"at": now, "body": fields.get(b"p", b""), "error": str(error)[:300]},
            )


def _unpacked(fields: dict[bytes, bytes]) -> list[Record]:
    """All records of an entry. Raises Poisoned, also for an instant that no calendar has."""
    if b"p" not in fields:
        raise Poisoned(f"an entry without a payload, but with {len(fields)} other fields")
    found = unpack(fields[b"p"])
    for record in found:
        if record.at_ms >= END_OF_TIME_MS:
            raise Poisoned(f"an event of millisecond {record.at_ms}")
    return found


def _apply(records: list[Record], *, now: datetime) -> int:
    if not records:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT greatest(to_timestamp({FORGOTTEN} * 60.0), %s)", [now - NAMED_FOR])
        named_since = cursor.fetchone()[0]
        cursor.execute(_INBOUND)
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a portion is sorted and kept in memory, not on disk
        with cursor.copy("COPY inbound FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_TYPES)
            for record in records:
                copy.write_row(_row(record, named_since=named_since))
        cursor.execute(_APPLY, {"nobody": UNKNOWN, "now": now})
        applied, late = cursor.fetchone()
        cursor.execute("DROP TABLE inbound")
    add_late(json.loads(late))
    return int(applied)


def _row(record: Record, *, named_since: datetime) -> tuple[Any, ...]:
    """Of what comes when its day is forgotten, or may be, the program is told by its kind, as the day's others are.

    Whether it is, is asked under the lock that forgetting takes: nobody goes over that day again.
    """
    at = datetime.fromtimestamp(record.at_ms / 1000, tz=UTC)
    header = record.user_agent.replace("\0", "")
    return (
        record.event_id, at, record.kind.value, record.origin, record.ordinal, record.link, int(record.flags),
        record.method, record.visitor, header if at > named_since else agents.STAND_INS[agents.kind(header)], record.seconds, _is_read(record),
    )  # fmt: skip


def _is_read(record: Record) -> bool:
    """Whether a person had the page in front of them, as far as one request tells; this cannot be taken back later."""
    if record.seconds is None or record.flags & _NOT_READING or not record.flags & Flag.MAC_OK:
        return False
    return agents.kind(record.user_agent) is agents.Kind.PERSON


def _advance(records: list[Record]) -> dict[bytes, int]:
    """Move the mark of each door that was heard up to its first gap; the marks as they are now."""
    return {boot: _advance_one(boot) for boot in sorted({record.boot for record in records})}


def _advance_one(boot: bytes) -> int:
    size = ID_BYTES - BOOT_BYTES
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO dateline_door (boot, upto) VALUES (%s, 0) ON CONFLICT DO NOTHING", [boot])
        cursor.execute("SELECT upto FROM dateline_door WHERE boot = %s FOR UPDATE", [boot])
        upto: int = cursor.fetchone()[0]
        bounds = {"low": boot + upto.to_bytes(size, "big"), "high": boot + b"\xff" * size}
        cursor.execute(_CONTIGUOUS, {**bounds, "upto": upto})
        reached = int(cursor.fetchone()[0])
        cursor.execute("UPDATE dateline_door SET upto = %s WHERE boot = %s", [reached, boot])
    return reached
