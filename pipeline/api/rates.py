"""How many requests one token may make in a minute.

Counted in Redis by the number of the token. With Redis away nobody is counted: a door that shuts because a counter is
away would stop the newsroom's programs for what the counter is there to prevent.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime
from functools import lru_cache

import redis

from pipeline.kernel.processes.redis_link import redis_link

log = logging.getLogger("dateline.api")

PREFIX = "dateline:api:"
MINUTE_S = 60
MOST_A_MINUTE = 240
PATIENCE_S = 0.1
RETRY_AFTER_S = 5.0

_away_until = [0.0]  # monotonic; a Redis that does not answer is not asked by every request


def wait_of(token_id: int, *, now: datetime) -> int:
    """Count a request; the seconds to wait where the minute's number is used up, else 0."""
    if time.monotonic() < _away_until[0]:
        return 0
    minute, second = divmod(int(now.timestamp()), MINUTE_S)
    key = f"{PREFIX}{token_id}:{minute}"
    try:
        with _redis().pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * MINUTE_S)
            made = int(pipe.execute()[0])
    except redis.RedisError as error:
        _away_until[0] = time.monotonic() + RETRY_AFTER_S
        log.warning("requests are not being counted: Redis is away (%s)", type(error).__name__)
        return 0
    return MINUTE_S - second if made > MOST_A_MINUTE else 0


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis_link(wait_s=PATIENCE_S)
