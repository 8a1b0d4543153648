"""Ranking."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.kernel.queue import Job
from pipeline.ranking import rank


@shared_task(name=Job.RANKING_REFRESH.value)
def refresh(**_: object) -> None:
    rank.refresh(now=timezone.now())
