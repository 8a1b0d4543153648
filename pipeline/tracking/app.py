"""The click door as a raw ASGI application: `granian --interface asgi pipeline.tracking.app:app`.

GET /c/<token> redirects, GET /o/<token>[.gif] gives a pixel; both write an event down and only then answer.
A request names a link of ours or nothing: an address that comes with it, in its path, query, headers or
body, is never where it is sent. What cannot be read leads to the front page, for a reader is owed a page.
What the newsroom's own site asks for (/b.js, /b/, /popular.*) is answered by the room `site`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.engagement import tokens
from pipeline.engagement.asking import networks
from pipeline.engagement.records import Flag
from pipeline.kernel.signing import Keyring
from pipeline.tracking.answers import (
    EMPTY,
    GIF,
    JSON,
    PRIVATE,
    TEXT,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    not_found,
    reply,
)
from pipeline.tracking.destinations import Destinations, location
from pipeline.tracking.links import LinkSource, PostgresLinks
from pipeline.tracking.recorder import Recorder
from pipeline.tracking.site import script
from pipeline.tracking.site.beacon import Beacon
from pipeline.tracking.site.lists import Lists
from pipeline.tracking.site.pages import Pages
from pipeline.tracking.site.sources import PostgresSite, SiteSource
from pipeline.tracking.spool.journal import Journal
from pipeline.tracking.spool.stream import Stream, safe
from pipeline.tracking.visit import Visitors, asks_for_privacy

#: A token has 26 characters; what gateways hang on to it does not make it this long.
LONGEST_PATH = 2048
_PREFIX = len("/c/")
#: As ints: an enum member made for each click would cost more than all else about it.
_HONEYPOT, _MANGLED, _MAC_OK = int(Flag.HONEYPOT), int(Flag.MANGLED), int(Flag.MAC_OK)
#: One transparent pixel: header, two colours, graphic control, descriptor, one LZW block, trailer.
PIXEL = bytes.fromhex("474946383961 01000100800000 000000ffffff 21f90401000000 00 2c000000000100010000 02024401 00 3b")
_PIXEL_HEADERS = [(b"content-type", GIF), (b"content-length", b"%d" % len(PIXEL)), *PRIVATE]
_PIXEL_START: Message = {"type": "http.response.start", "status": 200, "headers": _PIXEL_HEADERS}
_PIXEL_BODY: Message = {"type": "http.response.body", "body": PIXEL}
_REDIRECT: tuple[Header, ...] = (*PRIVATE, (b"content-length", b"0"))

logger = logging.getLogger(__name__)
#: Sixty requests under way are more objects than the 700 that start a collection otherwise: a fortieth of a click.
COLLECT_AFTER = 5000
#: By then the server has started its own threads, which would inherit what `_give_way` does (docs/decisions/0019).
SETTLED_S = 1.0
#: How often it is asked whether a new day has begun, which is also when the salt of two days ago goes.
TURN_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What the door needs to know. Times in seconds, sizes in bytes unless named otherwise.

    `older_secrets`: oldest first, see Keyring.from_secret. `trusted_hops`: proxies of ours in front.
    `links`, `site`: where links, and articles and charts, come from; None for PostgreSQL at `database_url`.
    """

    secret_key: str = field(repr=False)
    data_dir: Path
    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    home_url: str
    older_secrets: tuple[str, ...] = field(default=(), repr=False)
    trusted_hops: int = 0
    hosting_networks: str = ""
    ack_s: float = 0.05
    replay_after_s: float = 30.0
    poll_s: float = 2.0
    journal_limit: int = 1 << 30
    stream_limit: int = 1_000_000
    links_limit: int = 500_000
    links: LinkSource | None = None
    site: SiteSource | None = None

    @classmethod
    def from_config(cls) -> DoorSettings:
        """This process's settings. Raises ConfigError."""
        from pipeline.kernel.config import config

        known = config()
        return cls(
            secret_key=known.secret_key,
            older_secrets=known.older_secrets,
            data_dir=known.data_dir,
            redis_url=known.redis_url,
            database_url=known.database_url,
            home_url=known.site_url,
            trusted_hops=known.trusted_hops,
            hosting_networks=known.hosting_networks,
        )


