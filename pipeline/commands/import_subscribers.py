"""`dateline import-subscribers`: readers from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils import timezone
from rich.progress import Progress

from pipeline.audience import subscribe
from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.models import Topic
from pipeline.commands.unusable import UnusableInput

PORTION = 2000
COLUMNS = ("email", "e-mail", "address", "email address", "e-mail address", "mail")
MOST_REFUSALS_SHOWN = 100


def run(*, file: Path, topic: str, origin: str, dry_run: bool) -> dict[str, Any]:
    """Import in portions; repeating it is harmless. Raises UnusableInput where nothing could be read."""
    found = Topic.objects.filter(slug=topic).first()
    if found is None:
        known = ", ".join(Topic.objects.values_list("slug", flat=True)) or "none yet"
        raise UnusableInput(f"no topic {topic!r}; known are: {known}")
    if not file.is_file():
        raise UnusableInput(f"{file} is not a file")
    entered, read, refused = 0, 0, []
    with Progress(transient=True) as progress:
        bar = progress.add_task("reading", total=file.stat().st_size)
        for portion, place in _portions(file):
            good, bad = _sorted(portion)
            refused += bad
            read += len(portion)
            if not dry_run:
                entered += subscribe.enrol(addresses=good, topic=found, origin=origin, now=timezone.now())
            progress.update(bar, completed=place)
    warnings = [f"line {line}: {why}" for line, why in refused[:MOST_REFUSALS_SHOWN]]
    return {
        "read": read,
        "entered": entered,
        "refused": len(refused),
        "dry_run": dry_run,
        "warnings": warnings,
    }


def _portions(file: Path) -> Iterator[tuple[list[tuple[int, str]], int]]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        rows = csv.reader(handle)
        column, first = _column(next(rows, []), file)
        addresses = ((rows.line_num, row[column].strip()) for row in rows if len(row) > column and row[column].strip())
        portion = [(1, first)] if first else []
        place = 0
        while portion := portion + list(islice(addresses, PORTION - len(portion))):
            place += sum(len(address) + 2 for _, address in portion)
            yield portion, place
            portion = []


def _column(header: list[str], file: Path) -> tuple[int, str]:
    """Which column holds addresses; the first line is data where it is an address itself."""
    for index, name in enumerate(header):
        if name.strip().lower() in COLUMNS:
            return index, ""
    for index, value in enumerate(header):
        if "@" in value:
            return index, value.strip()
    raise UnusableInput(f"{file} has no column named email; its first line is {','.join(header)[:80]!r}")


def _sorted(portion: list[tuple[int, str]]) -> tuple[list[str], list[tuple[int, str]]]:
    good, bad = [], []
    for line, address in portion:
        try:
            good.append(normal(address))
        except NotAnAddress as error:
            bad.append((line, str(error)))
    return good, bad
