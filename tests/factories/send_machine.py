"""Edition, Send, Batch and Delivery as one machine, with a death at every step, rivals, pauses and people in between.

The rules draw where a process dies; the invariants are those of tests/chaos.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.audience import subscribe
from pipeline.channels.base import Outcome
from pipeline.delivery import send
from pipeline.delivery.batches import batch, claims
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.course import freeze
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job
from pipeline.staff.models import User
from tests.chaos.invariants import Watch
from tests.factories.deaths import POINTS, Life, Post, failpoints, living

READERS, BATCH = 5, 3
DEATHS = st.builds(Life, dies_at=st.sampled_from(("", *POINTS)), nth=st.integers(1, 3))
IN_FLIGHT = ("dot.after", "stored")  #: a death elsewhere leaves nobody in doubt
LATER = ("dot.after", "stored", "answered", "recorded", "flush.before", "apply.after", "flush.after", "_release.before")
DEADLY = st.builds(Life, dies_at=st.sampled_from(LATER), nth=st.integers(1, 2))
ANSWERS = st.dictionaries(
    st.integers(0, BATCH), st.sampled_from([Outcome.DEFERRED, Outcome.REFUSED, Outcome.UNKNOWN]), max_size=2
)


class House(RuleBasedStateMachine):
    """One edition from its approval to its end. `seed` brings a bug in, for those who test the test."""

    seed: Callable[[pytest.MonkeyPatch], None] = staticmethod(lambda _patch: None)
    edition: Edition
    ada: User

    def __init__(self) -> None:
        super().__init__()
        self.exits = ExitStack()
        self.exits.enter_context(transaction.atomic())
        self.exits.callback(transaction.set_rollback, True)
        patch = self.exits.enter_context(failpoints())
        patch.setattr(send, "ring", self._ring)
        patch.setattr(freeze, "BATCH_SIZE", BATCH)
        type(self).seed(patch)
        self.patch = patch
        directory = self.exits.enter_context(tempfile.TemporaryDirectory())
        self.config = replace(config(), data_dir=Path(directory))
        self.taken: Counter[int] = Counter()
        self.may_double: set[int] = set()
        self.may_doubt = 0
        self.watch = Watch()
        self.bells: list[tuple[Job, dict[str, int]]] = []

    def _ring(self, job: Job, **ids: int) -> None:
        self.bells.append((job, ids))

    # What the world does

    @rule(life=DEATHS)
    def a_scheduler_begins(self, life: Life) -> None:
        with living(life):
            send.begin(edition_id=self.edition.id, now=timezone.now() - timedelta(seconds=20))

    @rule(life=DEATHS)
    def a_worker_freezes_the_audience(self, life: Life) -> None:
        for row in Send.objects.filter(edition=self.edition):
            with living(life):
                send.prepare(send_id=row.id, now=timezone.now() - timedelta(seconds=10))

    @rule(life=DEATHS, which=st.integers(0, 1), answers=ANSWERS, keeps=st.booleans())
    def a_worker_takes_a_batch(self, life: Life, which: int, answers: dict[int, Outcome], keeps: bool) -> None:
        self.work(which, life, Post(self.taken, answers, keeps))

    @rule(life=DEADLY, next_life=DEATHS, which=st.integers(0, 1))
    def a_worker_dies_and_another_takes_over(self, life: Life, next_life: Life, which: int) -> None:
        """The macro without which chance seldom gets there."""
        self.get_going()
        self.work(which, life, Post(self.taken))
        self.leases_run_out()
        self.work(which, next_life, Post(self.taken))

    @rule(at=st.integers(0, 2), life=DEATHS, which=st.integers(0, 1), foreign=st.booleans(), lazy=st.booleans())
    def a_worker_stands_still_while_a_rival_tries(
        self, at: int, life: Life, which: int, foreign: bool, lazy: bool
    ) -> None:
        """Where it is lazy, it looks at its lease only at the end of its batch."""
        self.get_going()
        self.patch.setattr(batch, "FLUSH_EVERY_S", 60 if lazy else 0)

        def meanwhile() -> None:
            self.leases_run_out(by_s=claims.FOREIGN_PATIENCE_S + 1 if foreign else 1)
            with pytest.MonkeyPatch.context() as elsewhere:
                if foreign:
                    elsewhere.setattr(journals, "machine", lambda: "another machine")
                before = self.doubts
                self.work(which, life, Post(self.taken))
                self.may_doubt += (self.doubts - before) * foreign  # nothing is known of what is written elsewhere

        self.work(which, Life(), Post(self.taken, stops_at=at, meanwhile=meanwhile))
        self.patch.setattr(batch, "FLUSH_EVERY_S", 0)

    @rule(pausing=st.booleans(), at=st.integers(0, 2), which=st.integers(0, 1), life=DEATHS)
    def a_person_stops_it_in_the_middle(self, pausing: bool, at: int, which: int, life: Life) -> None:
        left: list[int] = []

        def meanwhile() -> None:
            self.act("pause" if pausing else "cancel")
            left.append(self.taken.total())

        self.get_going()
        self.work(which, life, Post(self.taken, stops_at=at, meanwhile=meanwhile))
        assert not left or self.taken.total() <= left[0] + 1, "only the message in flight left after it"

    @rule(what=st.sampled_from(["resume", "to_the_rest", "resend", "leave", "cancel"]))
    def a_person_acts(self, what: str) -> None:
        self.act(what)

    @rule(ordinal=st.integers(1, READERS))
    def a_reader_leaves(self, ordinal: int) -> None:
        row = Delivery.objects.filter(ordinal=ordinal).first()
        if row is not None and self.taken.total() % 2:
            topic = self.edition.newsletter.topic_id
            subscribe.leave(subscriber_id=row.subscriber_id, topic_id=topic, origin="test", now=timezone.now())

    @rule(life=DEATHS)
    def the_sweep_rings_and_workers_come(self, life: Life) -> None:
        """The broker was flushed: only the rows know what is to be done."""
        self.bells.clear()
        with living(life):
            send.sweep(now=timezone.now() + timedelta(seconds=10))
        for job, ids in self.bells:
            if job is Job.DELIVERY_PREPARE:
                send.prepare(send_id=ids["send_id"], now=timezone.now() - timedelta(seconds=10))
            else:
                self.submit(ids["batch_id"], Life(), Post(self.taken))

    @rule()
    def time_passes(self) -> None:
        self.leases_run_out()

    # What must be true

    @invariant()
    def nothing_is_broken(self) -> None:
        assert self.watch.broken(_rows) == []

    @invariant()
    def nobody_is_doubled(self) -> None:
        assert {key for key, times in self.taken.items() if times > 1} <= self.may_double

    @invariant()
    def nobody_is_said_to_have_it_who_does_not(self) -> None:
        accepted = Delivery.objects.filter(state="accepted").values_list("id", flat=True)
        assert set(accepted) <= self.taken.keys()

    @invariant()
    def no_more_are_in_doubt_than_were_in_flight(self) -> None:
        assert self.doubts <= self.may_doubt

    def teardown(self) -> None:
        """Left to itself, with nobody dying any more, it ends, and everybody has an end that is true."""
        try:
            if not self.broken:
                self.goes_to_its_end()
        finally:
            self.exits.close()

    @property
    def broken(self) -> bool:
        try:
            self.nothing_is_broken()
            self.nobody_is_doubled()
        except AssertionError:
            return True
        return False

    def goes_to_its_end(self) -> None:
        self.get_going()
        for _ in range(9):
            self.act("resume")
            self.leases_run_out(by_s=claims.FOREIGN_PATIENCE_S + 1)
            self.the_sweep_rings_and_workers_come(Life())
        assert self.state in {"submitted", "cancelled"}, self.state
        ends = dict(Delivery.objects.values_list("id", "state"))
        assert len(ends) == (READERS if Send.objects.get(edition=self.edition).prepared_at else 0)
        assert not set(ends.values()) & {"pending", "deferred"}, ends
        told = {key for key, end in ends.items() if end in {"accepted", "unknown"}}
        assert self.taken.keys() <= told | self.may_double, "whoever has it is listed as having it, or as in doubt"
        self.nobody_is_doubled()
        self.nothing_is_broken()

    # How it is done

    @property
    def state(self) -> str:
        return Send.objects.filter(edition=self.edition).values_list("state", flat=True).first() or ""

    @property
    def doubts(self) -> int:
        return Delivery.objects.filter(state="unknown").count()

    def get_going(self) -> None:
        self.a_scheduler_begins(Life())
        self.a_worker_freezes_the_audience(Life())

    def work(self, which: int, life: Life, post: Post) -> None:
        for row in Batch.objects.filter(number=which):
            self.submit(row.id, life, post)

    def submit(self, batch_id: int, life: Life, post: Post) -> None:
        with living(life):
            batch.submit(batch_id=batch_id, config=self.config, now=timezone.now(), channel=post)
        died_in_flight = life.dies_at in IN_FLIGHT and life.reached[life.dies_at] >= life.nth
        self.may_doubt += post.unanswered + died_in_flight

    def act(self, what: str) -> None:
        row, now = Send.objects.filter(edition=self.edition).first(), timezone.now() - timedelta(seconds=1)
        if row is None:
            return
        doubtful = set(Delivery.objects.filter(state="unknown").values_list("id", flat=True))
        acts: dict[str, Callable[[], object]] = {
            "pause": lambda: send.pause(send_id=row.id, now=now),
            "resume": lambda: send.resume(send_id=row.id, now=now),
            "cancel": lambda: send.cancel(send_id=row.id, now=now, actor=self.ada, reason="wrong audience"),
            "to_the_rest": lambda: send.to_the_rest(send_id=row.id, actor=self.ada, now=now),
            "resend": lambda: send.settle_doubts(send_id=row.id, actor=self.ada, resend=True, now=now),
            "leave": lambda: send.settle_doubts(send_id=row.id, actor=self.ada, resend=False, now=now),
        }
        with suppress(Refused):
            acts[what]()
            if what == "resend":
                self.may_double |= doubtful

    def leases_run_out(self, by_s: float = 1) -> None:
        ago = Now() - timedelta(seconds=by_s)
        Batch.objects.filter(state="claimed").update(lease_until=ago, rung_at=None)
        Batch.objects.filter(state="pending").update(due_at=ago, rung_at=None)
        Delivery.objects.filter(state="deferred").update(next_try_at=ago)


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
