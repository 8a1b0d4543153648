"""Where each link leads: a table in this process, fed from PostgreSQL, with a copy on disk for a start without it.

The table is `{origin: {number: Destination}}`. New rows are asked for by `revision`, which grows with every
insert and correction, so an editor's repair of a wrong link reaches mail that is already out. A revision is
taken before its transaction commits, so rows may become visible out of order: each refresh looks back over
the last minute. What still slipped through, or was dropped to bound memory, is asked for by its origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import psycopg

from pipeline.tracking.links import LinkSource, Row

LOOK_BACK_S = 60.0
_PAGE = 2000
_NEGATIVE_S = 30.0
_QUERY_EVERY_S = 0.02
_HONEYPOT = "honeypot"
#: RFC 3986's reserved and unreserved characters, and "%": what is left alone in an address.
_AS_IT_IS = "%:/?#[]@!$&'()*+,;=-._~"

logger = logging.getLogger(__name__)


class Destination(NamedTuple):
    """`location`: an absolute http or https address in ASCII, empty where the row held none.

    `honeypot`: no person can see the link.
    """

    location: bytes
    honeypot: bool
    revision: int


class Destinations:
    """The table. `find` and `get` never raise; the background keeps the table fresh."""

    def __init__(
        self,
        source: LinkSource,
        *,
        snapshot: Path,
        limit: int = 500_000,
        refresh_s: float = 1.0,
        on_demand_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit`: links in memory; beyond it the origins that changed longest ago go. `on_demand_s`: see `find`."""
        self._source, self._snapshot, self._limit = source, snapshot, limit
        self._refresh_s, self._on_demand_s, self._clock = refresh_s, on_demand_s, clock
        self._table: dict[int, dict[int, Destination]] = {}
        self._size = 0
        self._revision = 0
        self._seen: deque[tuple[float, int]] = deque([(0.0, 0)])
        self._asked: dict[int, asyncio.Task[None]] = {}
        self._absent: dict[int, float] = {}
        self._allowance = 0.0
        self._keeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return self._size

    def get(self, origin: int, number: int) -> Destination | None:
        """The destination, if this process knows it."""
        links = self._table.get(origin)
        return links.get(number) if links else None

    def knows(self, origin: int) -> bool:
        """Whether any link of the origin is in the table."""
        return origin in self._table

    async def find(self, origin: int, number: int) -> Destination | None:
        """As `get`, but asks the source for an origin that is not in the table.

        All who ask for one origin share a query and wait for it at most `on_demand_s`; fifty queries may
        begin in a second, and an origin that nobody knows is not asked for again for 30 s.
        """
        if not self.knows(origin) and (task := self._query(origin)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._on_demand_s):
                    await asyncio.shield(task)
        return self.get(origin, number)

    async def start(self) -> None:
        """Read the snapshot, try the source once (at most 2 s), and stay fresh in the background."""
        self._take(_snapshot_rows(self._snapshot))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self.refresh()
        self._compact()
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop the background."""
        tasks = [task for task in (self._keeper, *self._asked.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def refresh(self) -> bool:
        """Take what changed. False: the source is away, the table stays as it is."""
        now = self._clock()
        while len(self._seen) > 1 and self._seen[1][0] <= now - LOOK_BACK_S:
            self._seen.popleft()
        after = self._seen[0][1]
        try:
            while rows := await self._source.since(after, limit=_PAGE):
                self._learn(rows)
                after = rows[-1].revision
                if len(rows) < _PAGE:
                    break
                await asyncio.sleep(0)
        except (OSError, psycopg.Error) as error:
            logger.warning("links could not be read, the table stays as it is: %s", error)
            return False
        if self._revision > self._seen[-1][1]:
            self._seen.append((now, self._revision))
        return True

    async def _keep(self) -> None:
        wait = self._refresh_s
        while True:
            await asyncio.sleep(wait)
            try:
                wait = self._refresh_s if await self.refresh() else min(wait * 2, 15.0)
            except Exception:
                logger.exception("links could not be read")

    def _query(self, origin: int) -> asyncio.Task[None] | None:
        task, now = self._asked.get(origin), self._clock()
        if task or self._absent.get(origin, now) > now or self._allowance > now + 1.0:
            return task
        self._allowance = max(self._allowance, now) + _QUERY_EVERY_S
        task = self._asked[origin] = asyncio.create_task(self._ask(origin))
        return task

    async def _ask(self, origin: int) -> None:
        try:
            self._learn(await self._source.of(origin))
        except (OSError, psycopg.Error) as error:
            logger.warning("the links of origin %d could not be read: %s", origin, error)
        finally:
            del self._asked[origin]
        if not self.knows(origin):
            if len(self._absent) > 10_000:
                self._absent.clear()
            self._absent[origin] = self._clock() + _NEGATIVE_S

    def _learn(self, rows: Iterable[Row]) -> None:
        """Take rows, and append those that say something new to the snapshot."""
        if fresh := self._take(rows):
            lines = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in fresh)
            try:
                with self._snapshot.open("ab") as file:
                    file.write(lines.encode("ascii"))
            except OSError as error:
                logger.warning("the snapshot of links could not be written: %s", error)

    def _take(self, rows: Iterable[Row]) -> list[Row]:
        fresh = [row for row in rows if self._is_news(row)]
        for row in fresh:
            place = location(row.url)
            if not place:
                logger.error("link %d of origin %d leads nowhere we redirect to", row.number, row.origin)
            # taken out and put back: the dictionary's order is then the order of change
            links = self._table.pop(row.origin, {})
            self._size += row.number not in links
            links[row.number] = Destination(place, row.kind == _HONEYPOT, row.revision)
            self._table[row.origin] = links
        self._revision = max([self._revision, *(row.revision for row in fresh)])
        self._shrink()
        return fresh

    def _is_news(self, row: Row) -> bool:
        known = self.get(row.origin, row.number)
        return known is None or known.revision < row.revision

    def _shrink(self) -> None:
        while self._size > self._limit and len(self._table) > 1:
            oldest = next(iter(self._table))
            self._size -= len(self._table.pop(oldest))

    def _compact(self) -> None:
        """Replace the snapshot by what is in the table, so that it does not grow from start to start."""
        beside = self._snapshot.with_suffix(f".{os.getpid()}")
        try:
            with beside.open("w", encoding="ascii") as file:
                file.writelines(
                    json.dumps([origin, number, one.location.decode(), one.revision, _HONEYPOT * one.honeypot]) + "\n"
                    for origin, links in self._table.items()
                    for number, one in links.items()
                    if one.location
                )
            beside.replace(self._snapshot)
        except OSError as error:
            logger.warning("the snapshot of links could not be written: %s", error)


def location(url: str) -> bytes:
    """The address as a header value; empty for what is not an absolute http or https address in one line."""
    if any(ord(sign) <= 32 or sign in "\\\x7f" for sign in url):
        return b""
    try:
        at = urlsplit(url)
        host, port = at.hostname or "", at.port
        if not host.isascii():
            named = host.encode("idna").decode("ascii")
            at = at._replace(netloc=f"{named}:{port}" if port else named)
    except ValueError:
        return b""
    return quote(at.geturl(), safe=_AS_IT_IS).encode("ascii") if at.scheme in ("http", "https") and host else b""


def _snapshot_rows(path: Path) -> Iterable[Row]:
    """Rows kept on disk; a line that was torn or altered is passed over."""
    try:
        file = path.open(encoding="ascii", errors="replace")
    except OSError:
        return
    with file:
        for line in file:
            with contextlib.suppress(ValueError, TypeError):
                origin, number, url, revision, kind = json.loads(line)
                if isinstance(url, str) and isinstance(kind, str):
                    yield Row(int(origin), int(number), url, int(revision), kind)
