"""What the mail server took, held against what the rows say: lost, doubled, made up, in doubt. And I10."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.invariants import Rows

_ROWS = "SELECT address, state, reason FROM dateline_delivery"


@dataclass(frozen=True, slots=True)
class Verdict:
    """By reader's address. `doubts` counts those in doubt by what the row gives as the cause."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    made_up: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    accepted: int = 0
    in_doubt: int = 0
    in_doubt_taken: int = 0
    doubts: Counter[str] = field(default_factory=Counter)

    @property
    def complaints(self) -> list[str]:
        """Each broken promise in words, with its first victims; empty where all are kept."""
        said = {
            "got nothing and are not listed as in doubt": self.lost,
            "got it more than once": self.doubled,
            "are said to have it and do not": self.made_up,
            "have it, and the rows say neither that nor that it is in doubt": self.unlisted,
        }
        return [f"{len(who)} {what}: {', '.join(who[:3])}" for what, who in said.items() if who]


def judged(rows: Rows, taken: Counter[str]) -> Verdict:
    """At the end of a send."""
    told: list[tuple[Any, ...]] = rows(_ROWS)
    state = {address: state for address, state, _ in told}
    doubtful = {address for address in state if state[address] == "unknown"}
    accepted = {address for address in state if state[address] == "accepted"}
    return Verdict(
        lost=sorted(state.keys() - taken.keys() - doubtful),
        doubled=sorted(address for address, times in taken.items() if times > 1),
        made_up=sorted(accepted - taken.keys()),
        unlisted=sorted(taken.keys() - accepted - doubtful),
        accepted=len(accepted),
        in_doubt=len(doubtful),
        in_doubt_taken=len(doubtful & taken.keys()),
        doubts=Counter(_cause(reason) for _, state, reason in told if state == "unknown"),
    )


def _cause(reason: str) -> str:
    return "crash" if "process ended" in reason else "network"
