"""Everything held about one reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.query import QuerySet

from pipeline.audience.models import ImportFault, Subscriber, Suppression
from pipeline.audience.subscribe import hash_of
from pipeline.delivery.models import Delivery, Feedback
from pipeline.engagement.models import Event


def held(*, address: str) -> dict[str, Any]:
    """JSON-ready, with every list in the order of time; `reader` is None where only a suppression or nothing is held."""
    spelled = address.strip().lower()
    reader = Subscriber.objects.filter(address=spelled).first()
    suppressed = Suppression.objects.filter(address_hash=hash_of(spelled)).first()
    return {
        "address": spelled,
        "reader": _fields(reader, _READER) if reader else None,
        "suppression": _fields(suppressed, ("reason", "at", "detail")) if suppressed else None,
        "subscriptions": _rows(reader.subscriptions.order_by("since") if reader else None, _SUBSCRIPTION),
        "consents": _rows(reader.consents.order_by("at", "id") if reader else None, _CONSENT),
        "confirmations": _rows(reader.confirmations.order_by("created_at") if reader else None, _CONFIRMATION),
        "interests": _rows(reader.interests.order_by("section") if reader else None, ("section", "clicks", "last_at")),
        "deliveries": _rows(deliveries_of(reader.id).order_by("id") if reader else None, _DELIVERY),
        "feedback": _rows(feedback_of(reader) if reader else None, ("kind", "way", "reason", "status", "said", "at")),
        "acts": _rows(acts_of(reader.id).order_by("at") if reader else None, _ACT),
        "refused_imports": _rows(refusals_of(spelled), ("made_in__name", "row", "given", "code")),
    }


def deliveries_of(subscriber_id: int) -> QuerySet[Delivery]:
    """Every edition sent, or not sent, to one reader."""
    return Delivery.objects.filter(subscriber_id=subscriber_id)


def feedback_of(reader: Subscriber) -> QuerySet[Feedback]:
    """What came back of their mail."""
    mine = Q(delivery__subscriber_id=reader.id) | Q(address_hash=bytes(reader.address_hash))
    return Feedback.objects.filter(mine).order_by("at")


def acts_of(subscriber_id: int) -> QuerySet[Event]:
    """What they did with our mail, as far as it can still be told to be theirs."""
    theirs = Delivery.objects.filter(
        subscriber_id=subscriber_id, send__origin_id=OuterRef("origin_id"), ordinal=OuterRef("ordinal")
    )
    return Event.objects.filter(Exists(theirs), ordinal__gt=0)


def refusals_of(address: str) -> QuerySet[ImportFault]:
    """Rows of lists that name the address."""
    return ImportFault.objects.filter(given__icontains=address)


_READER = (
    "name", "state", "language", "zone", "wants_at", "tracking", "tracking_at", "last_human_at", "asked_again_at",
    "joined_at", "created_at",
)  # fmt: skip
_SUBSCRIPTION = ("topic__slug", "since", "left_at", "pace", "paused_until", "last_at")
_CONSENT = ("topic__slug", "at", "act", "origin", "wording", "network", "form", "wording_version")
_CONFIRMATION = ("created_at", "sent_at", "expires_at", "used_at", "form", "language")
_DELIVERY = (
    "send__edition__newsletter__slug", "send__edition__slot_at", "state", "reason", "smtp_code", "tries", "answered_at",
)  # fmt: skip
_ACT = ("at", "kind", "article__url", "verdict", "agent", "mode")


def _rows(rows: QuerySet[Any] | None, names: Iterable[str]) -> list[dict[str, Any]]:
    return [] if rows is None else [_said(row) for row in rows.values(*names)]


def _fields(row: object, names: Iterable[str]) -> dict[str, Any]:
    return _said({name: getattr(row, name) for name in names})


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime) or hasattr(value, "isoformat"):
        return value.isoformat()
    return value
