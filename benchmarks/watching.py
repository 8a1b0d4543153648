"""200 sites looked at once a minute, through the real looks and the embedded PostgreSQL.

Promise (the watching issue): under 25 % of one core, the database's backend and the doorbell counted in. Of the looks,
5 % find a new story, 10 % get the same body with 200, and the rest get 304 to what they ask conditionally; every sixth
look asks without validators, as always. The peer, in the same run: feedparser on the same feeds, fetched whole each
time. `share_with_celery_pct` adds what a task costs a worker beside its work (1.2 ms, docs/decisions).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks import engines

SITES, ROUNDS, PROMISE_PCT, CELERY_S = 200, 6, 25.0, 0.0012
PARAGRAPH = "<p>What the council of the river towns decided on Tuesday night, and why it took them so long.</p>\n"


class Newsstand(BaseHTTPRequestHandler):
    """`/N/feed/`: a WordPress feed of 10 to 20 stories. Every 20th look finds one more, every 10th the same again."""

    protocol_version = "HTTP/1.1"
    looks: dict[int, int] = {}  # noqa: RUF012 - the server's only state
    stories: dict[int, int] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        """Answer as WordPress does, ETag first."""
        site = int(self.path.split("/")[1])
        look = self.looks[site] = self.looks.get(site, 0) + 1
        chance = (site * 7 + look * 13) % 20
        if look > 2 and chance == 0 and "whole" not in self.path:
            self.stories[site] = self.stories.get(site, 0) + 1
        body = feed(site, self.stories.get(site, 0))
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        same = self.headers.get("If-None-Match") == etag and chance not in {1, 2}
        self.send_response(304 if same else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/rss+xml; charset=UTF-8")
        self.send_header("Content-Length", "0" if same else str(len(body)))
        self.end_headers()
        if not same:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def feed(site: int, more: int) -> bytes:
    """The newest stories of a site that has published `more` since the beginning."""
    count, home = 10 + site % 11, f"http://site-{site}.example"
    items = "".join(
        f"<item><title>Story {n} of site {site}: what was agreed</title><link>{home}/story-{n}/</link>"
        f"<dc:creator>Ada Lindqvist</dc:creator><pubDate>Sun, 19 Apr 2026 04:{n % 60:02}:00 +0000</pubDate>"
        f"<category>World</category><guid isPermaLink='false'>{home}/?p={n}</guid>"
        f"<description><![CDATA[{PARAGRAPH}]]></description>"
        f"<content:encoded><![CDATA[{PARAGRAPH * (15 + n % 20)}]]></content:encoded></item>"
        for n in range(count + more, more, -1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>Site {site}</title><link>{home}</link><generator>https://wordpress.org/?v=7.1.4</generator>"
        f"{items}</channel></rss>"
    ).encode()


def run() -> dict[str, Any]:
    """CPU of a minute's looks as a share of one core, and milliseconds of a look."""
    with newsstand() as place, engines.running():
        ours = _ours(place)
        peer_s = _peer(place)
    mine_s = ours["cpu_s"] + ours["postgres_s"]
    share = 100 * mine_s / 60
    return {
        "name": "watching",
        "promise_pct": PROMISE_PCT,
        "share_pct": round(share, 2),
        "share_with_celery_pct": round(share + 100 * SITES * CELERY_S / 60, 2),
        "kept": share + 100 * SITES * CELERY_S / 60 < PROMISE_PCT,
        "cpu_s_per_minute": {"looks": round(ours["cpu_s"], 3), "postgres": round(ours["postgres_s"], 3)},
        "look_ms_median": round(ours["median_ms"], 2),
        "look_ms_p95": round(ours["p95_ms"], 2),
        "looks": ours["mix"],
        "peer": {"feedparser_share_pct": round(100 * peer_s / 60, 2), "feed_kb": len(feed(0, 0)) // 1000},
        "ratios": {"feedparser / ours": round(peer_s / mine_s, 2)},
    }


def _ours(place: str) -> dict[str, Any]:
    """A baseline, a second look, then ROUNDS minutes measured."""
    from django.db import connection
    from django.utils import timezone

    from pipeline.kernel.outbound.http import Client
    from pipeline.sources import watch
    from pipeline.sources.models import Channel

    began = timezone.now()
    ids = _watch(place, now=began)
    client = Client(site_url="http://127.0.0.1", allow=frozenset({place}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    looks_ms: list[float] = []
    mix: dict[str, int] = {}
    for minute in range(ROUNDS + 2):
        if minute == 2:
            looks_ms, mix = [], {}
            cpu, postgres = time.process_time(), _cpu_s(backend)
        now = began + timedelta(minutes=minute)
        Channel.objects.filter(id__in=ids).update(next_due_at=now)
        watch.ring_due(now=now, most=SITES)
        for channel_id in ids:
            started = time.process_time()
            fresh = watch.look(channel_id=channel_id, now=now, client=client)
            looks_ms.append(1000 * (time.process_time() - started))
            mix["found" if fresh else "quiet"] = mix.get("found" if fresh else "quiet", 0) + 1
        _count(mix, ids)
    cpu_s, postgres_s = (time.process_time() - cpu) / ROUNDS, (_cpu_s(backend) - postgres) / ROUNDS
    client.close()
    return {
        "cpu_s": cpu_s,
        "postgres_s": postgres_s,
        "median_ms": statistics.median(looks_ms),
        "p95_ms": statistics.quantiles(looks_ms, n=20)[18],
        "mix": mix,
    }


def _watch(place: str, *, now: datetime) -> list[int]:
    from pipeline.sources.models import Channel, Source

    made = [
        Source(name=f"Site {n}", home_url=f"http://site-{n}.example/", poll_s=60, created_at=now) for n in range(SITES)
    ]
    channels = [
        Channel(source=source, url=f"http://{place}/{n}/feed/", next_due_at=now)
        for n, source in enumerate(Source.objects.bulk_create(made))
    ]
    return [channel.id for channel in Channel.objects.bulk_create(channels)]


def _count(mix: dict[str, int], ids: list[int]) -> None:
    from pipeline.sources.models import Channel

    for status in Channel.objects.filter(id__in=ids).values_list("last_status", flat=True):
        mix[str(status)] = mix.get(str(status), 0) + 1


def _peer(place: str) -> float:
    """CPU seconds of fetching every feed whole and giving it to feedparser, which then cleans and resolves."""
    import feedparser

    started = time.process_time()
    for site in range(SITES):
        with urllib.request.urlopen(f"http://{place}/{site}/feed/whole", timeout=10) as answer:
            assert feedparser.parse(io.BytesIO(answer.read())).entries
    return time.process_time() - started


def _cpu_s(pid: int) -> float:
    """User and system seconds of another process (Linux; 0 elsewhere)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def newsstand() -> Iterator[str]:
    """The sites in a process of their own, so that their CPU is not ours."""
    command = [sys.executable, "-m", "benchmarks.watching", "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def serve() -> None:
    """Serve until the parent closes standard input."""
    import threading

    server = ThreadingHTTPServer(("127.0.0.1", 0), Newsstand)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()
    server.shutdown()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        print(json.dumps(run(), indent=2))
