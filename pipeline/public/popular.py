"""Most Popular for sites and feeds: the bytes the ranking room wrote, under a strong ETag and open to every origin.

The click door serves the same from memory (tracking/site/lists.py); this is for who asks the readers' door.
"""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from pipeline.ranking.models import Chart
from pipeline.ranking.rank import WINDOWS

CACHE = "public, max-age=10, s-maxage=10, stale-while-revalidate=60, stale-if-error=86400"
#: The fragment is links and nothing else: pages of other sites may frame it.
FRAME_POLICY = "default-src 'none'; form-action 'none'; frame-ancestors *; base-uri 'none'"
MEDIA = {"json": "application/json", "rss": "application/rss+xml", "html": "text/html"}


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """What `ranking.bodies` writes: the window, a note where it was filled up, and the items in their places."""
    return _served(request, "json")


@require_safe
def as_rss(request: HttpRequest) -> HttpResponse:
    """RSS 2.0; an item's guid is the article's address."""
    return _served(request, "rss")


@xframe_options_exempt
@require_safe
def as_fragment(request: HttpRequest) -> HttpResponse:
    """An ordered list to include in a page, or to show in a frame on one, without script or style."""
    answer = _served(request, "html")
    answer.headers["Content-Security-Policy"] = FRAME_POLICY
    return answer


def _served(request: HttpRequest, form: str) -> HttpResponse:
    window, section = request.GET.get("window", "today"), request.GET.get("section", "")[:200]
    if window not in WINDOWS:
        return _refused(400, f"window is one of {', '.join(WINDOWS)}\n")
    rows = Chart.objects.filter(window=window, section=section.replace("\x00", "\ufffd"))
    bodies = rows.values_list("bodies", flat=True).first() or {}
    if form not in bodies:
        return _refused(404, "No list of that section\n") if section else _refused(503, "Not drawn up yet\n")
    body = bodies[form].encode()
    etag = f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
    held = request.headers.get("If-None-Match", "")
    if etag in held or held.strip() == "*":
        return _open(HttpResponse(status=304, headers={"ETag": etag}), cache=CACHE)
    answer = HttpResponse(body, content_type=f"{MEDIA[form]}; charset=utf-8", headers={"ETag": etag})
    return _open(answer, cache=CACHE)


def _refused(status: int, words: str) -> HttpResponse:
    return _open(HttpResponse(words, status=status, content_type="text/plain; charset=utf-8"), cache="no-store")


def _open(response: HttpResponse, *, cache: str) -> HttpResponse:
    response.headers["Cache-Control"] = cache
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
