"""Signs of life of those who work, kept in Redis: each tick leaves one, and rings for one of the senders."""

from __future__ import annotations

import logging
from datetime import datetime

import redis

from pipeline.kernel.processes.redis_link import redis_link
from pipeline.kernel.queue import Job, Queue, ring

log = logging.getLogger("dateline.schedule")

#: The senders are asked this often; without an answer for `DEAD_AFTER_S` they count as gone.
ASK_EVERY_S = 20
DEAD_AFTER_S = 180
_KEPT_S = 86_400
_KEY = "dateline:pulse:"


def keep(*, now: datetime) -> None:
    """At every tick: the clock lives, and whoever sends is asked whether they do. Redis away is no reason to stop."""
    try:
        with _client() as client:
            client.set(f"{_KEY}{Queue.FAST.value}", now.timestamp(), ex=_KEPT_S)
            asks = client.set(f"{_KEY}asked", now.timestamp(), nx=True, ex=ASK_EVERY_S)
    except redis.RedisError as error:
        log.warning("no sign of life could be left: %s", error)
        return
    if asks:
        ring(Job.SCHEDULE_PULSE)


def beat(*, now: datetime) -> None:
    """A sender lives."""
    try:
        with _client() as client:
            client.set(f"{_KEY}{Queue.SEND.value}", now.timestamp(), ex=_KEPT_S)
    except redis.RedisError as error:
        log.warning("no sign of life could be left: %s", error)


def silent_s(queue: Queue, *, now: datetime) -> float | None:
    """Seconds since the last sign of life; None if none is known. Raises redis.RedisError."""
    with _client() as client:
        last = client.get(f"{_KEY}{queue.value}")
    return None if last is None else now.timestamp() - float(last)


def _client() -> redis.Redis:
    return redis_link(wait_s=2)
