"""Courtesy to sites whose owners did not ask for us: one at a time, a pause after each, robots.txt heard."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import redis

from pipeline.kernel.outbound.http import Client, FetchError
from pipeline.kernel.processes.redis_link import redis_link
from pipeline.sources.formats import sitemaps
from pipeline.sources.formats.sitemaps import Robots
from pipeline.sources.looks.asking import Failed

ROBOTS_FOR = timedelta(hours=1)
HOSTS = 2_000
_LEAVE = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('pexpire', KEYS[1], ARGV[2]) end"

#: What robots.txt said and when it was read, by scheme and host, in this process.
_robots: dict[str, tuple[datetime, Robots]] = {}


class Later(Exception):
    """Somebody else of ours is at this host."""


@contextmanager
def turn(url: str, *, lease_s: float, gap_s: float) -> Iterator[None]:
    """Be the only one of us at a host, and leave it alone for `gap_s` afterwards. Raises Later.

    Redis only saves the site from us: where it is away, nobody rings and hardly anybody looks.
    """
    key, token = f"dateline:turn:{urlsplit(url).hostname}", secrets.token_hex(8)
    try:
        won = bool(_redis(os.getpid()).set(key, token, nx=True, px=int(lease_s * 1000)))
    except redis.RedisError:
        won = True
    if not won:
        raise Later
    try:
        yield
    finally:
        _leave(key, token, gap_s)


def _leave(key: str, token: str, gap_s: float) -> None:
    with suppress(redis.RedisError):  # the key ends with its lease
        _redis(os.getpid()).eval(_LEAVE, 1, key, token, max(1, int(gap_s * 1000)))


@lru_cache(maxsize=1)
def _redis(_pid: int) -> redis.Redis:
    return redis_link()


def robots_of(url: str, *, client: Client, now: datetime, gap_s: float) -> Robots:
    """What the site of an address lets us read, asked once an hour (RFC 9309 section 2.4 allows a day).

    No robots.txt allows everything; one that cannot be reached allows nothing (section 2.3.1.4): raises Failed.
    """
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}"
    read_at, rules = _robots.get(place, (None, Robots()))
    if read_at is not None and now - read_at < ROBOTS_FOR:
        return rules
    try:
        answer = client.get(f"{place}/robots.txt", limit_bytes=sitemaps.MAX_ROBOTS_BYTES)
    except FetchError as error:
        raise Failed(f"its robots.txt could not be read: {error}") from error
    if answer.status >= 500 or answer.status == 429:
        raise Failed(f"its robots.txt answered {answer.status}", status=answer.status)
    time.sleep(gap_s)
    rules = sitemaps.robots(answer.body, url=answer.final_url) if answer.status == 200 else Robots()
    if len(_robots) >= HOSTS:
        _robots.clear()
    _robots[place] = (now, rules)
    return rules
