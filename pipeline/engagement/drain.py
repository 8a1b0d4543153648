"""From the stream into the database, exactly once: an event's id is its own, so a repeat finds it taken."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import redis
from django.db import connection, transaction

from pipeline.engagement.models import Poison
from pipeline.engagement.records import BOOT_BYTES, ID_BYTES, Poisoned, Record, unpack
from pipeline.kernel.config import config

log = logging.getLogger("dateline.engagement")

STREAM = "dateline:events"
DRAINED = "dateline:drained"  #: hash: a door's boot in hex -> the counter up to which everything is committed
ENTRIES = 500
END_OF_TIME_MS = 253_402_300_800_000  #: the year 10000, which neither Python nor a reader's clock reaches
#: One drain at a time; a second one finds the lock taken and leaves.
LOCK = 0x64_72_61_69

_INBOUND = """
CREATE TEMPORARY TABLE inbound (id bytea, at timestamptz, kind text, origin bigint, ordinal bigint, link int,
    flags int, method text, network bytea, agent text) ON COMMIT DROP
"""
#: ordinal 0 is nobody in particular: there the visitor of the day is the person.
_APPLY = """
INSERT INTO dateline_event (id, at, kind, origin_id, ordinal, link, article_id, channel, person, network, agent,
                            method, flags, verdict, rules, counted)
SELECT DISTINCT ON (inbound.id) inbound.id, inbound.at, inbound.kind, origin.id, inbound.ordinal, inbound.link,
       link.article_id, CASE origin.kind WHEN 'edition' THEN 'email' WHEN 'post' THEN 'social' ELSE 'site' END,
       CASE WHEN inbound.ordinal > 0 THEN int8send(inbound.origin) || int8send(inbound.ordinal) ELSE inbound.network END,
       inbound.network, inbound.agent, inbound.method, inbound.flags, 'pending', '[]'::jsonb, false
  FROM inbound LEFT JOIN dateline_origin origin ON origin.id = inbound.origin
       LEFT JOIN dateline_link link ON link.origin_id = inbound.origin AND link.number = inbound.link
            AND inbound.kind = 'click'
ON CONFLICT (id) DO NOTHING
"""
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
        applied = _apply(records)
        upto = _advance(records)
    if upto:
        client.hset(DRAINED, mapping={boot.hex(): counter for boot, counter in upto.items()})
    client.xdel(STREAM, *[entry for entry, _ in portion])
    return applied


def drain_all(*, now: datetime, portions: int = 20) -> int:
    """Drain until the stream is empty or a time slice is used up; the number of new events."""
    applied = 0
    with redis.Redis.from_url(config().redis_url, socket_timeout=10, socket_connect_timeout=5) as client:
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


def _apply(records: list[Record]) -> int:
    if not records:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_INBOUND)
        with cursor.copy("COPY inbound FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["bytea", "timestamptz", "text", "int8", "int8", "int4", "int4", "text", "bytea", "text"])
            for record in records:
                copy.write_row(_row(record))
        cursor.execute(_APPLY)
        applied = int(cursor.rowcount)
        cursor.execute("DROP TABLE inbound")
    return applied


def _row(record: Record) -> tuple[Any, ...]:
    at = datetime.fromtimestamp(record.at_ms / 1000, tz=UTC)
    return (
        record.event_id, at, record.kind.value, record.origin, record.ordinal, record.link, int(record.flags),
        record.method, record.visitor, record.user_agent.replace("\0", ""),
    )  # fmt: skip


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
