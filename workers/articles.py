"""Reading."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.articles import intake
from pipeline.kernel.queue import Job


@shared_task(name=Job.ARTICLES_READ.value)
def read(*, article_id: int, **_: object) -> None:
    intake.take_in(article_id=article_id, now=timezone.now())
