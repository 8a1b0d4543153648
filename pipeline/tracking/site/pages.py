"""Which article a page is: asked of the database once, and remembered for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import psycopg

from pipeline.tracking.site.sources import SiteSource

FOUND_S, ABSENT_S = 600.0, 60.0
ON_DEMAND_S = 1.0
_QUERY_EVERY_S = 0.02
_MOST_KNOWN = 20_000

logger = logging.getLogger(__name__)


class Away(Exception):
    """It cannot be said now: the database is away, slow, or has been asked enough this second."""


class Pages:
    """All who ask for one address share a question; fifty questions may begin in a second."""

    def __init__(self, source: SiteSource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._known: dict[str, tuple[float, int | None]] = {}
        self._asked: dict[str, asyncio.Task[int | None]] = {}
        self._allowance = 0.0

    async def article(self, url: str) -> int | None:
        """The article whose page has this address, None for no article of ours. Raises Away, after at most 1 s."""
        known = self._known.get(url)
        if known and known[0] > self._clock():
            return known[1]
        task = self._asked.get(url) or self._question(url)
        try:
            async with asyncio.timeout(ON_DEMAND_S):
                return await asyncio.shield(task)
        except (OSError, psycopg.Error) as error:  # TimeoutError is an OSError
            raise Away(str(error)) from error

    async def close(self) -> None:
        """Stop asking."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _question(self, url: str) -> asyncio.Task[int | None]:
        now = self._clock()
        if self._allowance > now + 1.0:
            raise Away("too many new addresses at once")
        self._allowance = max(self._allowance, now) + _QUERY_EVERY_S
        task = self._asked[url] = asyncio.create_task(self._ask(url))
        task.add_done_callback(lambda done: self._answered(url, done))
        return task

    async def _ask(self, url: str) -> int | None:
        found = await self._source.article(url)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[url] = (self._clock() + (ABSENT_S if found is None else FOUND_S), found)
        return found

    def _answered(self, url: str, task: asyncio.Task[int | None]) -> None:
        del self._asked[url]
        if not task.cancelled() and (error := task.exception()):
            logger.warning("the article of a page could not be looked up: %s", error)
