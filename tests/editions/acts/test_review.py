"""What people decide: only who may, only what they saw, and always on the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.editions.acts import review
from pipeline.editions.acts.review import Refused, approve, compose_again, rewrite, skip, undo
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import articles, editions, staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
SLOT = NOW + timedelta(minutes=18)


@pytest.fixture
def ready() -> Edition:
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    made = editions.composed(newsletter=newsletter)
    assert made.state == "ready"
    return made


@pytest.fixture
def ada() -> User:
    return staff.ada()


def journal() -> list[tuple[str, str, str]]:
    return [(str(entry.actor), entry.verb, entry.reason) for entry in JournalEntry.objects.order_by("id")]


def in_state(edition: Edition, state: str, **fields: Any) -> Edition:
    Edition.objects.filter(id=edition.id).update(state=state, **fields)
    edition.refresh_from_db()
    return edition


def test_an_approval_lets_it_leave_at_its_slot(ready: Edition, ada: User) -> None:
    approved = approve(edition_id=ready.id, revision=ready.revision, actor=ada, now=NOW)
    assert (approved.state, approved.leaves_at, approved.approved_at, approved.approved_by) == (
        "approved",
        SLOT,
        NOW,
        ada,
    )
    assert approved.revision == ready.revision + 1
    assert journal() == [("Ada", "approve", "")]
    assert JournalEntry.objects.get().detail == {"revision": ready.revision}


@pytest.mark.parametrize(
    ("before_slot_s", "leaves_after_s"), [(600, 600), (90, 90), (60, 90), (0, 90), (-600, 90)], ids=str
)
def test_it_never_leaves_before_the_undo_window_has_passed(
    ready: Edition, ada: User, before_slot_s: int, leaves_after_s: int
) -> None:
    now = SLOT - timedelta(seconds=before_slot_s)
    approved = approve(edition_id=ready.id, revision=ready.revision, actor=ada, now=now)
    assert approved.leaves_at == now + timedelta(seconds=leaves_after_s)


def test_the_newsletters_own_rule_needs_no_undo_window_and_no_name(ready: Edition) -> None:
    review.grant(ready, now=SLOT, actor=None, undo=False)
    ready.refresh_from_db()
    assert (ready.state, ready.leaves_at, ready.approved_by) == ("approved", SLOT, None)


ACTS = {
    "approve": lambda edition, actor: approve(edition_id=edition.id, revision=edition.revision, actor=actor, now=NOW),
    "undo": lambda edition, actor: undo(edition_id=edition.id, actor=actor, now=NOW),
    "skip": lambda edition, actor: skip(
        edition_id=edition.id, revision=edition.revision, actor=actor, reason="no", now=NOW
    ),
    "rewrite": lambda edition, actor: rewrite(
        edition_id=edition.id, revision=edition.revision, actor=actor, subject="S", preheader="P", words="W", now=NOW
    ),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("role", "active", "may"),
    [
        (Role.ADMIN, True, True), (Role.HEAD, True, True), (Role.EDITOR, True, True),
        (Role.SOCIAL, True, False), (Role.VIEWER, True, False), (Role.EDITOR, False, False),
    ],
)  # fmt: skip
def test_only_who_may_edit_decides(ready: Edition, act: str, role: Role, active: bool, may: bool) -> None:
    actor = staff.user(role=role, is_active=active)
    edition = in_state(ready, "approved" if act == "undo" else "ready")
    if may:
        ACTS[act](edition, actor)
        assert JournalEntry.objects.count() == 1
        return
    with pytest.raises(Refused, match="Nothing was changed"):
        ACTS[act](edition, actor)
    assert Edition.objects.values().get() == _values(edition)
    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize("act", ["approve", "skip", "rewrite"])
def test_nobody_decides_about_what_they_have_not_seen(ready: Edition, ada: User, act: str) -> None:
    ready.revision -= 1
    with pytest.raises(Refused, match="Someone changed this edition while you were reading it"):
        ACTS[act](ready, ada)
    assert not JournalEntry.objects.exists()


def test_of_two_editors_who_saw_the_same_the_second_is_told(ready: Edition, ada: User) -> None:
    other = staff.user(email="eve@example.org", name="Eve")
    approve(edition_id=ready.id, revision=ready.revision, actor=ada, now=NOW)
    with pytest.raises(Refused, match="look again"):
        skip(edition_id=ready.id, revision=ready.revision, actor=other, reason="too thin", now=NOW)
    assert Edition.objects.get().state == "approved"


@pytest.mark.parametrize(
    ("act", "open_"),
    [
        ("approve", {"ready"}),
        ("undo", {"approved"}),
        ("skip", {"planned", "collecting", "ready", "held"}),
        ("rewrite", {"collecting", "ready", "held"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("state", list(Edition.State.values))
def test_each_act_has_its_states(ready: Edition, ada: User, act: str, open_: set[str], state: str) -> None:
    edition = in_state(ready, state, code="preflight" if state == "held" else "")
    if state in open_:
        ACTS[act](edition, ada)
        return
    with pytest.raises(Refused, match="Nothing was changed"):
        ACTS[act](edition, ada)
    assert Edition.objects.values().get() == _values(edition)


@pytest.mark.parametrize("code", ["not_approved", "late"])
def test_what_is_held_by_the_clock_a_person_may_still_let_go(ready: Edition, ada: User, code: str) -> None:
    edition = in_state(ready, "held", code=code, params={"why": "late"})
    approved = approve(edition_id=edition.id, revision=edition.revision, actor=ada, now=SLOT + timedelta(hours=1))
    assert (approved.state, approved.code, approved.params) == ("approved", "", {})
    assert approved.leaves_at == SLOT + timedelta(hours=1, seconds=90)


def test_an_approval_is_taken_back_whole_and_stays_back(ready: Edition, ada: User) -> None:
    approve(edition_id=ready.id, revision=ready.revision, actor=ada, now=NOW)
    back = undo(edition_id=ready.id, actor=ada, now=NOW)
    assert (back.state, back.approved_at, back.approved_by, back.leaves_at) == ("ready", None, None, None)
    assert back.code == review.TAKEN_BACK, "no rule approves again what a person took back"
    assert [verb for _, verb, _ in journal()] == ["approve", "undo"]
    again = approve(edition_id=back.id, revision=back.revision, actor=ada, now=NOW)
    assert (again.state, again.code) == ("approved", "")


def test_a_skipped_edition_says_who_and_why_and_ends(ready: Edition, ada: User) -> None:
    skipped = skip(edition_id=ready.id, revision=ready.revision, actor=ada, reason="only sport today", now=NOW)
    assert (skipped.state, skipped.code, skipped.ended_at) == ("skipped", "by_editor", NOW)
    assert skipped.params == {"who": "Ada", "why": "only sport today"}
    assert journal() == [("Ada", "skip", "only sport today")]


def test_rewriting_keeps_the_words_voids_an_approval_and_rings_for_the_composer(
    ready: Edition, ada: User, django_capture_on_commit_callbacks: Any
) -> None:
    edition = in_state(ready, "held", code="late", approved_at=NOW, approved_by=ada, leaves_at=SLOT)
    with django_capture_on_commit_callbacks() as bells:
        changed = rewrite(
            edition_id=edition.id,
            revision=edition.revision,
            actor=ada,
            subject=" Harbour ",
            preheader=" wakes ",
            words=" N ",
            now=NOW,
        )
    assert (changed.state, changed.code, changed.edited) == ("collecting", "", True)
    assert (changed.subject, changed.preheader, changed.note) == ("Harbour", "wakes", "N")
    assert (changed.approved_at, changed.approved_by, changed.leaves_at) == (None, None, None)
    assert len(bells) == 1
    assert JournalEntry.objects.get().detail == {"line": "Harbour"}


def test_rewriting_what_was_taken_back_gives_no_approval(ready: Edition, ada: User) -> None:
    edition = in_state(ready, "ready", code=review.TAKEN_BACK)
    assert ACTS["rewrite"](edition, ada).code == review.TAKEN_BACK


def _values(edition: Edition) -> dict[str, Any]:
    edition.refresh_from_db()
    return dict(Edition.objects.values().get(id=edition.id))


def test_a_held_edition_is_composed_again_and_keeps_what_people_wrote(ready: Edition, ada: User) -> None:
    in_state(ready, "held", code="unusable_design", note="Our own words")
    compose_again(edition_id=ready.id, actor=ada, now=NOW)
    ready.refresh_from_db()
    assert (ready.state, ready.code, ready.note) == ("collecting", "", "Our own words")
    assert journal() == [("Ada", "compose_again", "")]


def test_a_sent_edition_is_not_composed_again(ready: Edition, ada: User) -> None:
    in_state(ready, "sent")
    with pytest.raises(Refused, match="can no longer be composed again"):
        compose_again(edition_id=ready.id, actor=ada, now=NOW)
