"""`dateline import-subscribers`: readers from a file, ours or another system's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.audience.imports import enter, exports
from pipeline.audience.imports.enter import Busy
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.models import Import, Topic
from pipeline.commands.unusable import UnusableInput

MOST_REFUSALS_SHOWN = 100
_BAR = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())


def run(*, file: Path, topic: str, origin: str, dry_run: bool, report: Path | None = None) -> dict[str, Any]:
    """Import, or go on where an earlier start of the same file stopped. Raises UnusableInput where it cannot be read."""
    found = topic_named(topic)
    if not file.is_file():
        raise UnusableInput(f"{file} is not a file")
    try:
        with Progress(*_BAR, transient=True, console=Console(stderr=True)) as progress:
            bar = progress.add_task("reading", total=file.stat().st_size)
            made_in = enter.enter(
                file=file, topic=found, now=timezone.now(), origin=origin, rehearse=dry_run,
                progress=lambda done, size: progress.update(bar, completed=done, total=size),
            )  # fmt: skip
    except (Unreadable, Busy) as error:
        raise UnusableInput(f"{error}; what came before it is kept, and the same command goes on from there") from error
    if report:
        with report.open("w", encoding="utf-8", newline="") as out:
            exports.refusals(out, made_in=made_in.id)
    return _report(made_in, dry_run=dry_run)


def topic_named(slug: str) -> Topic:
    """Raises UnusableInput, with the slugs there are."""
    found = Topic.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Topic.objects.values_list("slug", flat=True)) or "none yet"
        raise UnusableInput(f"no topic {slug!r}; known are: {known}")
    return found


def _report(made_in: Import, *, dry_run: bool) -> dict[str, Any]:
    faults = made_in.faults.order_by("row")[:MOST_REFUSALS_SHOWN]
    return {
        "read": made_in.rows,
        "entered": 0 if dry_run else made_in.added,
        "would_enter": made_in.added if dry_run else None,
        "known": made_in.known,
        "refused": made_in.refused,
        "layout": made_in.layout,
        "dry_run": dry_run,
        "warnings": [f"line {fault.row}: {exports.why(fault)}" for fault in faults],
    }
