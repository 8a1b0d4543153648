"""Ringing the doorbell: a message says *look now*, the row says *what*.

Celery on Redis loses messages on crashes and cut connections whatever its settings (docs/decisions), so a
message that cannot be sent is logged and forgotten: the sweeper of that queue rings again.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from django.db import transaction

from pipeline.kernel.config import config

log = logging.getLogger("dateline.queue")


class Queue(StrEnum):
    """One queue per kind of work, so that a flood of one never starves another."""

    WATCH = "watch"  #: fetching feeds and pages
    FAST = "fast"  #: clocks, drains, rankings: milliseconds each
    SEND = "send"  #: batches of mail
    SOCIAL = "social"  #: posts
    SLOW = "slow"  #: upkeep, imports


class Job(StrEnum):
    """Every task by name. tests/house checks that each has a task and a sweeper that rings for it."""

    SOURCES_TICK = "sources.tick"
    SOURCES_LOOK = "sources.look"
    SOURCES_RENEW = "sources.renew"
    ARTICLES_READ = "articles.read"
    ARTICLES_REVISE = "articles.revise"
    ARTICLES_TELL = "articles.tell"
    AUDIENCE_IMPORT = "audience.import"
    AUDIENCE_FORGET = "audience.forget"
    SCHEDULE_TICK = "schedule.tick"
    SCHEDULE_CHECK = "schedule.check"
    SCHEDULE_NOTICE = "schedule.notice"
    SCHEDULE_PULSE = "schedule.pulse"
    EDITIONS_COMPOSE = "editions.compose"
    EDITIONS_ASK = "editions.ask"
    DELIVERY_PREPARE = "delivery.prepare"
    DELIVERY_SUBMIT = "delivery.submit"
    DELIVERY_FEEDBACK = "delivery.feedback"
    DELIVERY_CONFIRM = "delivery.confirm"
    DELIVERY_ASK_AGAIN = "delivery.ask_again"
    POSTS_COMPOSE = "posts.compose"
    POSTS_PUBLISH = "posts.publish"
    POSTS_CORRECT = "posts.correct"
    POSTS_MEASURE = "posts.measure"
    ENGAGEMENT_DRAIN = "engagement.drain"
    ENGAGEMENT_REPORT = "engagement.report"
    RANKING_REFRESH = "ranking.refresh"
    HOOKS_DELIVER = "hooks.deliver"
    UPKEEP_SWEEP = "upkeep.sweep"
    UPKEEP_RETAIN = "upkeep.retain"
    UPKEEP_LEARN = "upkeep.learn"


QUEUE_OF: dict[Job, Queue] = {
    Job.SOURCES_TICK: Queue.FAST,
    Job.SOURCES_LOOK: Queue.WATCH,
    Job.SOURCES_RENEW: Queue.WATCH,
    Job.ARTICLES_READ: Queue.WATCH,
    Job.ARTICLES_REVISE: Queue.WATCH,
    Job.ARTICLES_TELL: Queue.WATCH,
    Job.AUDIENCE_IMPORT: Queue.SLOW,
    Job.AUDIENCE_FORGET: Queue.SLOW,
    Job.SCHEDULE_TICK: Queue.FAST,
    Job.SCHEDULE_CHECK: Queue.SLOW,
    Job.SCHEDULE_NOTICE: Queue.SLOW,
    Job.SCHEDULE_PULSE: Queue.SEND,
    Job.EDITIONS_COMPOSE: Queue.FAST,
    Job.EDITIONS_ASK: Queue.WATCH,
    Job.DELIVERY_PREPARE: Queue.SEND,
    Job.DELIVERY_SUBMIT: Queue.SEND,
    Job.DELIVERY_FEEDBACK: Queue.SLOW,
    Job.DELIVERY_CONFIRM: Queue.SEND,
    Job.DELIVERY_ASK_AGAIN: Queue.SLOW,
    Job.POSTS_COMPOSE: Queue.SOCIAL,
    Job.POSTS_PUBLISH: Queue.SOCIAL,
    Job.POSTS_CORRECT: Queue.SOCIAL,
    Job.POSTS_MEASURE: Queue.SOCIAL,
    Job.ENGAGEMENT_DRAIN: Queue.FAST,
    Job.ENGAGEMENT_REPORT: Queue.SLOW,
    Job.RANKING_REFRESH: Queue.FAST,
    Job.HOOKS_DELIVER: Queue.SLOW,
    Job.UPKEEP_SWEEP: Queue.FAST,
    Job.UPKEEP_RETAIN: Queue.SLOW,
    Job.UPKEEP_LEARN: Queue.SLOW,
}


def broker_url(redis_url: str) -> str:
    """Celery's spelling of a redis-py address: `unix:///p?db=0` becomes `redis+socket:///p?virtual_host=0`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Settings that answer, one by one, the traps measured in docs/decisions/0003-doorbells.md."""
    return {
        "broker_url": broker_url(redis_url),
        "result_backend": None,
        "task_ignore_result": True,  # state is in the rows; no chords, no results to lose
        "task_acks_late": False,  # the lease and the sweep redeliver; late acks run things twice
        "task_reject_on_worker_lost": False,  # 27 restarts in 15 s of a poison task when on
        "task_create_missing_queues": False,  # a typo is an error, not a silent queue
        "task_default_queue": Queue.FAST.value,
        "task_queues": {queue.value: {"exchange": queue.value, "routing_key": queue.value} for queue in Queue},
        "task_routes": {job.value: {"queue": queue.value} for job, queue in QUEUE_OF.items()},
        "task_serializer": "json",
        "accept_content": ["json"],  # whoever can write to the broker still cannot run a pickle
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": 3600,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,  # without it a half-open connection hangs a worker for ever, silently
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "global_keyprefix": "dateline:",
            "queue_order_strategy": "round_robin",
        },
        "enable_utc": True,
        "timezone": "UTC",
    }


#: Celery's own patience is six seconds for a refused connection; whoever rings may be answering a person.
BELL_PATIENCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "socket_connect_timeout": 1}


@cache
def _bell() -> Celery:
    app = Celery("dateline-bell", set_as_current=False)
    settings = celery_settings(config().redis_url)
    settings["broker_transport_options"] |= BELL_PATIENCE
    app.conf.update(settings)
    return app


def ring(job: Job, **ids: int) -> None:
    """Send the message now; a broker that is away costs time, not work."""
    try:
        _bell().send_task(job.value, kwargs=ids, queue=QUEUE_OF[job].value, retry=False, ignore_result=True)
    except Exception as error:  # whatever the broker's client raises, the sweep rings again
        log.warning("the bell for %s did not ring (%s); the sweep will", job.value, type(error).__name__)


def wake(job: Job, **ids: int) -> None:
    """Ring once the current transaction has committed, so that the worker finds the row."""
    transaction.on_commit(lambda: ring(job, **ids))
