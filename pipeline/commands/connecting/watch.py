"""`dateline watch`: show what a site offers, ask, add it, and take its baseline."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.table import Table

from pipeline.articles.models import Article
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.outbound.client import client
from pipeline.sources import discover, watch
from pipeline.sources.discover import Found
from pipeline.sources.models import Source

HINT = (
    "To be told within a second: in the site's WordPress, Settings > Writing > Update Services, "
    "add this address as a line of its own: {url}"
)
_WORDS = {"feed": "feed", "rest": "REST interface", "sitemap": "sitemap", "websub": "WebSub hub"}


def run(
    *, url: str, name: str, every_s: int, settle_s: int | None = None, is_ours: bool = True, yes: bool = False
) -> dict[str, Any]:
    """Discover, ask where a person is there to answer, add, look once. Raises UnusableInput."""
    found = _discovered(url, is_ours=is_ours)
    console = Console(stderr=True)
    console.print(table(found))
    if not yes and sys.stdin.isatty() and not _agreed(console):
        return _refused(found)
    now = timezone.now()
    source, made = discover.add(found, name=name, every_s=every_s, now=now, is_ours=is_ours, settle_s=settle_s)
    _look(source, now=now)
    source.refresh_from_db()
    record = _record(source, found, made=made)
    if record["hint"]:
        console.print(record["hint"], soft_wrap=True, highlight=False)
    return record


def _discovered(url: str, *, is_ours: bool) -> Found:
    try:
        found = discover.discover(url, client=client())
    except discover.NothingToWatch as error:
        raise UnusableInput(str(error)) from error
    if found.forbidden and not is_ours:
        raise UnusableInput(
            f"robots.txt of {found.home_url} asks us not to read {found.forbidden[0]}; "
            "a site that is not yours is asked only what it offers. Nothing was added"
        )
    return found


def table(found: Found) -> Table:
    """What was found, for people to look at."""
    shown = Table(title=found.title, show_header=False, title_justify="left")
    shown.add_row("site", found.home_url)
    for way in found.ways:
        shown.add_row(_WORDS[way.kind], way.url)
    newest = found.newest
    dated = newest and (newest.published or newest.updated)
    facts = {
        "made with": found.generator,
        "language": found.language,
        "time zone": found.zone,
        "stories": "" if found.stories is None else f"{found.stories:,}",
        "newest": newest.title if newest else "",
        "published": f"{dated:%d %B %Y, %H:%M} UTC" if dated else "",
        "can ping us": "yes, see below" if found.takes_pings else "",
    }
    for label, value in facts.items():
        if value:
            shown.add_row(label, value)
    for warning in found.warnings:
        shown.add_row("note", warning)
    return shown


def _agreed(console: Console) -> bool:
    console.print("Watch it? What is there now is a baseline: nothing of it is announced. [y/N] ", end="", markup=False)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _look(source: Source, *, now: datetime) -> None:
    for channel in source.channels.filter(next_due_at__lte=now).order_by("id"):
        watch.look(channel_id=channel.id, now=timezone.now())


def _record(source: Source, found: Found, *, made: bool) -> dict[str, Any]:
    newest = Article.objects.filter(source_id=source.id).order_by("-published_at").first()
    ping_url = f"{config().site_url.rstrip('/')}/ping/{source.ping_token}"
    return {
        "source": source.id,
        "name": source.name,
        "home": source.home_url,
        "feed": found.feed_url,
        "new": made,
        "stories": Article.objects.filter(source_id=source.id).count(),
        "newest": newest.headline if newest else None,
        "announced": 0 if made else None,
        "ways": _ways(found),
        "ping_url": ping_url,
        "hint": HINT.format(url=ping_url) if found.takes_pings and source.is_ours else None,
        "warnings": list(found.warnings) + ([source.last_error] if source.last_error else []),
    }


def _refused(found: Found) -> dict[str, Any]:
    """The same keys; nothing was added."""
    return {
        "source": None,
        "name": found.title,
        "home": found.home_url,
        "feed": found.feed_url,
        "new": False,
        "stories": found.stories,
        "newest": found.newest.title if found.newest else None,
        "announced": None,
        "ways": _ways(found),
        "ping_url": None,
        "hint": None,
        "warnings": [*found.warnings, "not added: the answer was no"],
    }


def _ways(found: Found) -> list[dict[str, str]]:
    return [{"kind": way.kind, "url": way.url} for way in found.ways]
