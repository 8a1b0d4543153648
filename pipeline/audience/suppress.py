"""Addresses that are not mailed, whatever anyone subscribes them to."""

from __future__ import annotations

from datetime import datetime

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.models import Suppression
from pipeline.audience.subscribe import hash_of


def suppress(*, address: str, reason: Suppression.Reason, now: datetime, detail: str = "") -> bool:
    """Suppress an address; the first reason stays. True if it was not suppressed before."""
    _, made = Suppression.objects.get_or_create(
        address_hash=hash_of(_spelled(address)),
        defaults={"reason": reason, "at": now, "detail": detail[:200]},
    )
    return made


def _spelled(address: str) -> str:
    try:
        return normal(address)
    except NotAnAddress:  # what a server told us may be none: it is remembered as it came
        return address.strip().lower()
