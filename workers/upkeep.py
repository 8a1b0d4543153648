"""Sweeping and forgetting."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.articles import intake, revise
from pipeline.delivery import send
from pipeline.delivery.learned import interests, seen
from pipeline.editions import links
from pipeline.engagement.keeping import expire
from pipeline.hooks import tell as hooks
from pipeline.kernel.queue import Job
from pipeline.posts import sweep as posts
from pipeline.schedule import rates
from pipeline.sources import watch
from pipeline.staff import presence


@shared_task(name=Job.UPKEEP_SWEEP.value)
def sweep(**_: object) -> None:
    intake.sweep(now=timezone.now())
    revise.sweep(now=timezone.now())
    links.sweep(now=timezone.now())
    posts.sweep(now=timezone.now())
    send.sweep(now=timezone.now())


@shared_task(name=Job.UPKEEP_RETAIN.value)
def forget(**_: object) -> None:
    watch.forget(now=timezone.now())
    watch.learn(now=timezone.now())
    hooks.forget(now=timezone.now())
    expire.keep_terms(now=timezone.now())
    presence.forget(now=timezone.now())


@shared_task(name=Job.UPKEEP_LEARN.value)
def learn(**_: object) -> None:
    interests.learn()
    seen.learn(now=timezone.now())
    rates.learn(now=timezone.now())
