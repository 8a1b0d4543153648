"""A mail server that dies where it is told to, and the worker that used it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import connection

from pipeline.channels.base import Envelope, MailJournal, Outcome, Receipt


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing after it runs."""


@dataclass
class Post:
    """A mail server with a memory, and a plan for what goes wrong at which message."""

    answers: dict[int, Outcome] = field(default_factory=dict)
    die_before_dot: int | None = None
    die_after_dot: int | None = None
    die_after_answer: int | None = None
    refuse: Exception | None = None
    meanwhile: Callable[[int], None] = lambda _n: None
    taken: Counter[str] = field(default_factory=Counter)
    messages: list[bytes] = field(default_factory=list)

    def submit(
        self,
        envelopes: Iterable[Envelope],
        *,
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        if self.refuse:
            raise self.refuse
        for number, envelope in enumerate(envelopes):
            self.meanwhile(number)
            if number == self.die_before_dot:
                raise Killed
            journal.dot(envelope.key)
            outcome = self.answers.get(number, Outcome.ACCEPTED)
            if outcome in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
                self.taken[envelope.recipient] += 1
                self.messages.append(envelope.data)
            if number == self.die_after_dot:
                raise Killed
            code = {Outcome.ACCEPTED: 250, Outcome.REFUSED: 550, Outcome.POLICY: 550}.get(outcome, 451)
            receipt = Receipt(key=envelope.key, outcome=outcome, code=code, text="spam" if code == 550 else "")
            journal.answer(receipt)
            if number == self.die_after_answer:
                raise Killed
            record(receipt)
            if stopping():
                break


def lapse() -> None:
    """The lease of whoever died runs out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE dateline_batch SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'claimed'"
        )
        cursor.execute(
            "UPDATE dateline_batch SET due_at = clock_timestamp() - interval '1 second' WHERE state = 'pending'"
        )
