"""How many there are, at a cost that does not grow with them: counted while they are few, told from a sample after that.

A table of more than EXACT rows, by what the planner knows of it, is read in part: whole pages at random, so many that
about SAMPLE rows are seen. The number is then about right, to a per cent or so, and whoever shows it says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

EXACT, SAMPLE = 200_000, 40_000


@dataclass(frozen=True, slots=True)
class Roughly:
    """Rows by what they are grouped by; those seen in a sample are scaled up."""

    by: dict[str, int]
    is_sample: bool


def readers_by_state() -> Roughly:
    """Of every reader there is a row of. Two queries."""
    return _grouped("state", table="dateline_subscriber", where="TRUE")


def followers_by_topic() -> Roughly:
    """Choices that have not ended, by the topic's id as text. Two queries."""
    return _grouped("topic_id", table="dateline_subscription", where="left_at IS NULL")


def _grouped(column: str, *, table: str, where: str) -> Roughly:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        rows = int(cursor.fetchone()[0])
        percent = 100.0 if rows <= EXACT else 100 * SAMPLE / rows
        sample = "" if percent == 100 else f" TABLESAMPLE SYSTEM ({percent:.6f})"
        cursor.execute(f"SELECT {column}::text, count(*) FROM {table}{sample} WHERE {where} GROUP BY 1")  # noqa: S608 - our own words
        return Roughly({key: round(n * 100 / percent) for key, n in cursor.fetchall()}, is_sample=bool(sample))
