"""The clock."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.kernel.queue import Job
from pipeline.schedule import plan, release


@shared_task(name=Job.SCHEDULE_TICK.value)
def tick(**_: object) -> None:
    plan.plan(now=timezone.now())
    release.advance(now=timezone.now())
