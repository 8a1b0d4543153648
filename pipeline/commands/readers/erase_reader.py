"""`dateline export-reader` and `dateline erase-reader`: what a reader may ask of us by law."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone

from pipeline.commands.unusable import UnusableInput
from pipeline.delivery.privacy import erasing
from pipeline.delivery.privacy.held import held


def everything(*, address: str) -> dict[str, Any]:
    """All we hold about an address."""
    return held(address=address)


def run(*, address: str, yes: bool) -> dict[str, Any]:
    """Without `yes`, what erasing would touch; with it, done. Raises UnusableInput."""
    try:
        found = erasing.erase(address=address, now=timezone.now()) if yes else erasing.preview(address=address)
    except erasing.Unknown as error:
        raise UnusableInput(f"{error}; nothing was changed") from error
    counts = asdict(found)
    stays = {name: counts.pop(name) for name in ("deliveries", "feedback", "acts")}
    return {"erased": yes, "goes": counts, "stays_without_a_name": stays, "suppressed": yes, "warnings": []}
