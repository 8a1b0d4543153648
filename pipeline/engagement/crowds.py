"""R9: one network that follows links of many readers in quick succession, and does not look like many people.

A campus, an office or a mobile carrier behind one address does that as well when a letter arrives; but people read in
many programs, and a gateway shows one, or a few in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Click:
    """One click: when, by which reader, with which User-Agent."""

    at: datetime
    reader: str
    agent: str


@dataclass(slots=True)
class _Bag:
    """A Counter that drops what is gone and knows its highest count; adding and taking cost the same however full."""

    counts: Counter[str] = field(default_factory=Counter)
    highest: int = 0
    _having: Counter[int] = field(default_factory=Counter)

    def add(self, key: str) -> None:
        self._move(key, 1)
        self.highest = max(self.highest, self.counts[key])

    def take(self, key: str) -> None:
        self._move(key, -1)
        if not self.counts[key]:
            del self.counts[key]
        if not self._having[self.highest]:
            self.highest -= 1

    def _move(self, key: str, by: int) -> None:
        self._having[self.counts[key]] -= 1
        self.counts[key] += by
        self._having[self.counts[key]] += 1


def crowded(
    clicks: Sequence[Click],
    *,
    span_s: float,
    most_readers: int,
    gap_s: float,
    programs_of: Callable[[int], float],
    most_per_s: float,
    rented: bool,
) -> set[int]:
    """Places of clicks in stretches of too many readers in which more than half of the gaps are short. O(n).

    Not where the stretch looks like many people: no program makes up half of it, there are as many different ones as
    `programs_of` expects of so many readers, and fewer than `most_per_s` clicks a second. `rented`: servers or gateways
    live there, whatever it looks like.
    """
    span, close, inside = timedelta(seconds=span_s), timedelta(seconds=gap_s), set[int]()
    readers, programs = _Bag(), _Bag()
    gaps = [later.at - one.at < close for one, later in pairwise(clicks)]
    low = taken = short = 0
    for high, click in enumerate(clicks):
        readers.add(click.reader)
        programs.add(click.agent)
        short += high > 0 and gaps[high - 1]
        while click.at - clicks[low].at > span:
            readers.take(clicks[low].reader)
            programs.take(clicks[low].agent)
            short -= gaps[low]
            low += 1
        many, n = len(readers.counts), high - low + 1
        hasty = n >= most_per_s * max(1.0, (click.at - clicks[low].at).total_seconds())
        mixed = 2 * programs.highest < n and len(programs.counts) >= programs_of(many)
        people = mixed and not hasty and not rented
        if many > most_readers and 2 * short > n - 1 and not people:
            inside.update(range(max(low, taken), high + 1))
            taken = high + 1
    return inside
