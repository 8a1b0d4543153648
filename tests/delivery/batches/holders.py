"""Whoever takes the one batch there is, the time that passes on it, and where its readers stand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from pipeline.delivery.batches import batch
from pipeline.delivery.models import Batch, Delivery
from pipeline.kernel.config import Config
from tests.factories.deaths import Life, Post, living


def work(here: Config, post: Post, life: Life | None = None) -> None:
    with living(life or Life()):
        batch.submit(batch_id=Batch.objects.get().id, config=here, now=timezone.now(), channel=post)


def pass_on(*, by_s: float) -> None:
    ago = Now() - timedelta(seconds=by_s)
    Batch.objects.filter(state="claimed").update(lease_until=ago)
    Batch.objects.filter(state="pending").update(due_at=ago)


def ends() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))
