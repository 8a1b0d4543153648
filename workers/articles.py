"""Reading, telling, looking again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.articles import intake, revise
from pipeline.articles.gates import announce
from pipeline.kernel.queue import Job


@shared_task(name=Job.ARTICLES_READ.value)
def read(*, article_id: int, **_: object) -> None:
    intake.take_in(article_id=article_id, now=timezone.now())


@shared_task(name=Job.ARTICLES_TELL.value)
def tell(*, article_id: int, **_: object) -> None:
    announce.tell(article_id=article_id, now=timezone.now())


@shared_task(name=Job.ARTICLES_REVISE.value)
def revise_one(*, article_id: int, **_: object) -> None:
    revise.look_again(article_id=article_id, now=timezone.now())
