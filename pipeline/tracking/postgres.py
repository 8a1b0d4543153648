"""PostgreSQL as a door reads it: one connection, read-only, opened again when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg


class Database:
    """Questions are put one after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._turn = asyncio.Lock()

    async def rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What the query finds. Raises psycopg.Error or OSError; the next question opens a new connection."""
        async with self._turn:
            try:
                connection = await self._connected()
                cursor = await connection.execute(query.encode(), values)
                return await cursor.fetchall()
            except BaseException:
                # cancelled or broken: what the server still sends must not answer the next question
                await self.close()
                raise

    async def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connected(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
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
