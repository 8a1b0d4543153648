"""`dateline export-subscribers`: whom a newsletter reaches, as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone

from pipeline.audience.imports import exports
from pipeline.audience.models import Segment
from pipeline.audience.segments.compiling import segment_clause
from pipeline.audience.segments.rules import UnreadableRule, parsed
from pipeline.commands.readers.import_subscribers import topic_named
from pipeline.commands.unusable import UnusableInput


def run(*, file: Path, topic: str, segment: str) -> dict[str, Any]:
    """Write the file anew. Raises UnusableInput."""
    found = topic_named(topic)
    only, values = _segment(segment) if segment else ("TRUE", {})
    with file.open("w", encoding="utf-8", newline="") as out:
        count = exports.readers(out, topic=found, only=only, values=values)
    return {"file": str(file), "topic": topic, "segment": segment or None, "readers": count, "warnings": []}


def _segment(slug: str) -> tuple[str, dict[str, Any]]:
    row = Segment.objects.filter(slug=slug).first()
    if row is None:
        known = ", ".join(Segment.objects.values_list("slug", flat=True)) or "none yet"
        raise UnusableInput(f"no segment {slug!r}; known are: {known}")
    try:
        return segment_clause(parsed(row.rule), now=timezone.now())
    except UnreadableRule as error:
        raise UnusableInput(f"the rule of {slug} cannot be read: {error}") from error
