"""The four lists, each place with its reason and with what was counted and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article
from pipeline.desk import frame, sign_in
from pipeline.engagement import tally
from pipeline.kernel.pages import number
from pipeline.ranking import hands, method
from pipeline.ranking.bodies import FALLBACKS, TITLES
from pipeline.ranking.models import Chart, Standing
from pipeline.ranking.reading import SHOWN_STATES, SIZE
from pipeline.ranking.score import DAY, HOUR, Window, minute_of
from pipeline.ranking.shape import CODES, fell_back_to
from pipeline.staff.models import Role

MOST_FOUND, MOST_SECTIONS = 8, 40
_SPANS_MIN: Mapping[str, int] = {Window.NOW: HOUR, Window.TRENDING: HOUR, Window.TODAY: DAY, Window.WEEK: 7 * DAY}
_FATES: Mapping[str, str] = {
    "again": "repeats or past a network’s cap",
    "prefetch": "prefetches",
    "scanner": "scanners",
    "unknown": "not known to be people",
    "pending": "still waiting for a verdict",
}
COUNTED_IN: Mapping[str, str] = {
    "now": "in the last hour",
    "today": "in 24 hours",
    "week": "in the week",
    "trending": "thousandths above its usual",
    "newest": "not counted",
}


@sign_in.required
@require_safe
def popular(request: sign_in.Guest) -> HttpResponse:
    """The whole site's lists, or one section's; `find` looks for stories to pin or ban."""
    now, section = timezone.now(), request.GET.get("section", "")[:200]
    charts = Chart.objects.filter(section=section)
    find = request.GET.get("find", "").strip()[:100]
    context = {
        "lists": [_list(chart, now=now) for chart in sorted(charts, key=lambda chart: list(TITLES).index(chart.window))],
        "section": section,
        "sections": list(Chart.objects.exclude(section="").order_by("section").values_list("section", flat=True).distinct()[:MOST_SECTIONS]),
        "hands": list(hands.in_force(now=now)),
        "find": find,
        "found": _found(find) if find else [],
        "method": method.current(),
        "sentences": method.current().sentences(),
        "channels": method.CHANNELS,
        "may_edit": request.user.may_edit,
        "may_change_method": request.user.role in {Role.HEAD, Role.ADMIN},
        "now": now,
        "soon": now + timedelta(days=1),
        "zone": frame.newsroom_zone(),
        "size": SIZE,
    }  # fmt: skip
    return render(request, "desk/popular/popular.html", context)


def _list(chart: Chart, *, now: datetime) -> dict[str, Any]:
    rows = list(chart.standings.select_related("article").order_by("place"))
    since = minute_of(now) - _SPANS_MIN[chart.window] + 1
    fates = tally.clicks_by_fate(article_ids=[row.article_id for row in rows], since_minute=since)
    last = fell_back_to(rows, window=chart.window)
    return {
        "window": chart.window,
        "title": TITLES[chart.window],
        "changed_at": chart.changed_at,
        "computed_at": chart.computed_at,
        "note": "" if last == chart.window else FALLBACKS[last],
        "rows": [_row(row, fates.get(row.article_id, {})) for row in rows],
    }


def _row(row: Standing, fates: Mapping[str, int]) -> dict[str, Any]:
    filtered = [f"{number(n)} {_FATES.get(fate, fate)}" for fate, n in sorted(fates.items()) if fate != "counted"]
    return {
        "place": row.place,
        "id": row.article_id,
        "headline": row.article.headline,
        "url": frame.safe_link(row.article.url),
        "label": row.label,
        "value": number(row.value),
        "counted_in": COUNTED_IN[row.counted_in],
        "why": CODES.get(row.code, row.code),
        "fates": f"{number(fates.get('counted', 0))} counted; {', '.join(filtered) or 'nothing was filtered'}.",
    }


def _found(words: str) -> list[Article]:
    rows = Article.objects.filter(state__in=SHOWN_STATES, killed_at=None, headline__icontains=words)
    return list(rows.only("id", "headline", "first_seen_at").order_by("-first_seen_at")[:MOST_FOUND])
