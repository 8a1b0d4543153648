"""Who it was is forgotten when the day after next begins: only that it was one person that day remains, and of every
User-Agent which kind of program it named.

The persons of a finished day become hashes under a salt that exists in this process, for this one statement. A vote
is of a person and a day, and one person stays one person of that day, so that every count is as it was.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min

from pipeline.engagement import drain
from pipeline.engagement.asking.agents import STAND_INS, kind
from pipeline.engagement.models import Event, Horizon, Mode
from pipeline.engagement.tally import LOCK

SALT_BYTES = 32
#: A reader who took consent back during the day is forgotten for the whole of it, or the rest would name them.
_FORGET = """
UPDATE dateline_event SET ordinal = 0, mode = 'aggregate', person = substring(sha256(%(salt)s || person) FROM 1 FOR 16),
       agent = known.kept
  FROM unnest(%(agents)s::text[], %(kept)s::text[]) AS known(header, kept)
 WHERE known.header = agent AND at >= %(day)s AND at < %(end)s AND ordinal > 0
   AND person IN (SELECT person FROM dateline_event
                   WHERE at >= %(day)s AND at < %(end)s AND ordinal > 0 AND mode = 'aggregate')
"""
#: Of the others, whom nobody named or who agreed to be, the header goes as well.
_COARSEN = """
UPDATE dateline_event SET agent = known.kept
  FROM unnest(%(agents)s::text[], %(kept)s::text[]) AS known(header, kept)
 WHERE known.header = agent AND known.kept <> agent AND at >= %(since)s AND at < %(end)s
"""


def forget(*, now: datetime) -> int:
    """Forget whose acts those of every finished day were, where only counting was agreed; how many events.

    Day after day: one with an event that waits for its verdict waits as well, and those after it, because the verdict
    needs to know whose it is, and what arrives for a day that is closed may be added to nobody (`Horizon.forgotten`).
    """
    until = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    forgotten = 0
    while _closed_until() < until:
        found = _close_one(until)
        if found is None:
            break
        forgotten += found
    return forgotten


def _closed_until() -> datetime:
    minute = Horizon.objects.aggregate(last=Max("forgotten"))["last"] or 0
    return datetime.fromtimestamp(minute * 60, tz=UTC)


@transaction.atomic
def _close_one(until: datetime) -> int | None:
    """Close days up to and with the first that has anything to forget; how much. None: it waits for a verdict.

    Nothing arrives meanwhile: the drain is held as well, or an event could slip into a day that is being closed.
    Where another process closed more, and by a later clock, it stays closed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), pg_advisory_xact_lock(%s)", [LOCK, drain.LOCK])
    since = _closed_until()
    if since >= until:
        return 0
    named = Event.objects.filter(ordinal__gt=0, at__gte=since, at__lt=until)
    first = named.filter(mode=Mode.AGGREGATE).aggregate(at=Min("at"))["at"]
    if first is None:
        _mark(until)
        _coarsen(since, until)
        return 0
    day = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = day + timedelta(days=1)
    if named.filter(verdict=Event.Verdict.PENDING, at__gte=day, at__lt=end).exists():
        return None
    _mark(end)
    with connection.cursor() as cursor:
        salt = secrets.token_bytes(SALT_BYTES)
        cursor.execute(_FORGET, {"salt": salt, "day": day, "end": end, **_kinds(day, end)})
        forgotten = int(cursor.rowcount)
    _coarsen(since, end)
    return forgotten


def _coarsen(since: datetime, end: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COARSEN, {"since": since, "end": end, **_kinds(since, end)})


def _kinds(since: datetime, end: datetime) -> dict[str, list[str]]:
    """Every header of these days, and what stands for its kind."""
    agents = Event.objects.filter(at__gte=since, at__lt=end).order_by().values_list("agent", flat=True).distinct()
    headers = list(agents)
    return {"agents": headers, "kept": [STAND_INS[kind(header)] for header in headers]}


def _mark(end: datetime) -> None:
    Horizon.objects.update_or_create(id=1, defaults={"forgotten": int(end.timestamp()) // 60})
