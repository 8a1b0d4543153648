"""An editor's hand: places, words, and what the site changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.articles.models import Article
from pipeline.editions.acts import placing
from pipeline.editions.acts.review import Refused, approve
from pipeline.editions.assemble import changed_since, content_of
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition, Newsletter
from pipeline.staff.models import JournalEntry, User
from tests.factories import articles, editions, staff

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def edition() -> Edition:
    for number in range(1, 7):
        articles.article(age_s=600 * number, headline=f"Story {number}", standfirst=f"About {number}.")
    newsletter = editions.newsletter(
        blocks=[{"kind": "lead", "rule": {"count": 1}}, {"kind": "top", "rule": {"count": 3}}]
    )
    return editions.composed(newsletter=newsletter)


@pytest.fixture
def editor() -> User:
    return staff.user()


def order(edition: Edition) -> list[str]:
    edition.refresh_from_db()
    return [story.headline for story in content_of(edition).stories()]


def again(edition: Edition) -> None:
    compose(edition_id=edition.id, now=NOW)
    edition.refresh_from_db()


def article(headline: str) -> int:
    return Article.objects.get(headline=headline).id


def test_a_placed_story_stays_where_it_was_put_however_often_it_is_composed(edition: Edition, editor: User) -> None:
    placing.place(
        edition_id=edition.id, revision=edition.revision, actor=editor, article_id=article("Story 6"), block=1,
        position=1, now=NOW,
    )  # fmt: skip
    for _ in range(2):
        again(edition)
        assert order(edition) == ["Story 6", "Story 1", "Story 2", "Story 3"]
    assert JournalEntry.objects.get(verb="place").detail["block"] == 1


def test_a_story_left_out_is_a_candidate_for_the_next_edition(edition: Edition, editor: User) -> None:
    placing.leave_out(
        edition_id=edition.id, revision=edition.revision, actor=editor, article_id=article("Story 1"), now=NOW
    )
    again(edition)
    assert "Story 1" not in order(edition)
    later = editions.composed(newsletter=edition.newsletter, slot_at=edition.slot_at + timedelta(hours=1))
    assert "Story 1" in order(later)


def test_the_rules_decide_again_when_the_hand_is_taken_off(edition: Edition, editor: User) -> None:
    known = {"edition_id": edition.id, "actor": editor, "article_id": article("Story 1"), "now": NOW}
    placing.leave_out(revision=edition.revision, **known)  # type: ignore[arg-type]
    again(edition)
    placing.let_rules_decide(revision=edition.revision, **known)  # type: ignore[arg-type]
    again(edition)
    assert order(edition)[0] == "Story 1"


def test_an_editors_words_stand_and_a_later_change_of_the_site_is_seen(edition: Edition, editor: User) -> None:
    known = {"edition_id": edition.id, "actor": editor, "article_id": article("Story 1"), "now": NOW}
    placing.override(revision=edition.revision, words={"headline": "Our own words"}, **known)  # type: ignore[arg-type]
    again(edition)
    assert order(edition)[0] == "Our own words"
    item = edition.items.get(article__headline="Story 1")
    assert changed_since(item) == {}
    Article.objects.filter(headline="Story 1").update(headline="The site's new words")
    item = edition.items.get(article_id=known["article_id"])
    assert changed_since(item) == {"headline": ("Story 1", "The site's new words")}
    again(edition)
    assert order(edition)[0] == "Our own words"
    placing.keep_mine(revision=edition.revision, **known)  # type: ignore[arg-type]
    assert changed_since(edition.items.get(article_id=known["article_id"])) == {}
    edition.refresh_from_db()
    placing.take_new(revision=edition.revision, **known)  # type: ignore[arg-type]
    again(edition)
    assert order(edition)[0] == "The site's new words"


def test_a_change_after_approval_takes_the_approval_back(edition: Edition, editor: User) -> None:
    approve(edition_id=edition.id, revision=edition.revision, actor=editor, now=NOW)
    edition.refresh_from_db()
    with pytest.raises(Refused, match="can no longer be changed"):
        placing.leave_out(
            edition_id=edition.id, revision=edition.revision, actor=editor, article_id=article("Story 1"), now=NOW
        )


def test_two_editors_do_not_overwrite_each_other(edition: Edition, editor: User) -> None:
    old = edition.revision
    placing.leave_out(edition_id=edition.id, revision=old, actor=editor, article_id=article("Story 1"), now=NOW)
    with pytest.raises(Refused, match="while you were reading"):
        placing.leave_out(edition_id=edition.id, revision=old, actor=editor, article_id=article("Story 2"), now=NOW)


@pytest.mark.parametrize("state", ["killed", "held"])
def test_a_killed_or_held_story_cannot_be_placed(edition: Edition, editor: User, state: str) -> None:
    bad = articles.article(state=state, killed_at=NOW if state == "killed" else None)
    with pytest.raises(Refused):
        placing.place(
            edition_id=edition.id,
            revision=edition.revision,
            actor=editor,
            article_id=bad.id,
            block=1,
            position=1,
            now=NOW,
        )


def test_a_viewer_may_look_and_not_touch(edition: Edition) -> None:
    with pytest.raises(Refused, match="Your role"):
        placing.leave_out(
            edition_id=edition.id, revision=edition.revision, actor=staff.user(email="v@example.org", role="viewer"),
            article_id=article("Story 1"), now=NOW,
        )  # fmt: skip


def test_a_promised_place_takes_no_story(edition: Edition, editor: User) -> None:
    Newsletter.objects.get().blocks.create(position=5, kind="sponsor", rule={"story": {"headline": "Buy"}})
    with pytest.raises(Refused, match="takes no stories"):
        placing.place(
            edition_id=edition.id, revision=edition.revision, actor=editor, article_id=article("Story 1"), block=5,
            position=1, now=NOW,
        )  # fmt: skip
