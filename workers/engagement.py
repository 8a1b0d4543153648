"""Counting."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.engagement import drain as draining
from pipeline.engagement import settle as settling
from pipeline.engagement.keeping import reports
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job


@shared_task(name=Job.ENGAGEMENT_DRAIN.value)
def drain(**_: object) -> None:
    draining.drain_all(now=timezone.now())
    settling.settle(now=timezone.now(), quarantine_s=config().quarantine_s)


@shared_task(name=Job.ENGAGEMENT_REPORT.value)
def report(**_: object) -> None:
    reports.refresh(now=timezone.now())
