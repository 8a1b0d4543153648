"""Whose copy of which edition a link belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.delivery.models import Delivery
from pipeline.engagement import tokens
from pipeline.kernel.config import config


@dataclass(frozen=True, slots=True)
class Letter:
    """One reader's copy."""

    delivery: Delivery

    @property
    def topic_id(self) -> int:
        """What the reader follows that brought this mail."""
        return int(self.delivery.send.edition.newsletter.topic_id)


def letter_of(token: str, *, kind: tokens.Kind) -> Letter | None:
    """The copy a signed link was made for; None for a link we did not sign."""
    found = tokens.read(config().keyring, token, kind=kind)
    if not found.valid:
        return None
    rows = Delivery.objects.select_related("send__edition__newsletter__topic", "subscriber", "send__edition__rendering")
    row = rows.filter(send__origin_id=found.origin, ordinal=found.ordinal).first()
    return Letter(row) if row else None
