"""Most Popular at the readers' door: the very bytes and the very ETag of the click door."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.ranking.models import Chart
from pipeline.tracking.site import lists

pytestmark = pytest.mark.django_db
BODIES = {"json": '{"items":["é"]}', "rss": "<rss/>", "html": "<ol></ol>"}


@pytest.fixture
def chart() -> Chart:
    now = timezone.now()
    return Chart.objects.create(window="today", version="1", computed_at=now, changed_at=now, bodies=BODIES)


@pytest.mark.parametrize("form", list(BODIES))
def test_the_bytes_are_those_the_ranking_room_wrote(chart: Chart, client: Client, form: str) -> None:
    answer = client.get(f"/popular.{form}")
    assert answer.content == BODIES[form].encode()
    assert answer.headers["ETag"] == lists.etag_of(answer.content)
    assert answer.headers["Content-Type"] == f"{lists.MEDIA[form]}; charset=utf-8"
    assert answer.headers["Cache-Control"].encode() == lists.CACHE[1]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("query", ["", "?section=Sport", "?window=ever"])
def test_other_sites_may_frame_the_fragment_and_nothing_else(chart: Chart, client: Client, query: str) -> None:
    fragment = client.get(f"/popular.html{query}")
    assert "X-Frame-Options" not in fragment.headers
    assert fragment.headers["Content-Security-Policy"].encode() == lists.FRAME[1]
    assert "frame-ancestors *" in fragment.headers["Content-Security-Policy"]
    framed = client.get("/join/frame/")
    assert "X-Frame-Options" not in framed.headers and "frame-ancestors *" in framed.headers["Content-Security-Policy"]
    for path in (f"/popular.json{query}", f"/popular.rss{query}", "/join/", "/archive/", "/u/x", "/p/x", "/confirm/x"):
        answer = client.get(path)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors *" not in answer.headers["Content-Security-Policy"]


def test_who_has_it_is_told_so_until_it_changes(chart: Chart, client: Client) -> None:
    etag = client.get("/popular.json").headers["ETag"]
    held: dict[str, Any] = {"If-None-Match": f'"other", W/{etag}'}
    same = client.get("/popular.json", headers=held)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    Chart.objects.filter(id=chart.id).update(bodies={**BODIES, "json": '{"items":[]}'})
    assert client.get("/popular.json", headers=held).status_code == 200


@pytest.mark.parametrize(("query", "status"), [("?window=ever", 400), ("?section=Sport", 404), ("?window=now", 503)])
def test_what_there_is_not_is_not_cached(chart: Chart, client: Client, query: str, status: int) -> None:
    answer = client.get(f"/popular.json{query}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")
