"""Counting."""

from __future__ import annotations

import redis
from celery import shared_task
from django.utils import timezone

from pipeline.engagement import drain as draining
from pipeline.engagement import settle as settling
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job


@shared_task(name=Job.ENGAGEMENT_DRAIN.value)
def drain(**_: object) -> None:
    with redis.Redis.from_url(config().redis_url, socket_timeout=10, socket_connect_timeout=5) as client:
        draining.drain_all(client=client, now=timezone.now())
    settling.settle(now=timezone.now(), quarantine_s=config().quarantine_s)
