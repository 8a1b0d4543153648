"""Composing."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.editions import compose as composing
from pipeline.kernel.queue import Job


@shared_task(name=Job.EDITIONS_COMPOSE.value)
def compose(*, edition_id: int, **_: object) -> None:
    composing.compose(edition_id=edition_id, now=timezone.now())
