"""Workers that die at a named point, in one process: what a dead one held on to is let go of, as its kernel would.

Lives may be nested: while one stands still in the middle of a message, another runs. Nothing of ours is replaced: the
points are wrapped around the real functions, and raise what nobody catches.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from pipeline.channels.base import Envelope, MailJournal, Outcome, Receipt
from pipeline.delivery import outcomes, send
from pipeline.delivery.batches import batch, claims
from pipeline.delivery.batches import journal as journals

#: Each has a before and an after. What is within a transaction and dies after is as good as never done.
WRAPPED: tuple[tuple[Any, str], ...] = (
    (claims, "take"), (claims, "_claim"), (claims, "_testimony"), (claims, "_settle"), (claims, "open_rows"), (claims, "renew"),
    (outcomes, "apply"), (batch._Holder, "flush"), (batch._Holder, "conclude"), (claims, "release"), (claims, "_due_again"),
    (send, "finish"), (send, "uncounted"), (send, "freeze"), (send, "steer"), (send, "_link"), (send, "note"),
)  # fmt: skip
POINTS = (
    *(f"{name}.{side}" for _, name in WRAPPED for side in ("before", "after")),
    "dot.before", "dot.after", "stored", "answered", "recorded",
)  # fmt: skip
CODES = {Outcome.ACCEPTED: 250, Outcome.DEFERRED: 451, Outcome.REFUSED: 550}


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing after it runs."""


@dataclass
class Life:
    """One process: where it dies, if it does, and the files it holds."""

    dies_at: str = ""
    nth: int = 1
    reached: Counter[str] = field(default_factory=Counter)
    held: list[Tracked] = field(default_factory=list)

    def reach(self, point: str) -> None:
        self.reached[point] += 1
        if point == self.dies_at and self.reached[point] == self.nth:
            raise Killed(point)


class Tracked(journals.Journal):
    """A journal whose lock ends with the life that made it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.life = LIVES[-1]
        self.life.held.append(self)

    def discard(self) -> None:
        self.life.held.remove(self)
        super().discard()

    def abandon(self) -> None:
        self.life.held.remove(self)
        super().abandon()


LIVES: list[Life] = []


@contextlib.contextmanager
def living(life: Life) -> Iterator[None]:
    """Run a block as a process of its own; whoever runs around it stands still meanwhile."""
    LIVES.append(life)
    try:
        with contextlib.suppress(Killed):
            yield
    finally:
        LIVES.pop()
        for journal in list(life.held):
            journal.abandon()


@contextlib.contextmanager
def failpoints() -> Iterator[pytest.MonkeyPatch]:
    """All points in place, for the length of a block."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in WRAPPED:
            patch.setattr(owner, name, _wrapped(getattr(owner, name), name))
        patch.setattr(journals, "Journal", Tracked)
        patch.setattr(batch, "FLUSH_EVERY_S", 0)
        yield patch


def _wrapped(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if LIVES:
            LIVES[-1].reach(f"{name}.before")
        answer = real(*args, **kwargs)
        if LIVES:
            LIVES[-1].reach(f"{name}.after")
        return answer

    return wrapped


@dataclass
class Post:
    """A mail server with a memory. `meanwhile` runs between the journal's line and the final dot of message `stops_at`."""

    taken: Counter[int]
    answers: dict[int, Outcome] = field(default_factory=dict)
    keeps_unanswered: bool = True
    stops_at: int | None = None
    meanwhile: Callable[[], None] = lambda: None
    unanswered: int = 0

    def submit(
        self,
        envelopes: Iterable[Envelope],
        *,
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        life = LIVES[-1]
        for number, envelope in enumerate(envelopes):
            life.reach("dot.before")
            journal.dot(envelope.key)
            life.reach("dot.after")
            if number == self.stops_at:
                self.meanwhile()
            receipt = self._answer(number, envelope.key)
            life.reach("stored")
            journal.answer(receipt)
            life.reach("answered")
            record(receipt)
            life.reach("recorded")
            if stopping():
                return

    def _answer(self, number: int, key: int) -> Receipt:
        outcome = self.answers.get(number, Outcome.ACCEPTED)
        if outcome is Outcome.ACCEPTED or (outcome is Outcome.UNKNOWN and self.keeps_unanswered):
            self.taken[key] += 1
        self.unanswered += outcome is Outcome.UNKNOWN
        said = "the connection was lost" if outcome is Outcome.UNKNOWN else "so it is"
        return Receipt(key=key, outcome=outcome, code=CODES.get(outcome, 0), text=said)
