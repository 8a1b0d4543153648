"""Who it was is forgotten when the day after next begins: only that it was one person that day remains.

The persons of a finished day become hashes under a salt that exists in this process, for this one statement. A vote
is of a person and a day, and one person stays one person of that day, so that every count is as it was.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import DateTimeField
from django.db.models.functions import TruncDay

from pipeline.engagement.models import Event, Mode
from pipeline.engagement.tally import LOCK

SALT_BYTES = 32
#: A reader who took consent back during the day is forgotten for the whole of it, or the rest would name them.
_FORGET = """
UPDATE dateline_event SET ordinal = 0, mode = 'aggregate', person = substring(sha256(%(salt)s || person) FROM 1 FOR 16)
 WHERE at >= %(day)s AND at < %(end)s AND ordinal > 0
   AND person IN (SELECT person FROM dateline_event
                   WHERE at >= %(day)s AND at < %(end)s AND ordinal > 0 AND mode = 'aggregate')
"""


def forget(*, now: datetime) -> int:
    """Forget whose acts those of every finished day were, where only counting was agreed; how many events.

    A day with an event that waits for its verdict waits as well: the verdict needs to know whose it is.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    named = Event.objects.filter(mode=Mode.AGGREGATE, ordinal__gt=0, at__lt=today - timedelta(days=1))
    at = TruncDay("at", tzinfo=UTC, output_field=DateTimeField())
    days = sorted(set(named.order_by().values_list(at, flat=True).distinct()))
    return sum(_forget_day(day) for day in days)


@transaction.atomic
def _forget_day(day: datetime) -> int:
    end = day + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if Event.objects.filter(verdict=Event.Verdict.PENDING, at__gte=day, at__lt=end, ordinal__gt=0).exists():
            return 0
        cursor.execute(_FORGET, {"salt": secrets.token_bytes(SALT_BYTES), "day": day, "end": end})
        return int(cursor.rowcount)
