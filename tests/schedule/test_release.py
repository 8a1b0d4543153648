"""What time does to one edition, tick by tick: the draft, the cut-off, the approval, the slot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.articles.models import Article
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.acts.review import Stale, approve, rewrite, undo
from pipeline.editions.models import Edition, Newsletter, Rendering
from pipeline.schedule import release
from pipeline.staff.models import JournalEntry
from tests.factories import articles, staff
from tests.schedule.conftest import CUTOFF, DAILY, DRAFT, SLOT, Clock, first, newsletter, stories

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("when", [DRAFT + timedelta(minutes=1), SLOT - timedelta(minutes=3)])
def test_a_story_that_says_something_else_now_says_it_in_the_draft_until_the_slot(clock: Clock, when: datetime) -> None:
    newsletter(), stories()
    clock.run(DRAFT, when - timedelta(seconds=1), step=timedelta(seconds=30))
    seen = first()
    told = seen.items.filter(picked=True)[0].article
    Article.objects.filter(id=told.id).update(headline="Eleven states, not twelve", version=told.version + 1)
    rung = clock.rung["editions.compose"]
    clock.tick(when)
    clock.tick(when + timedelta(seconds=1))
    assert "Eleven states, not twelve" in Rendering.objects.get(edition=seen).html
    assert clock.rung["editions.compose"] == rung + 1, "once for a change"
    with pytest.raises(Stale):
        approve(edition_id=seen.id, revision=seen.revision, actor=staff.ada(), now=when)


def test_rules_approve_no_words_that_were_corrected_since(clock: Clock) -> None:
    newsletter(approval="rules"), stories()
    clock.tick(DRAFT)
    clock.tick(CUTOFF)
    told = first().items.filter(picked=True)[0].article
    Article.objects.filter(id=told.id).update(headline="Eleven states, not twelve", version=told.version + 1)
    clock.tick(CUTOFF + timedelta(seconds=1))
    assert first().state == "ready"
    clock.tick(CUTOFF + timedelta(seconds=2))
    assert first().state == "approved"
    assert "Eleven states, not twelve" in Rendering.objects.get(edition=first()).html


def test_what_is_approved_leaves_with_the_words_that_were_corrected_since(clock: Clock) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    seen, moment, ada = first(), SLOT - timedelta(minutes=3), staff.ada()
    approve(edition_id=seen.id, revision=seen.revision, actor=ada, now=DRAFT)
    late = articles.article(age_s=1, now=DRAFT + timedelta(minutes=1))
    picks = list(seen.items.filter(picked=True).order_by("article_id").values_list("article_id", flat=True))
    Article.objects.filter(id=picks[0]).update(headline="Eleven states, not twelve", version=7)
    clock.working = False
    clock.tick(moment)
    clock.tick(SLOT)
    assert first().state == "approved", "it waits for the corrected words"
    clock.answer(now=SLOT)
    now = first()
    assert (now.state, now.approved_by, now.revision) == ("approved", ada, seen.revision + 2)
    assert list(now.items.filter(picked=True).order_by("article_id").values_list("article_id", flat=True)) == picks
    assert late.id not in picks
    assert "Eleven states, not twelve" in Rendering.objects.get(edition=now).html
    assert JournalEntry.objects.get(verb="say_anew").detail["stories"] == ["Eleven states, not twelve"]
    clock.tick(SLOT + timedelta(seconds=5))
    assert first().state == "sending"


def test_our_own_words_over_a_correction_are_approved_by_a_person_again(clock: Clock) -> None:
    newsletter(unapproved="send"), stories()
    clock.tick(DRAFT)
    seen = first()
    item = seen.items.filter(picked=True)[0]
    item.overrides, item.site = {"headline": "Twelve states"}, {"headline": item.article.headline}
    item.save()
    approve(edition_id=seen.id, revision=seen.revision, actor=staff.ada(), now=DRAFT)
    Article.objects.filter(id=item.article_id).update(headline="Eleven states, not twelve", version=7)
    clock.tick(SLOT - timedelta(minutes=3))
    assert (first().state, first().code, first().approved_by) == ("ready", "taken_back", None)
    assert "our own words" in JournalEntry.objects.get(verb="ask_again").reason
    clock.tick(SLOT)
    assert (first().state, first().code) == ("held", "not_approved"), "no policy approves it"


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


def meanwhile(monkeypatch: pytest.MonkeyPatch, step: str, others: Callable[[], object]) -> None:
    """What others do between the look of a slow tick and its act."""
    act = getattr(release, step)

    def slow(*told: Any, now: datetime) -> Any:
        monkeypatch.setattr(release, step, act)
        others()
        return act(*told, now=now)

    monkeypatch.setattr(release, step, slow)


def test_a_slow_tick_grants_nothing_that_a_person_took_back_meanwhile(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsletter(approval="rules"), stories()
    clock.run(DRAFT, CUTOFF, step=CUTOFF - DRAFT)

    def others() -> None:
        release.advance(now=CUTOFF)
        undo(edition_id=first().id, actor=staff.ada(), now=CUTOFF)

    meanwhile(monkeypatch, "_grant", others)
    release.advance(now=CUTOFF)
    assert (first().state, first().code) == ("ready", "taken_back")


def test_a_slow_tick_takes_back_no_approval_of_what_was_composed_without_the_killed_story(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsletter(), stories(5)
    clock.tick(DRAFT)
    ada, told = staff.ada(), first().items.filter(picked=True)[0].article
    approve(edition_id=first().id, revision=first().revision, actor=ada, now=DRAFT)
    Article.objects.filter(id=told.id).update(killed_at=DRAFT)

    def others() -> None:
        clock.tick(DRAFT)
        approve(edition_id=first().id, revision=first().revision, actor=ada, now=DRAFT)

    meanwhile(monkeypatch, "_take_back", others)
    release.advance(now=DRAFT)
    assert (first().state, first().approved_by) == ("approved", ada)
    assert not first().items.filter(article=told, picked=True).exists()


def test_a_tick_whose_clock_is_ahead_expires_nothing_that_another_began(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsletter(approval="rules", late_after_s=60), stories()
    clock.run(DRAFT, CUTOFF, step=CUTOFF - DRAFT)
    clock.tick(CUTOFF + timedelta(seconds=1))
    meanwhile(monkeypatch, "_leave", lambda: release.advance(now=SLOT))
    release.advance(now=SLOT + timedelta(minutes=5))
    assert first().state == "sending"


def test_a_newsletter_paused_during_a_slow_tick_does_not_leave_by_its_rules(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsletter(approval="rules"), stories()
    clock.run(DRAFT, CUTOFF, step=CUTOFF - DRAFT)
    clock.tick(CUTOFF + timedelta(seconds=1))
    meanwhile(monkeypatch, "_leave", lambda: Newsletter.objects.update(state="paused"))
    release.advance(now=SLOT)
    assert first().state == "approved"
    release.advance(now=SLOT)
    assert (first().state, first().code) == ("skipped", "newsletter_paused")
