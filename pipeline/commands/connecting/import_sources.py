"""`dateline import-sources`: every feed of an OPML list becomes a source."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.outbound.client import client
from pipeline.kernel.outbound.http import Client
from pipeline.sources import discover
from pipeline.sources.discover import Found, NothingToWatch
from pipeline.sources.formats import opml
from pipeline.sources.formats.opml import Listed
from pipeline.sources.models import Channel, Source

log = logging.getLogger("dateline.commands")

AT_ONCE = 8  #: sites asked at the same time; each of them gets one request after another
EVERY_S = 120


def run(*, file: Path, dry_run: bool, is_ours: bool = True) -> dict[str, Any]:
    """Discover and add; repeating it is harmless. Raises UnusableInput where the file holds no list.

    The first looks, the baseline, are taken by the workers: a list may name hundreds of sites.
    """
    if not file.is_file():
        raise UnusableInput(f"{file} is not a file")
    listing = opml.read(file.read_bytes())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: list[dict[str, Any]] = []
    with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
        bar = progress.add_task("asking", total=len(listing.feeds))
        for listed, found in _asked(listing.feeds):
            results.append({"feed": listed.feed_url, **_result(listed, found, dry_run=dry_run, is_ours=is_ours)})
            progress.update(bar, advance=1, description=(listed.title or listed.feed_url)[:40])
    counts = Counter(result["result"] for result in results)
    return {
        "file": str(file),
        "feeds": len(listing.feeds),
        "added": counts["added"],
        "known": counts["known"],
        "failed": counts["failed"],
        "dry_run": dry_run,
        "sources": results,
        "warnings": list(listing.warnings),
    }


def _asked(feeds: tuple[Listed, ...]) -> Iterator[tuple[Listed, Found | Source | str]]:
    """Each feed with what was found, the source that has it already, or why nothing was found; in the list's order."""
    urls = [listed.feed_url for listed in feeds]
    used = Channel.objects.filter(url__in=urls, source__state=Source.State.ACTIVE).select_related("source")
    have: dict[str, Source] = {channel.url: channel.source for channel in used}
    ours = client()  # made before the threads are, so that they share one
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [
            (each, None if each.feed_url in have else pool.submit(_found, each.feed_url, ours)) for each in feeds
        ]
        for listed, future in waiting:
            yield listed, future.result() if future else have[listed.feed_url]


def _found(url: str, client: Client) -> Found | str:
    """What one address leads to, or why it leads nowhere. No database is touched here: it runs in a thread."""
    try:
        return discover.discover(url, client=client)
    except NothingToWatch as error:
        return str(error)
    except Exception:  # one bad feed costs itself only
        log.exception("%s could not be looked at", url)
        return "an error of ours; the log says which"


def _result(listed: Listed, found: Found | Source | str, *, dry_run: bool, is_ours: bool) -> dict[str, Any]:
    if isinstance(found, str):
        return {"result": "failed", "source": None, "name": listed.title, "why": found}
    if isinstance(found, Source):
        return {"result": "known", "source": found.id, "name": found.name, "why": None}
    if found.forbidden and not is_ours:
        why = f"robots.txt asks us not to read {found.forbidden[0]}"
        return {"result": "failed", "source": None, "name": listed.title or found.title, "why": why}
    if dry_run:
        had = discover.known(found)
        result = "known" if had else "added"
        return {"result": result, "source": had.id if had else None, "name": listed.title or found.title, "why": None}
    source, made = discover.add(found, name=listed.title, every_s=EVERY_S, now=timezone.now(), is_ours=is_ours)
    return {"result": "added" if made else "known", "source": source.id, "name": source.name, "why": None}
