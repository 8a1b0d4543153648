"""Undo and redo: every act of a hand, taken back one by one, until it is approved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.articles.models import Article
from pipeline.editions.acts import placing, review, revisions, undoing
from pipeline.editions.acts.review import Refused
from pipeline.editions.assemble import content_of
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry, User
from tests.factories import articles, editions, staff

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db
BLOCKS: tuple[dict[str, Any], ...] = ({"kind": "lead", "rule": {"count": 1}}, {"kind": "top", "rule": {"count": 3}})


class Desk:
    """An edition with an editor at it and a worker behind it."""

    def __init__(self) -> None:
        for number in range(1, 6):
            articles.article(age_s=600 * number, headline=f"Story {number}", standfirst=f"About {number}.")
        self.edition = editions.composed(newsletter=editions.newsletter(blocks=BLOCKS))
        self.ada = staff.ada()

    def number(self, story: int) -> int:
        return Article.objects.get(headline=f"Story {story}").id

    def hand(self, act: Any, *, actor: User | None = None, **what: Any) -> None:
        who = {"edition_id": self.edition.id, "actor": actor or self.ada, "now": NOW}
        act(revision=self.edition.revision, **who, **what)
        self.composed()

    def composed(self) -> None:
        compose(edition_id=self.edition.id, now=NOW)
        self.edition.refresh_from_db()

    def order(self) -> str:
        self.edition.refresh_from_db()
        return " ".join(story.headline.removeprefix("Story ") for story in content_of(self.edition).stories())

    def step(self, act: Any) -> undoing.Laid:
        done, undone = revisions.standing(self.edition)
        number = (done[-1] if act is undoing.undo else undone[0]).number
        laid: undoing.Laid = act(edition_id=self.edition.id, number=number, actor=self.ada, now=NOW)
        self.composed()
        return laid

    def said(self) -> tuple[str, str, str]:
        return self.order(), self.edition.subject, self.edition.note


@pytest.fixture
def desk() -> Desk:
    return Desk()


def acts(desk: Desk) -> list[tuple[str, str, str]]:
    """One of each, and what the edition said before and after each of them."""
    said = [desk.said()]
    for act, what in (
        (placing.place, {"article_id": desk.number(5), "block": 2, "position": 1}),
        (review.rewrite, {"subject": "Ours", "preheader": "Line", "words": "Good morning."}),
        (placing.override, {"article_id": desk.number(5), "words": {"headline": "Story five"}}),
        (placing.leave_out, {"article_id": desk.number(1)}),
        (placing.let_rules_decide, {"article_id": desk.number(5)}),
    ):
        desk.hand(act, **what)
        said.append(desk.said())
    return said


def test_every_act_is_taken_back_and_brought_back_one_by_one(desk: Desk) -> None:
    said = acts(desk)
    assert len(set(said)) >= 5
    for before in reversed(said[:-1]):
        desk.step(undoing.undo)
        assert desk.said() == before
    for after in said[1:]:
        desk.step(undoing.redo)
        assert desk.said() == after
    verbs = list(JournalEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs[5:] == ["undo_change"] * 5 + ["redo_change"] * 5


def test_the_first_act_is_the_last_that_can_be_taken_back(desk: Desk) -> None:
    desk.hand(placing.leave_out, article_id=desk.number(1))
    desk.step(undoing.undo)
    [begun], _ = revisions.standing(desk.edition)
    assert begun.verb == revisions.BEGUN
    with pytest.raises(Refused, match="nothing left"):
        undoing.undo(edition_id=desk.edition.id, number=begun.number, actor=desk.ada, now=NOW)


def test_a_new_act_ends_what_could_be_brought_back(desk: Desk) -> None:
    desk.hand(placing.leave_out, article_id=desk.number(1))
    desk.step(undoing.undo)
    desk.hand(placing.leave_out, article_id=desk.number(2))
    assert revisions.standing(desk.edition)[1] == []
    desk.step(undoing.undo)
    assert desk.order() == "1 2 3 4"


def test_nobody_takes_back_an_act_they_have_not_seen(desk: Desk) -> None:
    desk.hand(placing.leave_out, article_id=desk.number(1))
    seen = revisions.standing(desk.edition)[0][-1].number
    desk.hand(placing.leave_out, article_id=desk.number(2), actor=staff.user(email="eve@example.org"))
    with pytest.raises(Refused, match="since you looked"):
        undoing.undo(edition_id=desk.edition.id, number=seen, actor=desk.ada, now=NOW)
    assert desk.order() == "3 4 5"


def test_it_goes_back_to_any_act_and_that_can_be_taken_back_too(desk: Desk) -> None:
    said = acts(desk)
    done, _ = revisions.standing(desk.edition)
    known = {"edition_id": desk.edition.id, "actor": desk.ada, "now": NOW}
    undoing.restore(number=done[2].number, seen=done[-1].number, **known)  # type: ignore[arg-type]
    desk.composed()
    assert desk.said() == said[2]
    desk.step(undoing.undo)
    assert desk.said() == said[5]
    with pytest.raises(Refused, match="since you looked"):
        undoing.restore(number=done[1].number, seen=1, **known)  # type: ignore[arg-type]


def test_a_story_killed_since_does_not_come_back_and_is_named(desk: Desk) -> None:
    desk.hand(placing.place, article_id=desk.number(5), block=2, position=1)
    desk.hand(placing.leave_out, article_id=desk.number(5))
    Article.objects.filter(headline="Story 5").update(state="killed", killed_at=NOW)
    laid = desk.step(undoing.undo)
    assert laid.missing == ("Story 5",)
    assert "5" not in desk.order()


@pytest.mark.parametrize(
    ("state", "said"),
    [("approved", "take the approval back first"), ("sending", "accepted cannot be recalled"), ("sent", "in inboxes")],
)
def test_what_is_approved_or_gone_says_why_nothing_is_taken_back(desk: Desk, state: str, said: str) -> None:
    desk.hand(placing.leave_out, article_id=desk.number(1))
    Edition.objects.update(state=state)
    done, _ = revisions.standing(desk.edition)
    with pytest.raises(Refused, match=said):
        undoing.undo(edition_id=desk.edition.id, number=done[-1].number, actor=desk.ada, now=NOW)
    assert revisions.standing(desk.edition)[0] == done


def test_the_latest_acts_are_kept_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "MOST_KEPT", 3)
    acts(desk)
    assert [row.verb for row in revisions.standing(desk.edition)[0]] == ["override", "leave_out", "let_rules_decide"]
