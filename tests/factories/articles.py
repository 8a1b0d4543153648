"""Articles, told or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pipeline.articles.models import Article
from pipeline.sources.models import Source
from tests.factories import sources

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
_numbers = count(1)


def article(
    *,
    source: Source | None = None,
    headline: str = "",
    url: str = "",
    age_s: float = 3600,
    now: datetime = NOW,
    **fields: Any,
) -> Article:
    """An eligible article, `age_s` seconds old; `now` is the instant the age is counted from."""
    number, at = next(_numbers), now - timedelta(seconds=age_s)
    source = source or Source.objects.first() or sources.source(now=now)
    known: dict[str, Any] = {
        "state": Article.State.ELIGIBLE,
        "url": url or f"{source.home_url}story-{number}/",
        "headline": headline or f"Story {number}",
        "section_path": ["World"],
        "first_seen_at": at,
        "published_at": at,
        "read_at": at,
        "fingerprint": f"{number:064x}",
    }
    if fields.get("state", Article.State.ELIGIBLE) == Article.State.ELIGIBLE:
        known["eligible_at"] = known["announced_at"] = at
    return Article.objects.create(source=source, **{**known, **fields})
