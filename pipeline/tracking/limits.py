"""How much of one network is written down: a crowd is welcome, a flood is not. The answer is the same to both."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Allowance:
    """So many of one key at once, and so many a second in the long run (GCRA: one number for each key)."""

    def __init__(
        self,
        *,
        at_once: int,
        per_s: float,
        most_keys: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most_keys` bounds memory: beyond it those at rest are forgotten, and everyone if nobody is."""
        self._step, self._slack = 1 / per_s, at_once / per_s
        self._most_keys, self._clock = most_keys, clock
        self._due: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def takes(self, key: Hashable) -> bool:
        """Whether one more is within the allowance; only then is it counted against it."""
        now = self._clock()
        due = self._due.get(key, now)
        due = (due if due > now else now) + self._step
        if due - now > self._slack + self._step / 2:
            return False
        if len(self._due) >= self._most_keys and key not in self._due:
            self._forget(now)
        self._due[key] = due
        return True

    def _forget(self, now: float) -> None:
        self._due = {key: due for key, due in self._due.items() if due > now}
        if len(self._due) >= self._most_keys:
            self._due.clear()
