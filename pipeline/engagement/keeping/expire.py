"""Events go after 30 days, counts after 25 months: by whole UTC days, in portions, and no count that stands changes.

The horizon moves first. From then on nothing before it is counted, judged or recounted, so that it does not matter
how many portions it takes to remove the rows, nor when.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Min

from pipeline.engagement.keeping import reports
from pipeline.engagement.keeping.forget import forget
from pipeline.engagement.models import Event, Horizon, Origin, Poison, Report
from pipeline.engagement.tally import LOCK, horizon_minute

EVENTS_FOR = timedelta(days=30)
READABLE_FOR = timedelta(days=2)
COUNTS_FOR = timedelta(days=761)  #: 25 months
PORTION = 20_000
PORTIONS = 50  #: in one go; what is left waits for the next
DAY_MINUTES = 1440
#: The index by time keeps what a stretch of the table once held: without this each stretch that is filled again would
#: seem to hold the old days as well, and every search would read it.
_RENEW = """
SELECT brin_desummarize_range('event_at', block)
  FROM generate_series(0, pg_relation_size('dateline_event') / current_setting('block_size')::bigint, 128) AS block;
SELECT brin_summarize_new_values('event_at')
"""


def keep_terms(*, now: datetime) -> None:
    """Forget whose acts they were, then remove what is past its time."""
    forget(now=now)
    expire(now=now)
    _expire_poison(now=now)


def expire(*, now: datetime, portion: int = PORTION, portions: int = PORTIONS) -> int:
    """Remove what is past its time; how many events. Stops after `portions`, between or within days."""
    removed = 0
    for size in _sizes(now=now, portion=portion, portions=portions):
        removed += size
    if removed:
        with connection.cursor() as cursor:
            cursor.execute(_RENEW)
    _expire_counts(now=now, portion=portion)
    return removed


def _sizes(*, now: datetime, portion: int, portions: int) -> Iterator[int]:
    """One size for each portion removed: leftovers before the horizon, then day after day behind it."""
    limit = _minute(now - EVENTS_FOR) // DAY_MINUTES
    for _ in range(portions):
        size = _remove(portion)
        if size:
            yield size
        elif (day := _oldest_day(before=limit)) is not None:
            _advance(day, now=now)
        else:
            return


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _start(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def _oldest_day(*, before: int) -> int | None:
    oldest = Event.objects.filter(at__lt=_start(before * DAY_MINUTES)).aggregate(at=Min("at"))["at"]
    return _minute(oldest) // DAY_MINUTES if oldest else None


@transaction.atomic
def _advance(day: int, *, now: datetime) -> None:
    """Put a day behind the horizon, after every report that needs its events has them.

    Another process may have moved it further since the day was chosen. It never goes back: what is gone would be
    missed, and what came late for it would count again (seen in `make chaos-clicks`, two counters, one slow).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if day * DAY_MINUTES < horizon_minute():
        return
    start, end = _start(day * DAY_MINUTES), _start((day + 1) * DAY_MINUTES)
    touched = Event.objects.filter(at__gte=start, at__lt=end, origin__isnull=False).values("origin_id")
    for origin in Origin.objects.filter(id__in=touched, report=None):
        Report.objects.create(origin=origin, stale_since=now)
    for report in Report.objects.filter(origin_id__in=touched, stale_since__isnull=False).order_by("origin_id"):
        reports.compute(report.id, now=now)
    Horizon.objects.update_or_create(id=1, defaults={"minute": (day + 1) * DAY_MINUTES})


def _remove(portion: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM dateline_event WHERE id IN (SELECT id FROM dateline_event WHERE at < %s LIMIT %s)",
            [_start(horizon_minute()), portion],
        )
        return int(cursor.rowcount)


def _expire_poison(*, now: datetime) -> None:
    """What could not be read may name readers all the same: its bytes go as names do, its fault as events do."""
    Poison.objects.filter(at__lt=now - READABLE_FOR).exclude(body=b"").update(body=b"")
    Poison.objects.filter(at__lt=now - EVENTS_FOR).delete()


def _expire_counts(*, now: datetime, portion: int) -> None:
    minute = _minute(now - COUNTS_FOR)
    with connection.cursor() as cursor:
        for table, column, before in (("tally", "minute", minute), ("reading", "day", minute // DAY_MINUTES)):
            cursor.execute(
                f"""DELETE FROM dateline_{table} WHERE id IN
                    (SELECT id FROM dateline_{table} WHERE {column} < %s LIMIT %s)""",  # noqa: S608 - our own names
                [before, portion],
            )
