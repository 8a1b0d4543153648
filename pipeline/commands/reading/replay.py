"""`dateline replay`: what would have been announced, held or ignored of a recorded history (docs/replay.md)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

from pipeline.commands.reading.read_feed import instant
from pipeline.sources.rehearsal.rehearse import Verdict, rehearse

SETTLE_S = 60
SHOWN = 20


def lines(folder: Path | str, *, settle_s: float = SETTLE_S, warn: TextIO | None = None) -> Iterator[dict[str, Any]]:
    """One answer for each article, in the order first seen: {decision, reason, params, title, link, at, warnings}.

    `decision` is announce, hold or ignore. Warnings about no article in particular go to `warn` (standard error).
    Raises UnusableInput for a folder in which nothing is a recording.
    """
    found = rehearse(Path(folder), settle=timedelta(seconds=max(0.0, settle_s)))
    for warning in found.warnings[:SHOWN]:
        print(f"dateline: {warning}", file=warn or sys.stderr)
    if len(found.warnings) > SHOWN:
        print(f"dateline: and {len(found.warnings) - SHOWN} more of these", file=warn or sys.stderr)
    yield from map(_line, found.verdicts)


def _line(verdict: Verdict) -> dict[str, Any]:
    return {
        "decision": verdict.decision,
        "reason": verdict.reason,
        "params": verdict.params,
        "title": verdict.title,
        "link": verdict.link,
        "at": instant(verdict.at),
        "warnings": list(verdict.warnings),
    }
