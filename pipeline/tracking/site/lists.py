"""Most Popular from memory: /popular.json, .rss and .html of every window and section, as the ranking room wrote them.

Polled like the links, and kept on disk, so that a list outlives a database that is away. The readers' door in
public/popular.py serves the same bytes under the same ETag.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

import psycopg

from pipeline.tracking.answers import EMPTY, OPEN, TEXT, Header, Message, Scope, Send, not_found, reply
from pipeline.tracking.site.sources import Drawn, SiteSource

CACHE: Header = (b"cache-control", b"public, max-age=10, s-maxage=10, stale-while-revalidate=60, stale-if-error=86400")
WINDOWS = ("now", "today", "week", "trending")
MEDIA = {"json": "application/json", "rss": "application/rss+xml", "html": "text/html"}
#: As public/popular.py has it: pages of other sites may frame the fragment.
FRAME: Header = (
    b"content-security-policy",
    b"default-src 'none'; form-action 'none'; frame-ancestors *; base-uri 'none'",
)
_PATHS = {f"/popular.{form}": form for form in MEDIA}
_UNCACHED: tuple[Header, ...] = ((b"cache-control", b"no-store"), OPEN)
_KEPT_EVERY_S = 60.0
_MOST_REQUESTS = 2000
_FIRST_S = 2.0

logger = logging.getLogger(__name__)


class Body(NamedTuple):
    """A list ready to leave: messages are made once and sent again and again."""

    etag: bytes
    found: Message
    same: Message
    body: Message


class Lists:
    """The lists in memory; the background keeps them fresh."""

    def __init__(self, source: SiteSource, *, snapshot: Path, refresh_s: float = 2.0) -> None:
        self._source, self._snapshot, self._refresh_s = source, snapshot, refresh_s
        self._drawn: dict[tuple[str, str], Drawn] = {}
        self._bodies: dict[tuple[str, str, str], Body] = {}
        self._asked: dict[tuple[str, bytes], Body] = {}
        self._kept, self._kept_at = True, 0.0
        self._keeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._drawn)

    async def start(self) -> None:
        """Read the snapshot, try the source once (at most 2 s), and stay fresh in the background."""
        self._take(_snapshot_rows(self._snapshot))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_S):
                await self.refresh()
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop the background and leave what is known to the next door."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._write()

    async def refresh(self) -> bool:
        """Take what changed. False: the source is away, the lists stay as they are."""
        try:
            self._take(await self._source.charts(known=[one.mark for one in self._drawn.values()]))
        except (OSError, psycopg.Error) as error:
            logger.warning("Most Popular could not be read, the lists stay as they are: %s", error)
            return False
        return True

    async def answer(self, scope: Scope, send: Send) -> None:
        """A list; 304 to who has it; 404 for a section without one; 503 before the first was drawn up."""
        path, query, method = scope["path"], scope["query_string"], scope["method"]
        if path not in _PATHS:
            await not_found(send)
            return
        if method not in ("GET", "HEAD"):
            await reply(send, 405, TEXT, b"GET only\n", headers=(*_UNCACHED, (b"allow", b"GET, HEAD")))
            return
        found = self._asked.get((path, query)) or self._found(path, query)
        if not isinstance(found, Body):
            await reply(send, found[0], TEXT, found[1], headers=_UNCACHED)
            return
        if _has(scope["headers"], found.etag):
            await send(found.same)
            await send(EMPTY)
            return
        await send(found.found)
        await send(found.body)

    def _found(self, path: str, query: bytes) -> Body | tuple[int, bytes]:
        """The body, or a status with words."""
        asked = parse_qs(query[:2048].decode("ascii", "replace"), max_num_fields=None)
        window, section = asked.get("window", ["today"])[-1], asked.get("section", [""])[-1][:200]
        if window not in WINDOWS:
            return 400, f"window is one of {', '.join(WINDOWS)}\n".encode()
        body = self._bodies.get((window, section, _PATHS[path]))
        if body is None:
            return (404, b"No list of that section\n") if section and self._drawn else (503, b"Not drawn up yet\n")
        if len(self._asked) >= _MOST_REQUESTS:
            self._asked.clear()
        self._asked[path, query] = body
        return body

    def _take(self, charts: Iterable[Drawn]) -> None:
        """All charts there are: who is not among them is gone."""
        before, changed = self._drawn, False
        self._drawn = {}
        for one in charts:
            place = (one.window, one.section)
            known = one if one.bodies is not None else before.get(place)
            if known is None or not known.bodies:
                continue
            self._drawn[place] = known
            if known is one:
                changed = True
                self._bodies.update(
                    {(*place, form): _body(text, form) for form, text in known.bodies.items() if form in MEDIA}
                )
        for place in before.keys() - self._drawn.keys():
            changed = True
            for form in MEDIA:
                self._bodies.pop((*place, form), None)
        if changed:
            self._asked.clear()
            self._kept = False

    async def _keep(self) -> None:
        wait = self._refresh_s
        while True:
            await asyncio.sleep(wait)
            try:
                wait = self._refresh_s if await self.refresh() else min(wait * 2, 15.0)
                if time.monotonic() - self._kept_at >= _KEPT_EVERY_S:
                    self._write()
            except Exception:
                logger.exception("Most Popular could not be read")

    def _write(self) -> None:
        if self._kept:
            return
        beside = self._snapshot.with_suffix(f".{os.getpid()}")
        try:
            beside.write_text(json.dumps(list(self._drawn.values())), encoding="ascii")
            beside.replace(self._snapshot)
        except OSError as error:
            logger.warning("the snapshot of lists could not be written: %s", error)
        self._kept, self._kept_at = True, time.monotonic()


def etag_of(body: bytes) -> str:
    """Strong: it names these bytes. As public/popular.py has it."""
    return f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'


def _body(text: str, form: str) -> Body:
    raw = text.encode()
    etag = etag_of(raw).encode()
    shared: list[Header] = [CACHE, OPEN, (b"etag", etag), *((FRAME,) if form == "html" else ())]
    told = [(b"content-type", f"{MEDIA[form]}; charset=utf-8".encode()), (b"content-length", b"%d" % len(raw)), *shared]
    return Body(
        etag,
        {"type": "http.response.start", "status": 200, "headers": told},
        {"type": "http.response.start", "status": 304, "headers": shared},
        {"type": "http.response.body", "body": raw},
    )


def _has(headers: Iterable[Header], etag: bytes) -> bool:
    """RFC 9110 13.1.2: the list may hold weak ones, which compare as equal here."""
    return any(name == b"if-none-match" and (etag in value or value.strip() == b"*") for name, value in headers)


def _snapshot_rows(path: Path) -> list[Drawn]:
    """What was kept on disk; nothing where it was torn or altered."""
    try:
        rows = [Drawn(*row) for row in json.loads(path.read_text(encoding="ascii"))]
    except (OSError, ValueError, TypeError):
        return []
    whole = all(
        isinstance(one.bodies, dict) and all(isinstance(text, str) for text in (*one[:3], *one.bodies.values()))
        for one in rows
    )
    return rows if whole else []
