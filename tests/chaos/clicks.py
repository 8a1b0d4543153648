"""`make chaos-clicks`: counting killed at any point, for as long as you like, every number held against a recount.

make chaos-clicks ARGS="--minutes 8 --seed 7"

The doors' part is played here: frames are posted in any order, late, twice, and again whenever Redis was lost, until
the drain's mark has passed them. Prints one JSON object; ends with 1 where a number differed.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.chaos.counting_house import FAULTS, STREAM, Doors, House, built
from tests.chaos.histories import Book, Carrier
from tests.chaos.recounts import Told, compared, quiet, ranked

SETTLED = timedelta(minutes=15)  #: after which nothing waits for a verdict
STILL_S = 60.0


def run(
    house: House, *, seed: int, seconds: float, bug: str = "", say: Callable[[Told], None] = lambda _: None
) -> Told:
    """Histories and faults, a checkpoint after each, until the time is over or a number differs."""
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.chaos.counting", "--seed"], env=house.environ, check=True, capture_output=True,
    )  # fmt: skip
    known = json.loads(seeded.stdout.splitlines()[-1])
    carriers = [
        Carrier(
            one["id"], one["kind"], one["readers"], {int(k): v for k, v in one["links"].items()}, frozenset(one["off"])
        )
        for one in known["carriers"]
    ]
    dice, told = random.Random(seed), Told()
    book, doors = Book(carriers, known["stories"], dice), Doors(house, dice)
    start = now = datetime(2026, 4, 19, 6, 0, tzinfo=UTC)
    house.clock.write_text(now.isoformat())
    house.start(processes=2, bug=bug)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not told.complaints:
        since, now = now, now + timedelta(hours=dice.choice([0.5, 2, 9, 20, 60]))
        if told.checkpoints % 12 == 11:
            now += timedelta(days=33)
        _tell(house, now)
        doors.take(book.written(since=max(since, now - timedelta(hours=20)), until=now, most=dice.randint(40, 220)))
        _break(house, doors, told, dice)
        now += SETTLED
        _tell(house, now)
        told.complaints += doors.faults or _still(house, doors, now=now) or compared(house, book, now=now, told=told)
        told.days = (now - start).days
        say(told)
    told.events, told.posted = len(book.posted), doors.posted
    told.complaints += [house.faults.read_text()[-2000:]] if house.faults.read_text() else []
    return told


def _tell(house: House, now: datetime) -> None:
    """Whole or not at all: somebody reads it at this moment."""
    beside = house.clock.with_suffix(".new")
    beside.write_text(now.isoformat())
    beside.replace(house.clock)


def _break(house: House, doors: Doors, told: Told, dice: random.Random) -> None:
    while doors.held:
        doors.post()
        if dice.random() < 0.35:
            fault = dice.choices(list(FAULTS), weights=list(FAULTS.values()))[0]
            told.faults[fault.__name__] += 1
            if fault(house, dice):
                doors.again()
        time.sleep(dice.choice([0, 0, 0.01, 0.04]))
    doors.again()


def _still(house: House, doors: Doors, *, now: datetime) -> list[str]:
    """Wait until all is quiet, and then for lists that were drawn up after it: a second later, by the clock that is told."""
    within = time.monotonic() + STILL_S
    later = now + timedelta(seconds=1)
    for holds in (lambda: quiet(house, doors, now=now), lambda: ranked(house, now=later)):
        while not holds():
            if time.monotonic() > within:
                return [f"nothing moves any more at {now}: {house.redis().xlen(STREAM)} entries wait"]
            time.sleep(0.02)
        _tell(house, later)
    return []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make chaos-clicks", description="counting under faults")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug", default="", help="one put in on purpose: see tests/chaos/counting.py")
    asked = parser.parse_args(arguments)

    def say(told: Told) -> None:
        sys.stderr.write(f"\r{told.checkpoints} checkpoints, day {told.days}, {sum(told.faults.values())} faults ")

    with built() as house:
        told = run(house, seed=asked.seed, seconds=asked.minutes * 60, bug=asked.bug, say=say)
    names = ("checkpoints", "days", "events", "posted", "late", "votes", "compared", "complaints")
    answer = {"seed": asked.seed, **{name: getattr(told, name) for name in names}, "faults": dict(told.faults)}
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")
    return 1 if told.complaints else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
