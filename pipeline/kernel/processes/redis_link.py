"""A connection to Redis that gives up soon: whoever asks has something to fall back on, or is asked again."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.kernel.config import config


def redis_link(*, wait_s: float = 1.0) -> redis.Redis:
    """A client of our Redis that waits `wait_s` for a connection and for an answer, and tries once more at once.

    By itself redis-py tries three times more with growing pauses: 4 to 8 s for a page or a look, measured with Redis away.
    """
    return redis.Redis.from_url(
        config().redis_url, socket_timeout=wait_s, socket_connect_timeout=wait_s, retry=Retry(NoBackoff(), 1)
    )
