"""Posting."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.delivery.posting import metrics
from pipeline.delivery.posting import publish as publishing
from pipeline.kernel.queue import Job
from pipeline.posts import compose as composing
from pipeline.posts.acts import corrections


@shared_task(name=Job.POSTS_COMPOSE.value)
def compose(*, article_id: int, **_: object) -> None:
    composing.compose(article_id=article_id, now=timezone.now())


@shared_task(name=Job.POSTS_PUBLISH.value)
def publish(*, post_id: int, **_: object) -> None:
    publishing.publish(post_id=post_id, now=timezone.now())


@shared_task(name=Job.POSTS_CORRECT.value)
def correct(*, article_id: int, **_: object) -> None:
    corrections.correct(article_id=article_id, now=timezone.now())


@shared_task(name=Job.POSTS_MEASURE.value)
def measure(*, account_id: int, **_: object) -> None:
    metrics.measure(account_id=account_id, now=timezone.now())
