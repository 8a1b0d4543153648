"""Processes that count as the workers do, under a clock that is told them; made to be killed at any point.

python -m tests.chaos.counting --seed | python -m tests.chaos.counting --processes 2
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

QUARANTINE_S = 30.0
START = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
READERS = 25


def seeded() -> dict[str, Any]:
    """Three newsletters that count, keep and record nothing, a post and the box; what the driver must know of them."""
    from pipeline.commands.running import database

    database.migrate()
    from pipeline.audience.models import Subscriber
    from pipeline.editions.models import Newsletter
    from pipeline.engagement.models import Link, Origin
    from pipeline.ranking.models import Method
    from tests.chaos.histories import CAP
    from tests.factories import articles, audience, editions
    from tests.factories import delivery as deliveries

    stories = [articles.article(section_path=[], now=START) for _ in range(6)]
    carriers = []
    for mode in ("aggregate", "consented", "off"):
        newsletter = editions.newsletter(slug=mode, tracking=mode)
        readers = audience.readers(count=READERS, follows=newsletter.topic)
        Subscriber.objects.filter(id__in=[one.id for one in readers[:3]]).update(tracking="off")
        kept = {"tracking": "consented", "tracking_at": START - timedelta(days=9)}
        Subscriber.objects.filter(id__in=[one.id for one in readers[3:9]]).update(**kept)
        send = deliveries.send(edition=editions.composed(newsletter=newsletter))
        deliveries.answered(send=send, states=["accepted"] * READERS, now=START)
        Newsletter.objects.filter(id=newsletter.id).update(tracking=mode)
        unrecorded = {} if mode == "off" else {"subscriber__tracking": "off"}
        off = list(send.deliveries.filter(**unrecorded).values_list("ordinal", flat=True))
        carriers.append({"origin": send.origin, "readers": READERS, "off": off})
    Method.objects.create(network_cap=CAP, changed_at=START)
    for number, kind in enumerate(("post", "box"), start=1):
        origin = Origin.objects.create(id=number, kind=kind, started_at=START)
        for link, story in enumerate(stories):
            Link.objects.create(origin=origin, number=link, url=story.url, kind="story", article=story)
        carriers.append({"origin": origin, "readers": READERS if kind == "post" else 0, "off": []})
    told = [{"id": one["origin"].id, "kind": str(one["origin"].kind), "readers": one["readers"], "off": one["off"],
             "links": dict(one["origin"].links.exclude(article=None).values_list("number", "article_id"))}
            for one in carriers]  # fmt: skip
    return {"carriers": told, "stories": [story.id for story in stories]}


def family(processes: int) -> None:
    """So many children, each replaced when it dies; they die with this process."""
    living: set[int] = set()
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    while True:
        while len(living) < processes:
            pid = os.fork()
            if not pid:
                _count()
            living.add(pid)
        living.discard(os.wait()[0])


def _count() -> None:
    """For ever. What a dead engine throws is expected, anything else is told."""
    import redis
    from django.db import Error, connection

    clock, faults = Path(os.environ["CHAOS_NOW"]), Path(os.environ["CHAOS_FAULTS"])
    while True:
        try:
            _round(datetime.fromisoformat(clock.read_text()))
        except (redis.RedisError, Error, OSError):
            connection.close()
        except BaseException:
            with faults.open("a") as file:
                file.write(traceback.format_exc())
            raise
        time.sleep(0.01)


def _round(now: datetime) -> None:
    from pipeline.engagement import drain, settle
    from pipeline.engagement.keeping import expire, reports
    from pipeline.ranking import rank

    drain.drain_all(now=now, portions=3)
    settle.settle(now=now, quarantine_s=QUARANTINE_S)
    expire.keep_terms(now=now)
    reports.refresh(now=now, most=3)
    rank.refresh(now=now)


def _a_closed_day_is_open() -> None:
    from pipeline.engagement import tally

    tally.FORGOTTEN = "0"


def _a_gap_is_passed_over() -> None:
    from pipeline.engagement import drain

    drain._CONTIGUOUS = drain._CONTIGUOUS.replace("WHERE counter = %(upto)s + place", "WHERE counter > %(upto)s")


def _a_late_verdict_takes_no_vote_back() -> None:
    from pipeline.engagement import settle

    votes = settle._votes
    settle._votes = lambda rows: votes(row for row in rows if row.verdict == "pending")  # type: ignore[assignment]


def _a_cap_is_forgotten() -> None:
    from pipeline.engagement import tally

    tally._WINNERS = tally._WINNERS.replace("turn <= coalesce(", "turn <= 900 + coalesce(")


BUGS = {
    "late": _a_closed_day_is_open, "gap": _a_gap_is_passed_over, "verdict": _a_late_verdict_takes_no_vote_back,
    "cap": _a_cap_is_forgotten,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.counting", description=__doc__)
    parser.add_argument("--seed", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--bug", choices=sorted(BUGS), default="", help="put in on purpose: the recount must see it")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline.settings")
    django.setup()
    if asked.seed:
        sys.stdout.write(json.dumps(seeded()) + "\n")
        return 0
    os.setpgid(0, 0)
    if asked.bug:
        BUGS[asked.bug]()
    from pipeline.engagement.keeping import expire  # noqa: F401 - before the fork, so that a new child is ready at once
    from pipeline.ranking import rank  # noqa: F401

    family(asked.processes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
