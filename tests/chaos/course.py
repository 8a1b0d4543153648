"""A course of faults over one send, each met in the middle of it, and what was seen after each."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.chaos.faults import Fault
from tests.chaos.invariants import Watch
from tests.chaos.oracle import Verdict, judged
from tests.chaos.rig import Rig

PATIENCE_S = 45.0  #: without a single message taken, and we call it stuck


@dataclass(slots=True)
class Told:
    """The history of one course."""

    done: Counter[str] = field(default_factory=Counter)
    may_doubt: int = 0
    broken: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def complaints(self) -> list[str]:
        """Every promise that was broken, during the course and at its end."""
        over = self.verdict.in_doubt - self.may_doubt
        bound = [f"I10 {over} more in doubt than were in flight at a fault"] if over > 0 else []
        return self.broken + self.verdict.complaints + bound

    @property
    def summary(self) -> dict[str, Any]:
        waits = sorted(self.waits_s) or [0.0]
        verdict = self.verdict
        return {
            "faults": dict(self.done),
            "seconds": round(self.seconds, 1),
            "accepted": verdict.accepted,
            "lost": len(verdict.lost),
            "doubled": len(verdict.doubled),
            "made_up": len(verdict.made_up),
            "unlisted": len(verdict.unlisted),
            "in_doubt": verdict.in_doubt,
            "in_doubt_by_cause": dict(verdict.doubts),
            "in_doubt_really_taken": verdict.in_doubt_taken,
            "in_doubt_at_most": self.may_doubt,
            "broken_invariants": self.broken,
            "to_next_accepted_s": {
                "median": round(waits[len(waits) // 2], 2),
                "p95": round(waits[int(len(waits) * 0.95)], 2),
                "longest": round(waits[-1], 2),
            },
        }


def run(
    rig: Rig, faults: Sequence[Fault], *, dice: random.Random, within_s: float, say: Callable[[int], None] = lambda _n: None
) -> Told:  # fmt: skip
    """Do the faults, spread evenly over the messages of a send that has begun, until it is submitted. Raises AssertionError."""
    told, watch, began = Told(), Watch(), time.monotonic()
    marks = [rig.readers * (n + dice.random()) / (len(faults) + 1) for n in range(len(faults))]
    for fault, mark in zip(faults, marks, strict=True):
        _wait_for(rig, mark, told, deadline=began + within_s, say=say)
        before = rig.count
        told.may_doubt += fault(rig, dice)
        told.done[fault.__name__] += 1
        told.waits_s.append(_next_taken(rig, after=before))
        with contextlib.suppress(psycopg.OperationalError):  # it may still be down: the next look will see
            told.broken += [f"after {fault.__name__}: {words}" for words in watch.broken(rig.rows)]
    while not rig.ended:
        say(rig.count)
        if time.monotonic() > began + within_s:
            raise AssertionError(f"the send did not end within {within_s:.0f} s: {_states(rig)}")
        time.sleep(0.2)
    told.seconds = time.monotonic() - began
    told.broken += watch.broken(rig.rows)
    told.verdict = judged(rig.rows, rig.taken)
    return told


def _wait_for(rig: Rig, mark: float, told: Told, *, deadline: float, say: Callable[[int], None]) -> None:
    """So many messages taken; or none any more for a while, for then the next fault may as well come."""
    moved, seen = time.monotonic(), rig.count
    while (count := rig.count) < mark and not (count == seen and time.monotonic() > moved + 15) and not rig.ended:
        say(count)
        if count != seen:
            moved, seen = time.monotonic(), count
        if time.monotonic() > deadline:
            raise AssertionError(f"out of time after {sum(told.done.values())} faults: {_states(rig)}")
        time.sleep(0.03)


def _next_taken(rig: Rig, *, after: int) -> float:
    """Seconds from a fault to the next message taken; PATIENCE_S at most."""
    began = time.monotonic()
    while rig.count <= after and time.monotonic() < began + PATIENCE_S and not rig.ended:
        time.sleep(0.02)
    return time.monotonic() - began


def _states(rig: Rig) -> str:
    batches = "SELECT state, count(*), min(due_at)::text, max(lease_until)::text FROM dateline_batch GROUP BY 1"
    sends = "SELECT state, code, params::text FROM dateline_send"
    return f"{rig.rows(batches)} {rig.rows(sends)}"
