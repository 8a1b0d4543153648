"""Composing, and asking whether what an edition links to answers."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.editions import compose as composing
from pipeline.editions import links
from pipeline.kernel.queue import Job


@shared_task(name=Job.EDITIONS_COMPOSE.value)
def compose(*, edition_id: int, **_: object) -> None:
    composing.compose(edition_id=edition_id, now=timezone.now())


@shared_task(name=Job.EDITIONS_ASK.value)
def ask(*, edition_id: int, **_: object) -> None:
    links.ask(edition_id=edition_id, now=timezone.now())
