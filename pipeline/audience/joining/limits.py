"""How many sign-ups one network may send in an hour.

Counted in Redis under a hash of the network. With Redis away nobody is counted and everybody may ask: what protects an
address from letters (`asking.MOST_LETTERS`) is counted in the database, and holds.
"""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import datetime
from functools import lru_cache

import redis

from pipeline.kernel.config import config
from pipeline.kernel.processes.redis_link import redis_link

log = logging.getLogger("dateline.audience")

PREFIX = "dateline:joining:"
HOUR_S = 3600
#: A school or an office is one network. Forms that cannot show that somebody looked at them are trusted less.
MOST_SEALED, MOST_BARE = 60, 15
PATIENCE_S = 0.1
RETRY_AFTER_S = 5.0

_away_until = [0.0]  # monotonic; a Redis that does not answer is not asked by every request


def may_ask(*, network: str, is_sealed: bool, now: datetime) -> bool:
    """Count a sign-up from `network`; False beyond the hour's number. `is_sealed`: the form carried our seal."""
    kind, most = ("sealed", MOST_SEALED) if is_sealed else ("bare", MOST_BARE)
    name = hashlib.blake2b(network.encode(), digest_size=12, key=config().secret_key.encode()[:64]).hexdigest()
    key = f"{PREFIX}{kind}:{name}:{int(now.timestamp()) // HOUR_S}"
    if time.monotonic() < _away_until[0]:
        return True
    try:
        with _redis().pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * HOUR_S)
            return int(pipe.execute()[0]) <= most
    except redis.RedisError as error:
        _away_until[0] = time.monotonic() + RETRY_AFTER_S
        log.warning("sign-ups are not being counted: Redis is away (%s)", type(error).__name__)
        return True


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis_link(wait_s=PATIENCE_S)
