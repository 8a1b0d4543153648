"""Sending."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from pipeline.delivery import send, transports
from pipeline.delivery.batches import batch
from pipeline.delivery.feedback import mailbox
from pipeline.delivery.letters import asking_again, confirmations
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job


@shared_task(name=Job.DELIVERY_PREPARE.value)
def prepare(*, send_id: int, **_: object) -> None:
    send.prepare(send_id=send_id, now=timezone.now())


@shared_task(name=Job.DELIVERY_SUBMIT.value)
def submit(*, batch_id: int, **_: object) -> None:
    batch.submit(batch_id=batch_id, config=config(), now=timezone.now())


@shared_task(name=Job.DELIVERY_FEEDBACK.value)
def feedback(**_: object) -> None:
    """Each minute: what came back, and whether a way out that failed answers again."""
    transports.look_again(config=config())
    mailbox.read(config=config(), now=timezone.now())
    confirmations.sweep(now=timezone.now())


@shared_task(name=Job.DELIVERY_CONFIRM.value)
def confirm(*, confirmation_id: int, **_: object) -> None:
    confirmations.send(confirmation_id=confirmation_id, config=config(), now=timezone.now())


@shared_task(name=Job.DELIVERY_ASK_AGAIN.value)
def ask_again(**_: object) -> None:
    asking_again.sweep(config=config(), now=timezone.now())
