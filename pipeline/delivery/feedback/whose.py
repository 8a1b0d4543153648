"""Which delivery an event is about: by what we signed, by what a provider was given, by its Message-ID, by address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import idna
from django.db.models.query import QuerySet

from pipeline.delivery.feedback.events import Event
from pipeline.delivery.message.mail import domain_of, message_id
from pipeline.delivery.models import Delivery
from pipeline.kernel.config import config

#: An address alone names the latest delivery to it within this time; an older bounce is about some other mail.
RECENT = timedelta(days=14)


def found(events: Sequence[Event]) -> dict[str, tuple[Delivery, bool]]:
    """Event id -> its delivery, and whether that is proven. Events about no delivery of ours are left out."""
    named = _rows().in_bulk([event.delivery_id for event in events if event.delivery_id])
    answer: dict[str, tuple[Delivery, bool]] = {}
    for event in events:
        told = named.get(event.delivery_id or 0)
        delivery = told if told and _fits(told, event) else _signed(event) or _numbered(event) or _written(event)
        if delivery:
            answer[event.id] = delivery, True
        elif supposed := _latest_to(event):
            answer[event.id] = supposed, event.trusted
    return answer


def _fits(delivery: Delivery, event: Event) -> bool:
    return not event.address or delivery.address.lower() in _spellings(event.address)


def _signed(event: Event) -> Delivery | None:
    if event.copy is None:
        return None
    origin, ordinal = event.copy
    return _rows().filter(send__origin_id=origin, ordinal=ordinal).first()


def _numbered(event: Event) -> Delivery | None:
    """By the provider's own number, told by that provider."""
    if not (event.remote_id and event.trusted):
        return None
    rows = _rows().filter(remote_id=event.remote_id, transport=event.transport)
    return _to(rows, event).first() if event.address else rows.first()


def _written(event: Event) -> Delivery | None:
    """By a Message-ID of ours: it is a keyed hash, so nobody else could have written it."""
    if not (event.message_ids and event.address):
        return None
    for delivery in _recent(event)[:50]:
        if any(_identity(delivery, secret=secret) in event.message_ids for secret in config().secrets):
            return delivery
    return None


def _identity(delivery: Delivery, *, secret: str) -> str:
    return message_id(
        secret=secret,
        origin=int(delivery.send.origin_id),
        ordinal=delivery.ordinal,
        domain=domain_of(delivery.send.edition.newsletter.from_address),
    )


def _latest_to(event: Event) -> Delivery | None:
    return _recent(event).first() if event.address else None


def _recent(event: Event) -> QuerySet[Delivery]:
    rows = _to(_rows(), event).exclude(answered_at=None)
    return rows.filter(answered_at__range=(event.at - RECENT, event.at + timedelta(days=1))).order_by("-answered_at")


def _to(rows: QuerySet[Delivery], event: Event) -> QuerySet[Delivery]:
    """Through the reader's row, which has an index by address; the delivery keeps the address as it was."""
    return rows.filter(subscriber__address__in=_spellings(event.address))


def _spellings(address: str) -> list[str]:
    """As told, and as we keep it: servers tell a domain in A-labels."""
    told = address.lower()
    local, _, domain = told.rpartition("@")
    try:
        return [told, f"{local}@{idna.decode(domain)}"]
    except (idna.IDNAError, UnicodeError):
        return [told]


def _rows() -> QuerySet[Delivery]:
    return Delivery.objects.select_related("subscriber", "send__edition__newsletter")
