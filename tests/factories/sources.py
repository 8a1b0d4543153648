"""Sites to watch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pipeline.sources.models import Channel, Source

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
_numbers = count(1)


def source(*, name: str = "The Meridian Dispatch", home_url: str = "", now: datetime = NOW, **fields: Any) -> Source:
    """A site past its baseline that answered two minutes ago."""
    known: dict[str, Any] = {
        "baseline_at": now - timedelta(days=30),
        "created_at": now - timedelta(days=30),
        "looks": 9,
    }
    answered = {"last_success_at": now - timedelta(minutes=2)}
    home_url = home_url or f"https://site-{next(_numbers)}.example/"
    return Source.objects.create(name=name, home_url=home_url, **{**known, **answered, **fields})


def channel(*, source: Source, url: str = "", now: datetime = NOW, **fields: Any) -> Channel:
    """Its feed."""
    return Channel.objects.create(source=source, url=url or f"{source.home_url}feed/", **{"next_due_at": now, **fields})
