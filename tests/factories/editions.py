"""Newsletters and their editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.articles.models import Article
from pipeline.editions.compose import compose
from pipeline.editions.models import Block, Edition, Item, Newsletter
from tests.factories import audience

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
BLOCKS: tuple[Mapping[str, Any], ...] = (
    {"kind": "lead", "title": "", "rule": {"count": 1}},
    {"kind": "section", "title": "Africa", "rule": {"count": 2, "sections": ["Africa"]}},
    {"kind": "top", "title": "More news", "rule": {"count": 3}},
    {"kind": "popular", "title": "Most Popular", "rule": {"count": 3}},
)


def newsletter(
    *, slug: str = "morning-brief", name: str = "Morning Brief", zone: str = "Europe/Brussels",
    blocks: Sequence[Mapping[str, Any]] = BLOCKS, now: datetime = NOW, **fields: Any,
) -> Newsletter:  # fmt: skip
    """A daily newsletter with blocks, a week old."""
    known: dict[str, Any] = {
        "topic": audience.topic(slug=slug, name=name),
        "from_name": "The Meridian Dispatch",
        "from_address": "brief@dispatch.example",
        "masthead": {"zone": zone, "postal_address": "The Meridian Dispatch, 12 Harbour Row, 1000 Brussels"},
        "created_at": now - timedelta(days=7),
    }
    made = Newsletter.objects.create(slug=slug, name=name, **{**known, **fields})
    Block.objects.bulk_create(Block(newsletter=made, position=n, **block) for n, block in enumerate(blocks, start=1))
    return made


def edition(*, newsletter: Newsletter, slot_at: datetime = NOW + timedelta(minutes=18), **fields: Any) -> Edition:
    """A planned edition, or one in the state given."""
    return Edition.objects.create(newsletter=newsletter, slot_at=slot_at, **fields)


def composed(
    *, newsletter: Newsletter, slot_at: datetime = NOW + timedelta(minutes=18), now: datetime = NOW
) -> Edition:
    """An edition filled and rendered from what is eligible, as the worker does it."""
    made = edition(newsletter=newsletter, slot_at=slot_at)
    compose(edition_id=made.id, now=now)
    made.refresh_from_db()
    return made


def item(
    *,
    edition: Edition,
    article: Article,
    code: str = "newest",
    position: int = 1,
    picked: bool = True,
    **fields: Any,
) -> Item:
    """An article's fate in an edition, by hand; composing makes them by rule."""
    return Item.objects.create(edition=edition, article=article, code=code, position=position, picked=picked, **fields)
