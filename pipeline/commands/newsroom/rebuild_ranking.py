"""`dateline rebuild-ranking`: the tallies against their own events."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.engagement import tally
from pipeline.ranking import rank


def run(*, check: bool) -> dict[str, Any]:
    """Compare (and without `check` mend); `differences` holds at most twenty counts, kept beside recounted."""
    with transaction.atomic():
        kept, counted = {c[:3]: c.n for c in tally.kept()}, {c[:3]: c.n for c in tally.recount()}
        differences = [
            {
                "article": key[0],
                "minute": key[1],
                "channel": key[2],
                "kept": kept.get(key, 0),
                "recounted": counted.get(key, 0),
            }
            for key in sorted(kept.keys() | counted.keys())
            if kept.get(key, 0) != counted.get(key, 0)
        ]
        if not check:
            tally.rebuild()
    if not check:
        rank.refresh(now=timezone.now())
    return {
        "equal": not differences,
        "counts": len(counted),
        "votes": sum(counted.values()),
        "differences": differences[:20],
        "rebuilt": not check,
    }
