"""Reading time from the site's pages: a token for a page, then reports of how long it was visible.

A page's token is a MAC over its article, the hour and the page's host, so that a report can be checked without any
table. A report is believed only from a page of that host, and never about more than half an hour at once.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.articles.addresses import MAX_CHARS
from pipeline.engagement import tokens
from pipeline.engagement.records import Flag
from pipeline.kernel.signing import KEY_IDS, Keyring
from pipeline.tracking.answers import JSON, OPEN, Header, Scope, Send, nothing, reply
from pipeline.tracking.limits import Allowance
from pipeline.tracking.recorder import Recorder
from pipeline.tracking.site.pages import Away, Pages
from pipeline.tracking.spool.stream import safe
from pipeline.tracking.visit import asks_for_privacy, host_of, is_prefetch

HOUR_MS = 3_600_000
#: A page left open overnight still tells of its evening; a token found later is no longer good for anything.
MOST_HOURS = 24
#: Of one report, in seconds: a page left on the screen at lunch is not read.
MOST_SECONDS = 1800
_PERSON = b"dl-site"
_MARK_BYTES = 2
_METHODS = ("GET", "POST")
_SHARED: tuple[Header, ...] = ((b"cache-control", b"public, max-age=300"), (b"vary", b"origin, referer"), OPEN)
_UNSHARED: tuple[Header, ...] = ((b"cache-control", b"no-store"), OPEN)


class Beacon:
    """Answers below /b/."""

    def __init__(self, keyring: Keyring, pages: Pages, recorder: Recorder) -> None:
        self._keyring, self._pages, self._recorder = keyring, pages, recorder
        self._lookups = Allowance(at_once=300, per_s=10.0)
        self._reports = Allowance(at_once=300, per_s=10.0)

    async def answer(self, rest: str, scope: Scope, send: Send) -> None:
        """`rest` is the path behind /b/: "page", or a page's token."""
        if rest == "page":
            await self._page(scope, send)
        else:
            await self._view(rest, scope, send)

    # -- a token for a page ------------------------------------------------------------------------

    async def _page(self, scope: Scope, send: Send) -> None:
        headers = dict(scope["headers"])
        url = _asked(scope).get("url", "")[:MAX_CHARS]
        host = _host(url)
        if not host or host != _from(headers):
            await self._refused(send, 403, "page: another site")
        elif not self._lookups.takes(self._recorder.visitor(scope, headers)):
            await self._refused(send, 429, "page: too many from one network")
        else:
            await self._told(url, host, send)

    async def _told(self, url: str, host: bytes, send: Send) -> None:
        try:
            article = await self._pages.article(url)
        except Away:
            await self._refused(send, 503, "page: could not be looked up")
            return
        token = None if article is None else self._token(article, host)
        status = 200 if token else 404
        await reply(send, status, JSON, json.dumps({"token": token}).encode(), headers=_SHARED)

    def _token(self, article: int, host: bytes) -> str:
        mark = int.from_bytes(self._keyring.mac(host, person=_PERSON, size=_MARK_BYTES), "big")
        hour = time.time_ns() // 1_000_000 // HOUR_MS
        return tokens.mint(self._keyring, kind="view", origin=hour, ordinal=article, link=mark)

    async def _refused(self, send: Send, status: int, reason: str) -> None:
        self._recorder.dropped[reason] += 1
        await reply(send, status, JSON, b'{"token":null}', headers=_UNSHARED)

    # -- a report ----------------------------------------------------------------------------------

    async def _view(self, text: str, scope: Scope, send: Send) -> None:
        headers, told = dict(scope["headers"]), _asked(scope)
        token = tokens.read(self._keyring, text, kind="view")
        seconds = min(_number(told.get("s")), MOST_SECONDS)
        reason = self._doubt(token, seconds, scope["method"], headers)
        if not reason and not self._reports.takes(self._recorder.visitor(scope, headers)):
            reason = "too many from one network"
        if reason:
            self._recorder.dropped[f"view: {reason}"] += 1
        else:
            event = {"origin": 0, "ordinal": token.ordinal, "link": int(told.get("n", "0") != "0"), "seconds": seconds}
            done = self._recorder.note(scope, headers, kind="view", flags=int(Flag.MAC_OK), **event)
            if done is not None:
                await safe(done)
        await nothing(send)

    def _doubt(self, token: tokens.Token, seconds: int, method: str, headers: dict[bytes, bytes]) -> str:
        """Why a report is not written down, in words for /healthz; empty where nothing speaks against it."""
        age = time.time_ns() // 1_000_000 // HOUR_MS - token.origin
        doubts = {
            "no token of ours": not token.valid or token.mangled,
            "another method": method not in _METHODS,
            "asked not to be measured": asks_for_privacy(headers),
            "fetched ahead": is_prefetch(headers),
            "the token is too old": not -1 <= age <= MOST_HOURS,
            "another site": token.valid and not self._is_of(_from(headers), token.link),
            "less than a second": seconds < 1,
        }
        return next((words for words, holds in doubts.items() if holds), "")

    def _is_of(self, host: bytes, mark: int) -> bool:
        """Whether a token was given to a page of that host, under any of our keys."""
        said = mark.to_bytes(_MARK_BYTES, "big")
        return any(self._keyring.check(host, said, person=_PERSON, kid=kid) for kid in KEY_IDS)


def _asked(scope: Scope) -> dict[str, str]:
    """The query, the last of each name."""
    query: bytes = scope["query_string"]
    try:
        found: dict[str, list[Any]] = parse_qs(query[: 3 * MAX_CHARS].decode("ascii", "replace"), max_num_fields=8)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in found.items()}


def _number(text: str | None) -> int:
    """The number, 0 for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else 0


def _from(headers: dict[bytes, bytes]) -> bytes:
    """The host of the page that asks: browsers write Origin and Referer themselves."""
    return _folded(host_of(headers.get(b"origin", b"")) or host_of(headers.get(b"referer", b"")))


def _host(url: str) -> bytes:
    try:
        at = urlsplit(url)
        return _folded(at.netloc.encode("idna" if not at.netloc.isascii() else "ascii").lower()) if at.hostname else b""
    except (ValueError, UnicodeError):
        return b""


def _folded(host: bytes) -> bytes:
    return host.removeprefix(b"www.")
