"""What the site's part of the door reads of the database: charts as they are served, and whose address one is."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

from pipeline.articles.identity.names import url_name
from pipeline.tracking.postgres import Database

#: A version may come back, and its bodies then carry another date: `mark` names exactly these bytes.
_CHARTS = """
SELECT "window", section, mark, CASE WHEN mark = ANY(%s) THEN NULL ELSE bodies END
  FROM (SELECT "window", section, bodies, concat_ws(' ', "window", section, version, changed_at) AS mark
          FROM dateline_chart) AS chart
"""
#: By source first, because the index on names is: a newsroom has few.
_ARTICLE = """
SELECT alias.article_id FROM dateline_source source
  JOIN dateline_alias alias ON alias.source_id = source.id AND alias.kind = %s AND alias.value = %s
 ORDER BY alias.article_id LIMIT 1
"""


class Drawn(NamedTuple):
    """One chart. `bodies`: texts by format, as the ranking room wrote them; None: those of `mark`, known already."""

    window: str
    section: str
    mark: str
    bodies: dict[str, str] | None


class SiteSource(Protocol):
    """Where they come from. Both raise OSError or psycopg.Error where the source is away."""

    async def charts(self, *, known: Collection[str]) -> list[Drawn]:
        """Every chart there is; those whose mark is `known` without their bodies."""

    async def article(self, url: str) -> int | None:
        """The article whose page has this address."""


class PostgresSite:
    """From the tables of charts and of articles' names."""

    def __init__(self, database_url: str) -> None:
        self._database = Database(database_url)

    async def charts(self, *, known: Collection[str]) -> list[Drawn]:
        """See SiteSource."""
        return [Drawn(*row) for row in await self._database.rows(_CHARTS, (list(known),))]

    async def article(self, url: str) -> int | None:
        """See SiteSource."""
        rows = await self._database.rows(_ARTICLE, url_name(url))
        return int(rows[0][0]) if rows else None

    async def close(self) -> None:
        """Let go of the connection."""
        await self._database.close()
