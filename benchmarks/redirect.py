"""The click door against nginx: `return 302` and `empty_gif`, on the same core, under the same load, in the same minute.

Promise: at least 0.20 of nginx with every event durably acknowledged (journal written, XADD answered, AOF on), and
p99 under 5 ms at half of the load the door can bear.
"""

from __future__ import annotations

import json
from typing import Any

import redis

from benchmarks import door
from benchmarks.door import CONNECTIONS, Bench
from pipeline.engagement import records

PROMISE, PROMISE_P99_MS = 0.20, 5.0
KINDS = (("redirect", "click", "/c/"), ("pixel", "open", "/o/"))


def run(*, seconds: int = 4, rounds: int = 3) -> dict[str, Any]:
    """Requests a second of both, their ratio, and the door's latency in milliseconds; medians over `rounds` quiet rounds.

    Without wrk or nginx there is no ratio: `not_measured` says why.
    """
    if why := door.missing():
        return {"name": "redirect", "promise": PROMISE, "not_measured": why}
    with door.running() as bench:
        rows, sent = [], 0
        for what, kind, prefix in KINDS:
            row, requests = _measured(bench, what, door.paths(kind, prefix), seconds=seconds, rounds=rounds)
            rows.append(row)
            sent += requests
        return {"name": "redirect", "promise": PROMISE, "promise_p99_ms": PROMISE_P99_MS, "rows": rows} | _kept(
            bench.client, sent
        )


def _measured(bench: Bench, what: str, paths: list[str], *, seconds: int, rounds: int) -> tuple[dict[str, Any], int]:
    """One row, and how many requests the door answered for it."""
    full = bench.script(what, paths)
    warmed = bench.load(bench.door, full, 2)["requests"]
    found = door.compared(bench, full, seconds=seconds, rounds=rounds)
    half = _half(bench, what, paths, rate=found["rate"], seconds=seconds)
    row = {
        "what": what,
        "ratio": round(found["ratio"], 3),
        "kept": found["ratio"] >= PROMISE and half["p99"] < PROMISE_P99_MS,
        "requests_per_s": round(found["rate"]),
        "nginx_requests_per_s": round(found["nginx"]),
        "quiet_rounds": found["quiet_rounds"],
        "p50_ms": found["p50"],
        "p99_ms": found["p99"],
        "half_load_requests_per_s": round(half["rate"]),
        "half_load_p50_ms": half["p50"],
        "half_load_p99_ms": half["p99"],
        "errors": found["errors"] + half["errors"],
    }
    return row, warmed + found["requests"] + half["requests"]


def _half(bench: Bench, what: str, paths: list[str], *, rate: float, seconds: int) -> dict[str, Any]:
    """A run in which each connection waits between its questions, so that all of them ask for about half of `rate`.

    wrk waits whole milliseconds; an answer comes in about one, which rounding makes room for.
    """
    wait_ms = max(1, round(CONNECTIONS / (rate / 2) * 1000 - 0.5))
    return bench.load(bench.door, bench.script(f"{what}-half", paths, delay_ms=wait_ms), seconds)


def _kept(client: redis.Redis, requests: int) -> dict[str, Any]:
    """What Redis holds of it: at least as many events as wrk saw answers."""
    entries: Any = client.xrange("dateline:events")
    found = [record.event_id for _, fields in entries for record in records.unpack(fields[b"p"])]
    return {
        "requests": requests,
        "events_in_redis": len(set(found)),
        "repeats_in_redis": len(found) - len(set(found)),
        "events_per_xadd": round(len(found) / max(len(entries), 1), 1),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
