"""What readers did, already judged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from pipeline.engagement.models import Event, Origin
from pipeline.engagement.records import Flag

NOW = datetime(2026, 4, 19, 4, 40, tzinfo=UTC)


def event(
    *, origin: Origin, ordinal: int, kind: str = "click", link: int = 0, verdict: str = "human", rules: Sequence[str] = (),
    at: datetime = NOW, **fields: Any,
) -> Event:  # fmt: skip
    """One event with its verdict; the person is the reader of that ordinal."""
    person = blake2b(b"%d/%d" % (origin.id, ordinal), digest_size=16).digest()
    known: dict[str, Any] = {
        "id": os.urandom(12), "channel": "email", "network": bytes(16), "agent": "Mozilla/5.0", "method": "GET",
        "flags": int(Flag.MAC_OK), "person": person,
    }  # fmt: skip
    return Event.objects.create(
        at=at,
        kind=kind,
        origin=origin,
        ordinal=ordinal,
        link=link,
        verdict=verdict,
        rules=list(rules),
        **{**known, **fields},
    )
