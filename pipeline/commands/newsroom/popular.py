"""`dateline popular`: the list as it stands."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from pipeline.commands.unusable import UnusableInput
from pipeline.ranking import rank
from pipeline.ranking.models import Chart


def run(*, window: str, section: str) -> dict[str, Any]:
    """Refresh, then report. Raises UnusableInput for a window that does not exist."""
    if window not in rank.WINDOWS:
        raise UnusableInput(f"{window!r} is no window; choose one of {', '.join(rank.WINDOWS)}")
    rank.refresh(now=timezone.now())
    chart = Chart.objects.filter(window=window, section=section).first()
    rows = chart.standings.select_related("article").order_by("place") if chart else []
    items = [
        {
            "place": row.place,
            "clicks": row.value,
            "title": row.article.headline,
            "url": row.article.url,
            "label": row.label,
        }
        for row in rows
    ]
    return {
        "window": window,
        "section": section or None,
        "items": items,
        "warnings": [] if items else ["nothing was counted yet"],
    }
