"""Most Popular as the door serves it: /popular.json with its body, and 304 to who has it already; one core.

Promise: at least 5,000 a second. The peer is nginx `return 302` on the same core, which sends no body at all.
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from benchmarks import door

PROMISE = 5000


def run(*, seconds: int = 3, rounds: int = 2) -> dict[str, Any]:
    """Requests a second of both kinds; medians over quiet rounds."""
    if why := door.missing():
        return {"name": "lists", "promise_per_s": PROMISE, "not_measured": why}
    with door.running() as bench:
        answer = httpx.get(f"{bench.door}/popular.json")
        etag, size = answer.headers["ETag"], len(answer.content)
        plain = bench.script("plain", ["/popular.json"])
        held = bench.script("held", ["/popular.json"], headers={"If-None-Match": etag})
        rows = []
        for what, script in (("whole list", plain), ("304", held)):
            found = door.compared(bench, script, seconds=seconds, rounds=rounds)
            rows.append(
                {
                    "what": what,
                    "requests_per_s": round(found["rate"]),
                    "ratio": round(found["ratio"], 3),
                    "p99_ms": found["p99"],
                    "kept": found["rate"] >= PROMISE,
                    "errors": found["errors"],
                    "quiet_rounds": found["quiet_rounds"],
                }
            )
        return {"name": "lists", "promise_per_s": PROMISE, "body_bytes": size, "rows": rows}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
