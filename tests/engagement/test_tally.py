"""Counts as they are kept against two recounts: the database's own, and one in a few lines of Python."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pipeline.engagement.models import Event, Origin, Tally
from pipeline.engagement.tally import Vote, kept, rebuild, recount, settle_votes
from pipeline.ranking.models import Method
from tests.factories import articles
from tests.factories.engagement import event

pytestmark = pytest.mark.django_db
MIDNIGHT = datetime(2026, 4, 19, tzinfo=UTC)
PEOPLE = [b"person-of-no-%03d" % n for n in range(5)]
NETWORKS = [b"network-of-no-%02d" % n for n in range(2)]
CAP = 2
VERDICTS = ["pending", "human", "prefetch", "scanner", "unknown"]
#: Around midnight to the millisecond, where a day and a minute end; and around noon.
moments = st.builds(
    lambda hour, ms: MIDNIGHT + timedelta(hours=hour, milliseconds=ms),
    st.sampled_from([0, 12]),
    st.integers(-90_000, 90_000),
)


@dataclass
class Click:
    """What the oracle knows of an event."""

    id: bytes
    article: int
    person: bytes
    network: bytes
    at: datetime
    channel: str
    kind: str
    verdict: str

    @property
    def vote(self) -> Vote:
        return Vote(article_id=self.article, person=self.person, day=int(self.at.timestamp()) // 86_400)


def oracle(clicks: list[Click], *, cap: int = CAP) -> list[tuple[int, int, str, int]]:
    """One vote per person, article and UTC day: the first human click, in our box only if there is no other.

    Of those outside mail, the first `cap` of a network for an article in an hour.
    """
    first: dict[Vote, Click] = {}
    for click in sorted(clicks, key=lambda one: (one.channel == "box", one.at, one.id)):
        if (click.kind, click.verdict) == ("click", "human"):
            first.setdefault(click.vote, click)
    heard, cells = Counter[tuple[int, bytes, int]](), Counter[tuple[int, int, str]]()
    for click in sorted(first.values(), key=lambda one: (one.at, one.id)):
        second = int(click.at.timestamp())
        if click.channel != "email":
            heard[crowd := (click.article, click.network, second // 3600)] += 1
            if heard[crowd] > cap:
                continue
        cells[click.article, second // 60, click.channel] += 1
    return sorted((*cell, n) for cell, n in cells.items())


class History(RuleBasedStateMachine):
    """Events arrive in any order, twice, are judged, judged again, and sometimes everything is counted anew."""

    clicks = Bundle("clicks")

    @initialize()
    def begin(self) -> None:
        self.known: list[Click] = []
        self.savepoint = transaction.savepoint()
        self.origin = Origin.objects.create(id=1, kind=Origin.Kind.POST, started_at=MIDNIGHT)
        self.box = Origin.objects.create(id=2, kind=Origin.Kind.BOX, started_at=MIDNIGHT)
        self.cap = CAP
        Method.objects.create(network_cap=CAP, changed_at=MIDNIGHT)
        self.articles = [articles.article().id for _ in range(2)]

    @rule(
        target=clicks, article=st.integers(0, 1), person=st.sampled_from(PEOPLE), at=moments,
        network=st.sampled_from(NETWORKS), channel=st.sampled_from(["email", "site", "box"]), kind=st.sampled_from(["click", "click", "click", "open"]),
        verdict=st.sampled_from(VERDICTS),
    )  # fmt: skip
    def arrive(
        self, article: int, person: bytes, network: bytes, at: datetime, channel: str, kind: str, verdict: str
    ) -> Click:
        click = Click(os.urandom(12), self.articles[article], person, network, at, channel, kind, verdict)
        event(
            origin=self.box if channel == "box" else self.origin, ordinal=0, id=click.id, at=at, article_id=click.article,
            person=person, network=network, channel="site" if channel == "box" else channel, kind=kind, verdict=verdict,
        )  # fmt: skip
        self.known.append(click)
        if verdict == "human" and kind == "click":
            settle_votes([click.vote])
        return click

    @rule(click=clicks)
    def arrive_again(self, click: Click) -> None:
        row = Event.objects.get(id=click.id)
        Event.objects.bulk_create([row], ignore_conflicts=True)

    @rule(judged=st.lists(st.tuples(clicks, st.sampled_from(VERDICTS)), min_size=1, max_size=4))
    def judge(self, judged: list[tuple[Click, str]]) -> None:
        for click, verdict in judged:
            click.verdict = verdict
            Event.objects.filter(id=click.id).update(verdict=verdict)
        settle_votes(click.vote for click, _ in judged)

    @rule(click=clicks)
    def decide_again_for_nothing(self, click: Click) -> None:
        settle_votes([click.vote, click.vote])

    @rule()
    def count_anew(self) -> None:
        rebuild()

    @rule(cap=st.integers(1, 3))
    def cap_otherwise(self, cap: int) -> None:
        self.cap = cap
        Method.objects.update(network_cap=cap)
        rebuild()

    @invariant()
    def kept_equals_both_recounts(self) -> None:
        expected = oracle(self.known, cap=self.cap)
        assert kept() == recount() == expected
        assert Event.objects.filter(counted=True).count() == sum(n for *_, n in expected)
        assert not Tally.objects.filter(n__lt=0).exists()

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)


def test_every_history_is_counted_as_a_recount_counts_it() -> None:
    run_state_machine_as_test(History, settings=settings(max_examples=25, stateful_step_count=18, deadline=None))


def test_the_last_half_second_belongs_to_its_own_minute_and_day() -> None:
    origin = Origin.objects.create(id=1, kind=Origin.Kind.POST, started_at=MIDNIGHT)
    story, at = articles.article(), MIDNIGHT - timedelta(milliseconds=1)
    event(origin=origin, ordinal=0, article=story, at=at, person=PEOPLE[0])
    settle_votes([Vote(article_id=story.id, person=PEOPLE[0], day=int(at.timestamp()) // 86_400)])
    assert kept() == recount() == [(story.id, int(MIDNIGHT.timestamp()) // 60 - 1, "email", 1)]


def test_of_two_clicks_in_one_instant_the_smaller_id_is_the_vote() -> None:
    origin = Origin.objects.create(id=1, kind=Origin.Kind.POST, started_at=MIDNIGHT)
    story = articles.article()
    for number, channel in ((2, "site"), (1, "email")):
        event(
            origin=origin,
            ordinal=0,
            article=story,
            at=MIDNIGHT,
            person=PEOPLE[0],
            id=bytes([number]) * 12,
            channel=channel,
        )
    settle_votes([Vote(article_id=story.id, person=PEOPLE[0], day=int(MIDNIGHT.timestamp()) // 86_400)])
    assert [count.channel for count in kept()] == ["email"]
    assert kept() == recount()


def test_counting_anew_mends_what_was_tampered_with() -> None:
    origin = Origin.objects.create(id=1, kind=Origin.Kind.POST, started_at=MIDNIGHT)
    story = articles.article()
    event(origin=origin, ordinal=0, article=story, at=MIDNIGHT)
    Tally.objects.create(article=story, minute=5, channel="email", n=99)
    assert kept() != recount()
    rebuild()
    assert kept() == recount() == [(story.id, int(MIDNIGHT.timestamp()) // 60, "email", 1)]
