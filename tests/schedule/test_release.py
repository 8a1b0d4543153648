"""What time does to editions, tick by tick, with the bells really rung and answered."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from pipeline.articles.models import Article
from pipeline.delivery.models import Delivery, Send
from pipeline.delivery.send import prepare
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.review import approve, rewrite, skip, undo
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, Queue
from pipeline.schedule.plan import plan
from pipeline.schedule.release import advance
from pipeline.staff.models import JournalEntry
from tests.factories import articles, audience, editions, staff

pytestmark = pytest.mark.django_db
SLOT = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
DRAFT, CUTOFF = SLOT - timedelta(minutes=45), SLOT - timedelta(minutes=20)
BEGUN = SLOT - timedelta(hours=3)
DAILY = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}
QUEUES = [f"dateline:{queue.value}" for queue in Queue]


@dataclass
class Clock:
    """The scheduler and the workers behind it: a tick, then whatever it rang for."""

    bells: redis.Redis
    commit: Callable[..., Any]
    rung: Counter[str] = field(default_factory=Counter)
    working: bool = True

    def tick(self, now: datetime) -> None:
        with self.commit(execute=True):
            plan(now=now)
            advance(now=now)
        if self.working:
            self.answer(now=now)

    def answer(self, *, now: datetime) -> None:
        """Do what is waiting in the queues, as a worker would."""
        for queue in Queue if self.bells.exists(*QUEUES) else ():
            while message := self.bells.lpop(f"dateline:{queue.value}"):
                told = json.loads(message)  # type: ignore[arg-type]
                kwargs = json.loads(base64.b64decode(told["body"]))[1]
                self.rung[told["headers"]["task"]] += 1
                with self.commit(execute=True):
                    if told["headers"]["task"] == Job.EDITIONS_COMPOSE.value:
                        compose(**kwargs, now=now)
                    elif told["headers"]["task"] == Job.DELIVERY_PREPARE.value:
                        prepare(**kwargs, now=now)

    def run(self, start: datetime, end: datetime, *, step: timedelta = timedelta(minutes=1)) -> None:
        now = start
        while now <= end:
            self.tick(now)
            now += step


@pytest.fixture
def clock(db: None, django_capture_on_commit_callbacks: Any) -> Iterator[Clock]:
    with redis.Redis.from_url(config().redis_url) as bells:
        bells.delete(*QUEUES)
        yield Clock(bells, django_capture_on_commit_callbacks)
        bells.delete(*QUEUES)


def newsletter(*, cadence: dict[str, Any] | None = None, **fields: Any) -> Newsletter:
    made = editions.newsletter(cadence=cadence or DAILY, **fields)
    Newsletter.objects.filter(id=made.id).update(created_at=BEGUN)
    audience.subscriber(follows=made.topic)
    made.refresh_from_db()
    return made


def stories(count: int = 4, *, now: datetime = DRAFT) -> list[Article]:
    return [articles.article(age_s=600 + 60 * n, now=now) for n in range(count)]


def first() -> Edition:
    return Edition.objects.order_by("slot_at")[0]


def test_nothing_happens_before_its_time(clock: Clock) -> None:
    newsletter(), stories()
    clock.tick(DRAFT - timedelta(seconds=1))
    assert (first().state, clock.rung) == ("planned", {})
    clock.tick(DRAFT)
    assert first().state == "ready"
    assert clock.rung == {"editions.compose": 1}


def test_stories_may_come_until_the_cutoff_and_then_nothing_changes_by_itself(clock: Clock) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    late = articles.article(age_s=1, now=CUTOFF)
    clock.tick(CUTOFF - timedelta(seconds=1))
    assert not first().items.filter(article=late).exists()
    clock.tick(CUTOFF)
    assert first().items.get(article=late).picked
    revision = first().revision
    clock.run(CUTOFF + timedelta(seconds=1), SLOT - timedelta(seconds=1), step=timedelta(seconds=97))
    assert first().revision == revision


def test_too_few_stories_at_the_draft_are_looked_for_again_until_the_cutoff(clock: Clock) -> None:
    newsletter(approval="rules"), stories(1)
    clock.run(DRAFT, DRAFT + timedelta(seconds=150), step=timedelta(seconds=5))
    assert (first().state, first().code) == ("collecting", "below_minimum")
    assert clock.rung["editions.compose"] == 3, "once a minute, not at every tick"
    stories(3, now=CUTOFF)
    clock.tick(CUTOFF)
    clock.tick(CUTOFF + timedelta(seconds=1))
    assert first().state == "approved"


def test_too_few_stories_at_the_cutoff_skip_the_slot(clock: Clock) -> None:
    newsletter(), stories(2)
    clock.run(DRAFT, SLOT, step=timedelta(minutes=5))
    assert (first().state, first().code, first().params) == ("skipped", "below_minimum", {"found": 2, "minimum": 3})


def test_a_newsletter_with_rules_leaves_by_itself_at_its_slot(clock: Clock) -> None:
    newsletter(approval="rules"), stories()
    clock.tick(DRAFT)
    assert first().state == "ready", "no rule approves what may still change"
    clock.tick(CUTOFF)
    clock.tick(CUTOFF + timedelta(seconds=1))
    assert (first().state, first().leaves_at, first().approved_by) == ("approved", SLOT, None)
    clock.tick(SLOT - timedelta(seconds=1))
    assert first().state == "approved"
    clock.tick(SLOT)
    assert (first().state, Send.objects.get().state, Delivery.objects.count()) == ("sending", "submitting", 1)


def test_what_an_editor_approved_leaves_at_its_slot(clock: Clock) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    approve(edition_id=first().id, revision=first().revision, actor=staff.ada(), now=DRAFT)
    revision = first().revision
    clock.run(DRAFT, SLOT - timedelta(seconds=1), step=timedelta(minutes=4))
    assert (first().state, first().revision) == ("approved", revision), "an approval is for these words"
    clock.tick(SLOT)
    assert first().state == "sending"


@pytest.mark.parametrize(("policy", "state", "code"), [("hold", "held", "not_approved"), ("send", "sending", "")])
def test_without_an_approval_the_newsletters_policy_decides_at_the_slot(
    clock: Clock, policy: str, state: str, code: str
) -> None:
    newsletter(unapproved=policy), stories()
    clock.run(DRAFT, SLOT - timedelta(minutes=5), step=timedelta(minutes=5))
    assert first().state == "ready"
    clock.tick(SLOT)
    clock.tick(SLOT + timedelta(seconds=1))
    assert (first().state, first().code) == (state, code)


def test_what_was_held_leaves_once_someone_approves_however_late(clock: Clock) -> None:
    newsletter(late_after_s=600), stories()
    clock.run(DRAFT, SLOT, step=timedelta(minutes=5))
    late = SLOT + timedelta(hours=26)
    clock.tick(late)
    held = first()
    assert held.state == "held"
    approve(edition_id=held.id, revision=held.revision, actor=staff.ada(), now=late)
    clock.tick(late + timedelta(seconds=89))
    assert first().state == "approved"
    clock.tick(late + timedelta(seconds=90))
    assert first().state == "sending", "a person knew that the next slot had come"


@pytest.mark.parametrize("unapproved", ["hold", "send"])
@pytest.mark.parametrize("approval", ["rules", "editor"])
def test_what_a_person_took_back_needs_a_person(clock: Clock, approval: str, unapproved: str) -> None:
    newsletter(approval=approval, unapproved=unapproved), stories()
    ada = staff.ada()
    clock.run(DRAFT, CUTOFF + timedelta(minutes=1), step=timedelta(minutes=1))
    if approval == "editor":
        approve(edition_id=first().id, revision=first().revision, actor=ada, now=CUTOFF)
    assert first().state == "approved"
    undo(edition_id=first().id, actor=ada, now=CUTOFF)
    clock.run(CUTOFF, SLOT - timedelta(seconds=1), step=timedelta(minutes=3))
    assert first().state == "ready"
    clock.run(SLOT, SLOT + timedelta(minutes=3))
    assert (first().state, first().code) == ("held", "not_approved")
    assert not Send.objects.exists()


def test_taken_back_and_rewritten_after_the_slot_it_still_waits_for_a_person(clock: Clock) -> None:
    newsletter(late_after_s=600), stories()
    clock.run(DRAFT, SLOT, step=timedelta(minutes=5))
    late, ada = SLOT + timedelta(hours=2), staff.ada()
    rewrite(edition_id=first().id, revision=first().revision, actor=ada, subject="S", preheader="", words="", now=late)
    clock.run(late, late + timedelta(minutes=2))
    assert (first().state, first().code) == ("held", "not_approved"), "not expired under the editor's hands"
    assert first().rendering.subject == "S"
    approve(edition_id=first().id, revision=first().revision, actor=ada, now=late + timedelta(minutes=3))
    clock.tick(late + timedelta(minutes=5))
    assert first().state == "sending"


@pytest.mark.parametrize(
    ("policy", "states"),
    [("send", {"sending"}), ("hold", {"held"}), ("web_only", {"expired"}), ("render_again", {"sending"})],
)  # fmt: skip
@pytest.mark.parametrize("approval", ["rules", "editor"])
def test_an_approved_edition_that_comes_too_late_meets_the_late_policy(
    clock: Clock, policy: str, states: set[str], approval: str
) -> None:
    newsletter(late_policy=policy, late_after_s=1800, approval=approval), stories()
    clock.run(DRAFT, CUTOFF + timedelta(minutes=1))
    if approval == "editor":
        approve(edition_id=first().id, revision=first().revision, actor=staff.ada(), now=CUTOFF)
    before = first().rendering.revision
    back = SLOT + timedelta(hours=2)
    fresh = articles.article(age_s=60, now=back - timedelta(minutes=30))
    clock.run(back, back + timedelta(seconds=4), step=timedelta(seconds=1))
    edition = Edition.objects.get(id=first().id)
    assert {edition.state} == states
    if policy == "render_again":
        assert edition.rendering.revision > before
        assert edition.items.get(article=fresh).picked, "with what is true now"
        assert (edition.approved_by is not None) == (approval == "editor"), "whose approval it was is kept"
    if policy in {"hold", "web_only"}:
        assert edition.code == "late"
        assert edition.params["late_s"] == 7200
        assert "2 h 00 min late" in edition.params["why"]
        assert (edition.ended_at is None) == (policy == "hold")


def test_a_delay_within_bounds_changes_nothing(clock: Clock) -> None:
    newsletter(approval="rules", late_after_s=1800), stories()
    clock.run(DRAFT, CUTOFF + timedelta(minutes=1))
    clock.tick(SLOT + timedelta(minutes=30))
    assert first().state == "sending"


def test_a_day_off_leaves_a_row_and_no_mail(clock: Clock) -> None:
    newsletter(approval="rules", cadence={**DAILY, "skip": {"2026-04-19": "Liberation Day"}}), stories()
    clock.run(DRAFT, SLOT + timedelta(minutes=10), step=timedelta(minutes=5))
    assert (first().slot_at, first().state, first().code, first().params) == (
        SLOT,
        "skipped",
        "holiday",
        {"why": "Liberation Day"},
    )
    assert not Send.objects.exists()


@pytest.mark.parametrize("policy", ["send", "hold", "render_again", "web_only"])
def test_an_outage_of_two_days_does_not_end_in_a_burst(clock: Clock, policy: str) -> None:
    hourly = {"kind": "interval", "zone": "UTC", "every_s": 3600}
    newsletter(cadence=hourly, approval="rules", late_policy=policy, late_after_s=900, minimum=1, max_age_h=96)
    stories(20)
    clock.tick(BEGUN)
    back = BEGUN + timedelta(days=2, minutes=10)
    stories(20, now=back - timedelta(hours=2))
    clock.run(back, back + timedelta(seconds=10), step=timedelta(seconds=1))
    passed = Edition.objects.filter(slot_at__lte=back + timedelta(seconds=10))
    assert passed.count() == 48, "one row for each hour; the one that is rendered again leaves under its new time"
    assert Send.objects.count() <= 1, "the newest at most"
    assert set(passed.values_list("state", flat=True)) <= {"expired", "sending"}
    assert {e.code for e in passed if e.state == "expired"} == {"late"}
    assert all(e.params["why"] for e in passed if e.state == "expired")


def test_while_no_composer_works_the_bell_is_rung_again_and_the_slot_leaves_a_row(clock: Clock) -> None:
    newsletter(approval="rules", late_after_s=600), stories()
    clock.working = False
    clock.run(DRAFT, SLOT + timedelta(minutes=5), step=timedelta(minutes=5))
    assert first().state == "collecting"
    clock.tick(SLOT + timedelta(minutes=11))
    assert (first().state, first().code) == ("expired", "late")
    clock.working = True
    clock.tick(SLOT + timedelta(minutes=12))
    assert first().state == "expired", "messages that come after the end change nothing"
    assert clock.rung["editions.compose"] >= 10


@pytest.mark.parametrize(
    "when", [CUTOFF + timedelta(minutes=2), SLOT - timedelta(seconds=1)], ids=["approved", "last second"]
)
@pytest.mark.parametrize("approval", ["rules", "editor"])
def test_a_killed_story_never_leaves(clock: Clock, when: datetime, approval: str) -> None:
    newsletter(approval=approval)
    victim = stories(5)[0]
    clock.run(DRAFT, CUTOFF + timedelta(minutes=1))
    if approval == "editor":
        approve(edition_id=first().id, revision=first().revision, actor=staff.ada(), now=CUTOFF)
    assert first().subject == victim.headline
    clock.tick(when - timedelta(seconds=1))
    Article.objects.filter(id=victim.id).update(state=Article.State.KILLED, killed_at=when)
    clock.run(when, SLOT + timedelta(minutes=1), step=timedelta(seconds=20))
    clock.run(SLOT + timedelta(minutes=1), SLOT + timedelta(minutes=1, seconds=3), step=timedelta(seconds=1))
    edition = first()
    assert victim.headline not in edition.rendering.html
    assert edition.state == ("sending" if approval == "rules" else "held"), "what a person approved were other words"
    assert [entry.reason for entry in JournalEntry.objects.filter(verb="withdraw")] == ["a story of it was killed"]


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_a_newsletter_that_does_not_run_lets_its_slots_pass_and_says_so(clock: Clock, state: str) -> None:
    made = newsletter(approval="rules")
    stories()
    clock.run(DRAFT, CUTOFF + timedelta(minutes=1))
    assert first().state == "approved"
    Newsletter.objects.filter(id=made.id).update(state=state)
    clock.run(SLOT - timedelta(minutes=1), SLOT + timedelta(days=1, hours=4), step=timedelta(hours=4))
    assert {(e.state, e.code) for e in Edition.objects.filter(slot_at__lte=SLOT + timedelta(days=1))} == {
        ("skipped", "newsletter_paused")
    }
    assert not Send.objects.exists()


def test_two_schedulers_at_once_send_once(clock: Clock) -> None:
    newsletter(approval="rules"), stories()
    for now in (DRAFT, CUTOFF, CUTOFF + timedelta(seconds=1), SLOT, SLOT + timedelta(seconds=1)):
        clock.tick(now)
        clock.tick(now)
    assert Edition.objects.filter(slot_at=SLOT).count() == 1
    assert Send.objects.count() == 1


def test_many_newsletters_at_one_slot_all_leave_within_a_few_ticks(clock: Clock) -> None:
    for n in range(52):
        newsletter(
            slug=f"letter-{n}", name=f"Letter {n}", approval="rules", blocks=({"kind": "top", "rule": {}},)
        ) if n == 0 else _twin(n)
    stories()
    for now in (DRAFT, DRAFT, CUTOFF, CUTOFF, CUTOFF + timedelta(seconds=1), CUTOFF + timedelta(seconds=2), SLOT, SLOT):
        clock.tick(now)
    assert Counter(Edition.objects.filter(slot_at=SLOT).values_list("state", flat=True)) == {"sending": 52}


def _twin(n: int) -> Newsletter:
    made = editions.newsletter(
        slug=f"letter-{n}", name=f"Letter {n}", approval="rules", blocks=({"kind": "top", "rule": {}},), cadence=DAILY,
        topic=audience.topic(slug="letter-0", name="Letter 0"),
    )  # fmt: skip
    Newsletter.objects.filter(id=made.id).update(created_at=BEGUN)
    return made


def test_a_whole_day_minute_by_minute_with_an_editor_at_work(clock: Clock) -> None:
    """Four slots: one approved, one nobody looked at, one skipped, one without stories; a row and a reason for each."""
    ada, day = staff.ada(), datetime(2026, 4, 19, 3, tzinfo=UTC)
    made = newsletter(cadence={"kind": "daily", "zone": "UTC", "at": ["05:00", "10:00", "14:00", "20:00"]}, max_age_h=5)
    Newsletter.objects.filter(id=made.id).update(created_at=day)
    seen, midnight = dict[int, list[str]](), day.replace(hour=0) + timedelta(days=1)
    for minute in range(17 * 60 + 5):
        now = day + timedelta(minutes=minute)
        if now.minute % 20 == 0 and now.hour < 13 and now.day == 19:
            articles.article(age_s=0, now=now)
        clock.tick(now)
        for slot_at, state in Edition.objects.filter(slot_at__lt=midnight).values_list("slot_at", "state"):
            history = seen.setdefault(slot_at.hour, [])
            if not history or history[-1] != state:
                history.append(state)
        if (now.hour, now.minute) == (4, 45):
            approve(edition_id=first().id, revision=first().revision, actor=ada, now=now)
        if (now.hour, now.minute) == (13, 30):
            afternoon = Edition.objects.get(slot_at__hour=14)
            skip(
                edition_id=afternoon.id,
                revision=afternoon.revision,
                actor=ada,
                reason="nothing worth a letter",
                now=now,
            )
    assert seen == {
        5: ["planned", "ready", "approved", "sending"],
        10: ["planned", "ready", "held"],
        14: ["planned", "ready", "skipped"],
        20: ["planned", "collecting", "skipped"],
    }
    ends = {e.slot_at.hour: (e.state, e.code) for e in Edition.objects.filter(slot_at__lt=midnight)}
    assert ends == {
        5: ("sending", ""),
        10: ("held", "not_approved"),
        14: ("skipped", "by_editor"),
        20: ("skipped", "below_minimum"),
    }
    assert Send.objects.count() == 1
    assert Send.objects.get().created_at == day + timedelta(hours=2), "it left at its slot, to the minute"
    assert [entry.verb for entry in JournalEntry.objects.order_by("id")] == ["approve", "skip"]
    sent = set(first().items.filter(picked=True).values_list("article_id", flat=True))
    noon = Edition.objects.get(slot_at=day.replace(hour=10))
    assert not sent & set(noon.items.filter(picked=True).values_list("article_id", flat=True)), "no story twice"
