"""The Celery app: `celery -A workers.app worker`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline.settings")

import django

django.setup()

from celery import Celery
from celery.signals import worker_process_init
from django.db import connections

from pipeline.kernel.config import config
from pipeline.kernel.queue import celery_settings
from workers.beat import SCHEDULE

app = Celery("dateline")
app.conf.update(celery_settings(config().redis_url))
app.conf.update(
    beat_schedule=SCHEDULE,
    beat_schedule_filename=str(config().data_dir / "beat"),
    worker_max_tasks_per_child=2000,  # feed parsers leak; a child costs half a second
    worker_send_task_events=False,
    task_soft_time_limit=120,
    task_time_limit=180,
    include=[
        f"workers.{room}"
        for room in (
            "sources",
            "articles",
            "audience",
            "schedule",
            "editions",
            "delivery",
            "posts",
            "engagement",
            "ranking",
            "hooks",
            "upkeep",
        )
    ],
)


@worker_process_init.connect
def _own_connections(**_: object) -> None:
    """A forked child must not share its parent's database connection."""
    connections.close_all()