class Door:
    """One running door: made and started on its event loop."""

    def __init__(self, settings: DoorSettings) -> None:
        """Raises OSError where the spool cannot be written, ValueError for a front page that is no address."""
        spool = settings.data_dir / "spool"
        self._home = location(settings.home_url)
        if not self._home:
            raise ValueError(f"the front page {settings.home_url!r} is not an absolute http or https address")
        keyring = Keyring.from_secret(settings.secret_key, older=settings.older_secrets)
        self._clicks, self._opens = tokens.Reader(keyring, kind="click"), tokens.Reader(keyring, kind="open")
        self._stream = Stream(
            Journal(spool, limit=settings.journal_limit),
            url=settings.redis_url,
            ack_s=settings.ack_s,
            replay_after_s=settings.replay_after_s,
            poll_s=settings.poll_s,
            stream_limit=settings.stream_limit,
        )
        links = settings.links or PostgresLinks(settings.database_url, newest=settings.links_limit)
        self._destinations = Destinations(links, snapshot=spool / "links.jsonl", limit=settings.links_limit)
        for fault in networks.hosting(settings.hosting_networks).faults:
            logger.warning("a hosting network is left out, the others are used: %s", fault)
        self._visitors = Visitors(spool, hops=settings.trusted_hops, hosting=settings.hosting_networks)
        self._recorder = Recorder(self._stream, self._visitors)
        self._turning: asyncio.Task[None] | None = None
        site = settings.site or PostgresSite(settings.database_url)
        self._lists, self._pages = Lists(site, snapshot=spool / "lists.json"), Pages(site)
        self._beacon = Beacon(keyring, self._pages, self._recorder)
        self._script = script.served()

    async def start(self) -> None:
        """Be ready, with PostgreSQL and Redis or without: each is waited for at most 2 s."""
        await asyncio.gather(self._destinations.start(), self._lists.start(), self._stream.start())
        self._visitors.turn(at_ms=time.time_ns() // 1_000_000)
        self._turning = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        while True:
            await asyncio.sleep(TURN_EVERY_S)
            self._visitors.turn(at_ms=time.time_ns() // 1_000_000)

    async def close(self) -> None:
        """Hand over what is on its way."""
        if self._turning is not None:
            self._turning.cancel()
            await asyncio.gather(self._turning, return_exceptions=True)
        await asyncio.gather(self._destinations.close(), self._lists.close(), self._pages.close())
        await self._stream.close()

    def answer(self, scope: Scope, send: Send) -> Awaitable[None]:
        """The answer to one request, to be awaited; a body that comes with it is not read."""
        path: str = scope["path"]
        if len(path) > LONGEST_PATH:
            return not_found(send)
        if path.startswith("/c/"):
            return self._click(scope, path[_PREFIX:], send)
        if path.startswith("/o/"):
            return self._open(scope, path[_PREFIX:], send)
        return self._rarer(path, scope, send)

    def _rarer(self, path: str, scope: Scope, send: Send) -> Awaitable[None]:
        if path.startswith("/popular."):
            return self._lists.answer(scope, send)
        if path.startswith("/b/"):
            return self._beacon.answer(path[_PREFIX:], scope, send)
        if path == "/b.js":
            return script.answer(self._script, scope, send)
        if path == "/healthz":
            return reply(send, 200, JSON, json.dumps(self.health()).encode())
        if path == "/robots.txt":
            return reply(send, 200, TEXT, b"User-agent: *\nDisallow: /\n")
        return not_found(send)

    def health(self) -> dict[str, Any]:
        """For /healthz: an answer at all means that readers are redirected."""
        return {
            "redis": self._stream.reachable,
            "journal_lag": self._stream.lag,
            "destinations": len(self._destinations),
            "lists": len(self._lists),
            "dropped": dict(self._stream.dropped),
        }

    async def _click(self, scope: Scope, text: str, send: Send) -> None:
        token = self._clicks(text)
        found = self._destinations.get(token.origin, token.link)
        if found is None and token.valid:
            found = await self._destinations.find(token.origin, token.link)
        if token.valid or found:
            trap = _HONEYPOT if found and found.honeypot else 0
            done = self._note(scope, dict(scope["headers"]), token, "click", trap)
            if done is not None:
                await safe(done)
        place = (found and found.location) or self._home
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", place), *_REDIRECT]})
        await send(EMPTY)

    async def _open(self, scope: Scope, text: str, send: Send) -> None:
        """A click is an act and counts whatever the browser asks; who only opened may ask not to be counted."""
        token, headers = self._opens(text.removesuffix(".gif")), dict(scope["headers"])
        if asks_for_privacy(headers):
            self._recorder.dropped["open: asked not to be measured"] += 1
        elif token.valid or self._destinations.knows(token.origin):
            done = self._note(scope, headers, token, "open", 0)
            if done is not None:
                await safe(done)
        await send(_PIXEL_START)
        await send(_PIXEL_BODY)

    def _note(
        self, scope: Scope, headers: dict[bytes, bytes], token: tokens.Token, kind: str, flags: int
    ) -> asyncio.Future[None] | None:
        origin, ordinal, link, valid, mangled = token
        signed = (_MANGLED if mangled else 0) | (_MAC_OK if valid else 0)
        return self._recorder.note(
            scope, headers, kind=kind, flags=flags | signed, origin=origin, ordinal=ordinal, link=link
        )


def create_app(settings: DoorSettings | None = None) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The application. Without settings it reads the environment when the server starts it."""
    running: list[Door] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await running[0].answer(scope, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send, settings, running)
        else:
            await send({"type": "websocket.close", "code": 1003})

    return application


async def _live(receive: Receive, send: Send, settings: DoorSettings | None, running: list[Door]) -> None:
    await receive()
    try:
        door = Door(settings or DoorSettings.from_config())
        await door.start()
    except Exception as error:
        logger.exception("the click door cannot open")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    running.append(door)
    _unhindered()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await door.close()
    await send({"type": "lifespan.shutdown.complete"})


def _unhindered() -> None:
    """Keep the collector, and the server's other thread, out of each other's way and ours."""
    # measured at 30,000 requests a second: without this a full collection walks modules and link table
    # again and again, and the slowest hundredth of the clicks waits 14 ms instead of 4
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    asyncio.get_running_loop().call_later(SETTLED_S, _give_way)


def _give_way() -> None:
    """Make this thread finish what it is handed without interrupting who hands it over: SCHED_BATCH, sched(7).

    Only the event loop's thread: one that reads from the network has to be awake at once also where others are busy.
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # a container may forbid it; a click then costs what it did
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


app = create_app()
