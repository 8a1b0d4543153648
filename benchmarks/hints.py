"""From a ping, or a signed webhook, to an article that may be announced: the whole running system, workers idle.

The site is polled once an hour, so that only the hint can have brought the story. The pings come far enough apart that
each opens a window of its own (pipeline/sources/pushes/hints.py); what happens within a window is the tests' business.
"""

from __future__ import annotations

import json
import random
import statistics
import time
import xmlrpc.client
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg

from pipeline.demo.world.newsroom import Release
from pipeline.kernel.processes import addresses
from pipeline.sources.pushes import signatures
from tests.journeys.house import House, built

ROUNDS, PROMISE_S = 30, 1.0
PING_EVERY_S, HOOK_EVERY_S = 5.6, 1.2
WITHIN_S = 30
_ELIGIBLE = "SELECT state FROM dateline_article WHERE headline = %s AND eligible_at IS NOT NULL"
#: Our pretend newsroom publishes more in a minute than a newsroom in a day; its second look is long past.
_EXPECT_MUCH = "UPDATE dateline_source SET usual_per_hour = 3600, looks = 9 WHERE id = %s RETURNING id"


def run() -> dict[str, Any]:
    """Seconds from sending to eligible, as a query sees it; medians and 95th percentiles over ROUNDS stories."""
    with built() as house:
        house.start()
        source = house.dateline("watch", house.newsroom.url, "--every", "3600", "--yes")["source"]
        assert house.one(_EXPECT_MUCH, source) == source
        ping = house.dateline("add-push", str(source), "--kind", "ping")
        hook = house.dateline("add-push", str(source), "--kind", "webhook")
        with httpx.Client(timeout=10) as web:
            pinged = _rounds(house, lambda _: _ping(web, ping["endpoint"]), every_s=PING_EVERY_S)
            hooked = _rounds(house, lambda story: _hook(web, hook, house, story), every_s=HOOK_EVERY_S)
        house.stop()
    rows = [_row("ping to eligible", pinged), _row("signed webhook to eligible", hooked)]
    return {
        "name": "hints",
        "rows": rows,
        "ratios": {f"{row['what']}, p95 / promise": round(row["p95_s"] / PROMISE_S, 2) for row in rows},
    }


def _rounds(house: House, tell: Callable[[Release], None], *, every_s: float) -> list[float]:
    """One story untimed, so that every worker has its connections; then ROUNDS at odd moments of the second."""
    seconds = []
    with psycopg.connect(addresses.database_url(house.data_dir), autocommit=True) as link:
        for _ in range(ROUNDS + 1):
            release = house.newsroom.publish_next(datetime.now(UTC))
            began = time.perf_counter()
            tell(release)
            _wait(link, release.story.title)
            seconds.append(time.perf_counter() - began)
            time.sleep(max(0.0, began + every_s + random.random() - time.perf_counter()))
    return seconds[1:]


def _wait(link: psycopg.Connection[Any], headline: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while link.execute(_ELIGIBLE, [headline]).fetchone() is None:
        if time.monotonic() > deadline:
            rows = link.execute("SELECT headline, state, code, params FROM dateline_article ORDER BY id DESC LIMIT 3")
            raise AssertionError(f"{headline!r} was not eligible within {WITHIN_S} s; the newest are {rows.fetchall()}")
        time.sleep(0.004)


def _ping(web: httpx.Client, endpoint: str) -> None:
    body = xmlrpc.client.dumps(("The Meridian Dispatch", "http://example.org/"), "weblogUpdates.extendedPing")
    assert web.post(endpoint, content=body, headers={"Content-Type": "text/xml"}).status_code == 200


def _hook(web: httpx.Client, hook: dict[str, Any], house: House, release: Release) -> None:
    """As the WordPress connector tells it."""
    told = {
        "event": "published",
        "id": house.newsroom.url + release.guid_path,
        "wp_id": release.number,
        "url": house.newsroom.url + release.path,
        "title": release.story.title,
        "published_at": release.published_at.isoformat(),
    }
    body = json.dumps(told).encode()
    signed = signatures.dateline_header(secret=hook["secret"], body=body, at=datetime.now(UTC))
    assert web.post(hook["endpoint"], content=body, headers={hook["header"]: signed}).status_code == 202


def _row(what: str, seconds: list[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    return {
        "what": what,
        "median_s": round(statistics.median(ordered), 3),
        "p95_s": round(ordered[int(len(ordered) * 0.95) - 1], 3),
        "slowest_s": round(ordered[-1], 3),
        "n": len(ordered),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
