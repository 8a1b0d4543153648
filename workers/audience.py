"""Lists of readers on their way in, and what joining leaves behind."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.audience.imports import arriving
from pipeline.audience.joining import confirming
from pipeline.kernel.queue import Job


@shared_task(name=Job.AUDIENCE_IMPORT.value)
def enter(**_: object) -> None:
    arriving.enter_some(now=timezone.now())


@shared_task(name=Job.AUDIENCE_FORGET.value)
def forget(**_: object) -> None:
    confirming.forget(now=timezone.now())
    arriving.expire(now=timezone.now())
