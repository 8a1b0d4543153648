"""Addresses that are not mailed, whatever anyone subscribes them to."""

from __future__ import annotations

from datetime import datetime

from pipeline.audience.models import Suppression
from pipeline.audience.subscribe import hash_of


def suppress(*, address: str, reason: Suppression.Reason, now: datetime, detail: str = "") -> bool:
    """Suppress an address; the first reason stays. True if it was not suppressed before."""
    _, made = Suppression.objects.get_or_create(
        address_hash=hash_of(address.strip().lower()),
        defaults={"reason": reason, "at": now, "detail": detail[:200]},
    )
    return made
