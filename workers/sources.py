"""Watching."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.articles.gates import announce
from pipeline.kernel.queue import Job
from pipeline.sources import watch
from pipeline.sources.pushes import hints, websub


@shared_task(name=Job.SOURCES_TICK.value)
def tick(**_: object) -> None:
    hints.make_due(now=timezone.now())
    websub.due_renewals(now=timezone.now())
    watch.ring_due(now=timezone.now())
    announce.ring_due(now=timezone.now())


@shared_task(name=Job.SOURCES_LOOK.value)
def look(*, channel_id: int, **_: object) -> None:
    watch.look(channel_id=channel_id, now=timezone.now())


@shared_task(name=Job.SOURCES_RENEW.value)
def renew(*, push_id: int, **_: object) -> None:
    websub.renew(push_id=push_id, now=timezone.now())
