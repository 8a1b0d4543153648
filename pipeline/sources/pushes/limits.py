"""How often one token may knock, and that no signature is heard twice. Both save work only: Redis may be away."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from functools import lru_cache

import redis

from pipeline.kernel.processes.redis_link import redis_link

log = logging.getLogger("dateline.pushes")

MOST_PER_MINUTE = 60
REMEMBER_S = 600  #: twice the window in which a signature is good
PATIENCE_S = 0.1
RETRY_AFTER_S = 5.0

_away_until = [0.0]  # monotonic; a Redis that does not answer is not asked by every request


def may_knock(token: str, *, now: datetime) -> bool:
    """Counts a knock; False beyond MOST_PER_MINUTE in one minute. True where nobody can count."""
    key = f"dateline:knocks:{token}:{int(now.timestamp()) // 60}"
    try:
        with _asked().pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, 120)
            knocks = int(pipe.execute()[0])
    except redis.RedisError as error:
        return _without(error)
    if knocks == MOST_PER_MINUTE + 1:
        log.warning("a push knocks more than %s times a minute; the rest is not acted on", MOST_PER_MINUTE)
    return knocks <= MOST_PER_MINUTE


def first_time(mac: str) -> bool:
    """Claims a signature; False if it was claimed before. True where nobody can remember: the window must do."""
    try:
        return bool(_asked().set(f"dateline:heard:{mac}", b"1", nx=True, ex=REMEMBER_S))
    except redis.RedisError as error:
        return _without(error)


def forget(mac: str) -> None:
    """Let a signature be heard again: what it asked for could not be done."""
    try:
        _asked().delete(f"dateline:heard:{mac}")
    except redis.RedisError as error:
        _without(error)


def _asked() -> redis.Redis:
    if time.monotonic() < _away_until[0]:
        raise redis.ConnectionError("not asked again yet")
    return _redis()


def _without(error: redis.RedisError) -> bool:
    if time.monotonic() >= _away_until[0]:
        _away_until[0] = time.monotonic() + RETRY_AFTER_S
        log.warning("knocks are not being counted: Redis is away (%s)", type(error).__name__)
    return True


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis_link(wait_s=PATIENCE_S)
