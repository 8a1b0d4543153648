"""Most Popular for sites and feeds: JSON, RSS and an HTML fragment, with strong ETags and open to every origin."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotModified
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from pipeline.kernel.config import config
from pipeline.ranking.models import Chart, Standing
from pipeline.ranking.rank import WINDOWS

CACHE = "public, max-age=10, s-maxage=10, stale-while-revalidate=60, stale-if-error=86400"
TITLES = {
    "now": "Most read now",
    "today": "Most popular today",
    "week": "Most popular this week",
    "trending": "Trending",
}


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """`{window, section, computed_at, changed_at, items:[{place, title, url, section, published, clicks, counted_in, label}]}`."""
    return _served(
        request,
        "application/json",
        lambda board: json.dumps(board, ensure_ascii=False, separators=(",", ":")),
    )


@require_safe
def as_rss(request: HttpRequest) -> HttpResponse:
    """RSS 2.0; an item's guid is the article's address."""
    return _served(request, "application/rss+xml", _rss)


@require_safe
def as_fragment(request: HttpRequest) -> HttpResponse:
    """An ordered list to include in a page, without script or style."""
    return _served(
        request,
        "text/html",
        lambda board: render_to_string(
            "public/popular_fragment.html", {"board": board, "title": TITLES[board["window"]]}
        ),
    )


def _served(request: HttpRequest, media_type: str, write: Callable[[dict[str, Any]], str]) -> HttpResponse:
    window, section = request.GET.get("window", "today"), request.GET.get("section", "")[:200]
    if window not in WINDOWS:
        return _open(HttpResponseBadRequest(f"window is one of {', '.join(WINDOWS)}\n", content_type="text/plain"))
    chart = Chart.objects.filter(window=window, section=section).first()
    etag = _etag(chart, media_type)
    if etag in request.headers.get("If-None-Match", ""):
        return _open(HttpResponseNotModified(headers={"ETag": etag}))
    body = write(_board(chart, window=window, section=section))
    return _open(HttpResponse(body, content_type=f"{media_type}; charset=utf-8", headers={"ETag": etag}))


def _open(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = CACHE
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _etag(chart: Chart | None, media_type: str) -> str:
    said = f"{chart.window}|{chart.section}|{chart.version}|{media_type}" if chart else f"none|{media_type}"
    return f'"{hashlib.blake2b(said.encode(), digest_size=9).hexdigest()}"'


def _board(chart: Chart | None, *, window: str, section: str) -> dict[str, Any]:
    """Only what changes with the list's version, so that one ETag means one body."""
    rows = chart.standings.select_related("article").order_by("place") if chart else ()
    changed = _stamp(chart.changed_at if chart else None)
    return {
        "window": window,
        "section": section or None,
        "changed_at": changed,
        "items": [_item(row) for row in rows],
    }


def _item(row: Standing) -> dict[str, Any]:
    return {
        "place": row.place,
        "title": row.article.headline,
        "url": row.article.url,
        "section": row.article.section_path,
        "published": _stamp(row.article.published_at),
        "clicks": row.value,
        "counted_in": row.counted_in,
        "label": row.label,
    }


def _stamp(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _rss(board: dict[str, Any]) -> str:
    title = TITLES[board["window"]]
    items = "".join(
        f"<item><title>{escape(item['title'])}</title><link>{escape(item['url'])}</link>"
        f'<guid isPermaLink="true">{escape(item["url"])}</guid></item>'
        for item in board["items"]
    )
    home = escape(config().site_url)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{title}</title><link>{home}</link><description>{title}, as readers chose</description>{items}</channel></rss>'
