"""PostgreSQL away for a while, then Redis, while readers click: everyone is led on, every click is counted once.

python -m tests.chaos.outages --seconds 60
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from pipeline.engagement.tokens import Minter, minter
from pipeline.kernel.config import load
from pipeline.kernel.signing import Keyring
from tests.chaos.rig import Rig, built

ORIGIN, LINKS, READERS = 0x0DD0BA11, 6, 4
PAUSE_S = 0.01


@dataclass(slots=True)
class Told:
    """What readers were answered, and what was counted of it in the end."""

    answers: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    slowest_ms: int = 0
    events: int = 0
    readers: int = 0
    votes: int = 0
    equal: bool = False
    recovered_s: float = 0.0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def note(self, place: str, *, took_s: float, right: bool) -> None:
        """One answer; many readers at once."""
        with self._turn:
            self.answers[place] += 1
            self.slowest_ms = max(self.slowest_ms, int(took_s * 1000))
            if not right:
                self.refused.append(place)

    @property
    def clicks(self) -> int:
        return sum(self.answers.values())

    @property
    def complaints(self) -> list[str]:
        """Every promise that was broken."""
        known = {
            f"{len(self.refused)} clicks led nowhere, the first: {self.refused[:1]}": bool(self.refused),
            f"{self.events} events of {self.clicks} answered clicks": self.events != self.clicks,
            f"{self.readers} readers of {self.clicks}": self.readers != self.clicks,
            f"{self.votes} votes of {self.clicks}": self.votes != self.clicks,
            "the tallies differ from a recount": not self.equal,
        }
        return [words for words, holds in known.items() if holds]


def run(rig: Rig, *, seconds: float, within_s: float) -> Told:
    """Both outages, one after the other, with readers clicking from before the first until after the second."""
    told, over, numbers = Told(), threading.Event(), count(1)
    made = minter(Keyring.from_secret(load(rig.environ).secret_key), kind="click", origin=ORIGIN)
    readers = [threading.Thread(target=_read, args=(rig, made, numbers, told, over)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for engine in (rig.postgres, rig.broker):
            time.sleep(1)
            engine.stop()
            time.sleep(seconds)
            engine.start()
        time.sleep(1)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    began = time.monotonic()
    rig.until(lambda: _votes(rig) >= told.clicks, within_s, f"a vote for each of {told.clicks} clicks")
    told.recovered_s = round(time.monotonic() - began, 1)
    told.events, told.readers = rig.rows("SELECT count(*), count(DISTINCT ordinal) FROM dateline_event")[0]
    told.votes, told.equal = _votes(rig), _recounted(rig)
    return told


def _read(rig: Rig, made: Minter, numbers: count[int], told: Told, over: threading.Event) -> None:
    """Readers with a network each, one after the other on a connection that is kept."""
    at = urlsplit(rig.environ["DATELINE_TRACK_URL"])
    line = http.client.HTTPConnection(str(at.hostname), at.port, timeout=20)
    while not over.wait(PAUSE_S):
        number = next(numbers)
        link = number % LINKS
        headers = {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "X-Forwarded-For": f"{20 + number // 65536}.{number // 256 % 256}.{number % 256}.7",
        }
        began = time.monotonic()
        try:
            line.request("GET", f"/c/{made(number, link)}", headers=headers)
            answer = line.getresponse()
            answer.read()
            status, place = answer.status, answer.getheader("location", "")
        except (OSError, http.client.HTTPException) as error:
            status, place = 0, repr(error)
            line.close()
        told.note(place, took_s=time.monotonic() - began, right=(status, place) == (302, address(link)))
    line.close()


def address(link: int) -> str:
    """Where a link leads."""
    return f"https://gazette.example/story-{link}/"


def _votes(rig: Rig) -> int:
    return int(rig.rows("SELECT coalesce(sum(n), 0) FROM dateline_tally")[0][0])


def _recounted(rig: Rig) -> bool:
    command = [sys.executable, "-m", "pipeline", "rebuild-ranking", "--check"]
    done = subprocess.run(command, env=rig.environ, capture_output=True, text=True, timeout=90, check=False)
    return bool(json.loads(done.stdout.strip().splitlines()[-1])["equal"])


def ready(rig: Rig) -> None:
    """Everything up, with a post's links in the door's table. Short waits, and readers told apart by their proxy."""
    rig.environ |= {"DATELINE_TRUSTED_HOPS": "1", "DATELINE_QUARANTINE_S": "1"}
    rig.start()
    command = [sys.executable, "-m", "tests.chaos.outages", "--seed"]
    subprocess.run(command, env=rig.environ, check=True, timeout=90)
    rig.until(lambda: _leads(rig), 20, "the door knowing its links")


def _leads(rig: Rig) -> bool:
    at = urlsplit(rig.environ["DATELINE_TRACK_URL"])
    line = http.client.HTTPConnection(str(at.hostname), at.port, timeout=5)
    line.request("GET", "/healthz")
    health: dict[str, Any] = json.loads(line.getresponse().read())
    line.close()
    return bool(health["destinations"] >= LINKS and health["redis"])


def _seed() -> None:
    """A post with links to stories, in the database of the house whose environment this is."""
    from pipeline.commands.running import database

    database.prepare()
    from django.utils import timezone

    from pipeline.engagement.models import Link, Origin
    from tests.factories import articles

    now = timezone.now()
    origin = Origin.objects.create(id=ORIGIN, kind=Origin.Kind.POST, started_at=now)
    for number in range(LINKS):
        story = articles.article(url=address(number), now=now)
        Link.objects.create(origin=origin, number=number, url=story.url, kind="story", article=story)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.outages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long each of the two is away")
    parser.add_argument("--seed", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.seed:
        _seed()
        return 0
    with built(workers=1, delay_ms=1) as rig:
        ready(rig)
        told = run(rig, seconds=asked.seconds, within_s=300)
    names = ("clicks", "events", "readers", "votes", "equal", "slowest_ms", "recovered_s", "complaints")
    sys.stdout.write(json.dumps({name: getattr(told, name) for name in names}, indent=1) + "\n")
    return 1 if told.complaints else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
