"""`dateline watch`: add a source and take its baseline."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.outbound.client import client
from pipeline.sources import discover, watch


def run(*, url: str, name: str, every_s: int) -> dict[str, Any]:
    """Discover, add, look once. Raises UnusableInput."""
    now = timezone.now()
    try:
        found = discover.discover(url, client=client())
    except discover.NothingToWatch as error:
        raise UnusableInput(str(error)) from error
    source, made = discover.add(found, name=name, every_s=every_s, now=now)
    for channel in source.channels.filter(next_due_at__lte=now):
        watch.look(channel_id=channel.id, now=timezone.now())
    source.refresh_from_db()
    newest = Article.objects.filter(source_id=source.id).order_by("-published_at").first()
    return {
        "source": source.id,
        "name": source.name,
        "home": source.home_url,
        "feed": found.feed_url,
        "new": made,
        "stories": Article.objects.filter(source_id=source.id).count(),
        "newest": newest.headline if newest else None,
        "announced": 0 if made else None,
        "warnings": list(found.feed.warnings) + ([source.last_error] if source.last_error else []),
    }
