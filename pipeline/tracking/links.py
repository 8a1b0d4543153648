"""Rows of the link table as the door reads them, and PostgreSQL as where they come from."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

import psycopg


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
    """Rows from `dateline_link`, over one connection that is opened again when it breaks."""

    def __init__(self, database_url: str, *, newest: int = 500_000) -> None:
        """`newest`: how many revisions back a first read begins."""
        self._url, self._newest = database_url, newest
        self._connection: psycopg.AsyncConnection[tuple[int, int, str, int, str]] | None = None
        self._turn = asyncio.Lock()

    async def since(self, revision: int, *, limit: int) -> list[Row]:
        """See LinkSource."""
        return await self._rows(
            "SELECT origin_id, number, url, revision, kind FROM dateline_link"
            " WHERE revision > greatest(%s, (SELECT coalesce(max(revision), 0) FROM dateline_link) - %s)"
            " ORDER BY revision LIMIT %s",
            (revision, self._newest, limit),
        )

    async def of(self, origin: int) -> list[Row]:
        """See LinkSource."""
        return await self._rows(
            "SELECT origin_id, number, url, revision, kind FROM dateline_link WHERE origin_id = %s", (origin,)
        )

    async def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _rows(self, query: str, values: tuple[int, ...]) -> list[Row]:
        async with self._turn:
            try:
                connection = await self._connected()
                cursor = await connection.execute(query, values)
                return [Row(*row) for row in await cursor.fetchall()]
            except BaseException:
                # cancelled or broken: what the server still sends must not answer the next question
                await self.close()
                raise

    async def _connected(self) -> psycopg.AsyncConnection[tuple[int, int, str, int, str]]:
        if self._connection is None or self._connection.closed:
            options = "-c statement_timeout=5000 -c default_transaction_read_only=on"
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=3,
                options=options,
                application_name="dateline-track",
            )
        return self._connection
