"""Telling other programs."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.hooks import deliver as delivering
from pipeline.kernel.queue import Job


@shared_task(name=Job.HOOKS_DELIVER.value)
def deliver(**_: object) -> None:
    delivering.deliver(now=timezone.now())
