"""The clock, and what looks ahead of it."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.delivery.course import kills
from pipeline.kernel.queue import Job
from pipeline.schedule import plan, release
from pipeline.schedule.alarms import checks, drafts, pulse


@shared_task(name=Job.SCHEDULE_TICK.value)
def tick(**_: object) -> None:
    plan.plan(now=timezone.now())
    release.advance(now=timezone.now())
    kills.sweep(now=timezone.now())
    drafts.sweep(now=timezone.now())
    checks.sweep(now=timezone.now())


@shared_task(name=Job.SCHEDULE_CHECK.value)
def check(*, edition_id: int, **_: object) -> None:
    checks.look(edition_id=edition_id, now=timezone.now())


@shared_task(name=Job.SCHEDULE_NOTICE.value)
def notice(*, edition_id: int, **_: object) -> None:
    drafts.tell(edition_id=edition_id, now=timezone.now())


@shared_task(name=Job.SCHEDULE_PULSE.value)
def answer(**_: object) -> None:
    pulse.beat(now=timezone.now())
