"""Sends on their way, with a delivery for each reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pipeline.audience.models import Subscriber
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.send import begin, prepare
from pipeline.editions.models import Edition

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


def send(*, edition: Edition, now: datetime = NOW, **fields: Any) -> Send:
    """The send of a composed edition with its audience frozen, as the workers make it; `fields` are set last."""
    Edition.objects.filter(id=edition.id).update(state=Edition.State.APPROVED, approved_at=now, leaves_at=now)
    begin(edition_id=edition.id, now=now)
    made = Send.objects.get(edition=edition)
    prepare(send_id=made.id, now=now)
    Send.objects.filter(id=made.id).update(**fields)
    made.refresh_from_db()
    edition.refresh_from_db()
    return made


def answered(*, send: Send, states: Iterable[Delivery.State], now: datetime = NOW) -> list[Delivery]:
    """Give the first deliveries of a send these states, in their order, as a claim of its batches would have."""
    Batch.objects.filter(send=send, fence=0).update(fence=1)
    rows = list(Delivery.objects.filter(send=send).order_by("ordinal"))
    for row, state in zip(rows, states, strict=False):
        row.state, row.answered_at = state, now
    Delivery.objects.bulk_update(rows, ["state", "answered_at"])
    return rows


def delivery(*, send: Send, subscriber: Subscriber, ordinal: int, **fields: Any) -> Delivery:
    """One more delivery, in the send's first batch."""
    batch, _ = Batch.objects.get_or_create(send=send, number=0, defaults={"due_at": send.created_at})
    return Delivery.objects.create(
        send=send, batch=batch, subscriber=subscriber, address=subscriber.address, ordinal=ordinal, **fields
    )
