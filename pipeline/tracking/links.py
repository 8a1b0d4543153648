"""Rows of the link table as the door reads them, and PostgreSQL as where they come from."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from pipeline.tracking.postgres import Database


class Row(NamedTuple):
    """One row of `dateline_link`."""

    origin: int
    number: int
    url: str
    revision: int
    kind: str


class LinkSource(Protocol):
    """Where rows come from. Both raise OSError or psycopg.Error where the source is away."""

    async def since(self, revision: int, *, limit: int) -> list[Row]:
        """Up to `limit` rows with a greater revision, in its order."""

    async def of(self, origin: int) -> list[Row]:
        """All rows of one origin."""


class PostgresLinks:
    """Rows from `dateline_link`."""

    def __init__(self, database_url: str, *, newest: int = 500_000) -> None:
        """`newest`: how many revisions back a first read begins."""
        self._database, self._newest = Database(database_url), newest

    async def since(self, revision: int, *, limit: int) -> list[Row]:
        """See LinkSource."""
        rows = await self._database.rows(
            "SELECT origin_id, number, url, revision, kind FROM dateline_link"
            " WHERE revision > greatest(%s, (SELECT coalesce(max(revision), 0) FROM dateline_link) - %s)"
            " ORDER BY revision LIMIT %s",
            (revision, self._newest, limit),
        )
        return [Row(*row) for row in rows]

    async def of(self, origin: int) -> list[Row]:
        """See LinkSource."""
        rows = await self._database.rows(
            "SELECT origin_id, number, url, revision, kind FROM dateline_link WHERE origin_id = %s", (origin,)
        )
        return [Row(*row) for row in rows]

    async def close(self) -> None:
        """Let go of the connection."""
        await self._database.close()
