"""Readers as CSV that no spreadsheet runs, streamed; and the rows an import refused, with reasons in words."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from django.db import connection, transaction

from pipeline.audience.models import Import, ImportFault, Topic
from pipeline.audience.recipients import RECIPIENTS
from pipeline.staff.journal import note
from pipeline.staff.models import User

#: Excel, LibreOffice and Google Sheets take a cell that begins so for a formula (OWASP, CSV injection).
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_PORTION = 2_000
COLUMNS = ("email", "name", "language", "zone", "joined", "followed since")
_READERS = """
SELECT reader.address, reader.name, reader.language, reader.zone, reader.joined_at, choice.since
  FROM ({who}) AS chosen JOIN dateline_subscriber reader ON reader.id = chosen.id
  JOIN dateline_subscription choice ON choice.subscriber_id = reader.id AND choice.topic_id = %(topic)s
 WHERE {only} ORDER BY reader.id
"""
REASONS = {
    "not_an_address": "it holds no mail address: {why}",
    "unknown_status": "nobody here knows the status {status}: nothing was assumed",
    "unconfirmed": "they never confirmed where the list comes from",
    "suppressed": "mail to them is suppressed here",
    "left": "they left this newsletter; only they can come back",
    "leaves": "they left where the list comes from: kept as having left",
    "ends": "they left where the list comes from: their imported subscription was ended",
    "left_before": "they left where the list comes from, and are kept out here already",
    "stays": "the list says they are out, but they confirmed here themselves: nothing was changed",
    "bounced": "their mail came back where the list comes from: kept as suppressed",
    "complained": "they complained where the list comes from: kept as suppressed",
    "blocked": "they are blocked where the list comes from: kept as suppressed",
}


def safe(value: object) -> str:
    """A cell as text; an apostrophe goes before what a spreadsheet would run, and our import takes it off again."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def readers(out: IO[str], *, topic: Topic, only: str = "TRUE", values: dict[str, Any] | None = None) -> int:
    """Write everybody a mail to the topic would reach; how many. `only` is a segment's clause, `values` its parameters."""
    query = _READERS.format(who=RECIPIENTS, only=only)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(query, {"topic": topic.id, **(values or {})})
        return _written(out, COLUMNS, _portions(cursor))


def refusals(out: IO[str], *, made_in: int) -> int:
    """Write the refused rows of an import in the file's order; how many."""
    faults = ImportFault.objects.filter(made_in_id=made_in).order_by("row").iterator(chunk_size=_PORTION)
    return _written(out, ("row", "given", "code", "why"), ((f.row, f.given, f.code, why(f)) for f in faults))


@transaction.atomic
def refused(row: Import, *, after: int, most: int, actor: User, now: datetime) -> list[ImportFault]:
    """Refused rows behind one, in the file's order. That somebody took them stands in the journal."""
    found = list(row.faults.filter(row__gt=after).order_by("row")[:most])
    note(verb="export refusals", subject="import", subject_id=row.id, now=now, actor=actor, rows=len(found))
    return found


def why(fault: ImportFault) -> str:
    """A refusal in words."""
    return REASONS[fault.code].format(**fault.params)


def _written(out: IO[str], header: Iterable[str], rows: Iterable[Iterable[object]]) -> int:
    writer, count = csv.writer(out), 0
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe(value) for value in row])
        count += 1
    return count


def _portions(cursor: Any) -> Iterator[tuple[object, ...]]:
    while rows := cursor.fetchmany(_PORTION):
        yield from rows
