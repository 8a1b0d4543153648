"""Two at one edition: nobody's words are lost, and nobody's are overwritten unseen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.articles.models import Article
from pipeline.editions.acts import merging, placing, review
from pipeline.editions.acts.review import Refused
from pipeline.editions.assemble import changed_since
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from pipeline.staff.models import User
from tests.factories import articles, editions, staff

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
BASE = {"subject": "S", "preheader": "P", "note": "N"}
WORD = st.sampled_from(["", "a", "b", "c"])


@settings(max_examples=200, deadline=None)
@given(was=WORD, theirs=WORD, mine=WORD)
def test_whoever_changed_a_field_wins_and_both_is_a_clash(was: str, theirs: str, mine: str) -> None:
    merge = merging.merged(base={"x": was}, theirs={"x": theirs}, mine={"x": mine})
    if mine in (theirs, was):
        assert (merge.words["x"], merge.clashes) == (theirs, ())
    elif theirs == was:
        assert (merge.words["x"], merge.clashes) == (mine, ())
    else:
        assert merge.clashes == (merging.Clash("x", theirs, mine),)
    assert merge.taken == (("x",) if mine == was != theirs else ())


def test_a_browsers_line_ends_are_no_change() -> None:
    merge = merging.merged(base={"note": "a\n\nb"}, theirs={"note": "c"}, mine={"note": "a\r\n\r\nb "})
    assert (merge.words, merge.clashes) == ({"note": "c"}, ())


@pytest.fixture
def edition(db: None) -> Edition:
    for number in range(1, 6):
        articles.article(age_s=600 * number, headline=f"Story {number}", standfirst=f"About {number}.")
    made = editions.newsletter(blocks=[{"kind": "lead", "rule": {"count": 1}}, {"kind": "top", "rule": {"count": 3}}])
    return editions.composed(newsletter=made)


@pytest.fixture
def ada(db: None) -> User:
    return staff.ada()


@pytest.fixture
def eve(db: None) -> User:
    return staff.user(email="eve@example.org", name="Eve")


def kept(edition: Edition) -> dict[str, str]:
    edition.refresh_from_db()
    return {name: getattr(edition, name) for name in BASE}


def test_what_does_not_overlap_is_merged_and_says_whose_stays(edition: Edition, ada: User, eve: User) -> None:
    base = kept(edition)
    known: dict[str, Any] = {"edition_id": edition.id, "base": base, "now": NOW}
    merging.rewrite(actor=ada, mine=base | {"subject": "Ada's"}, **known)
    compose(edition_id=edition.id, now=NOW)
    done = merging.rewrite(actor=eve, mine=base | {"note": "Eve's"}, **known)
    assert done.taken == ("subject",)
    assert kept(edition) == base | {"subject": "Ada's", "note": "Eve's"}


def test_the_same_words_wait_for_a_choice_and_nothing_is_lost(edition: Edition, ada: User, eve: User) -> None:
    base = kept(edition)
    known: dict[str, Any] = {"edition_id": edition.id, "now": NOW}
    merging.rewrite(actor=ada, base=base, mine=base | {"subject": "Ada's"}, **known)
    mine = base | {"subject": "Eve's", "note": "Also Eve's"}
    with pytest.raises(merging.Clashing) as caught:
        merging.rewrite(actor=eve, base=base, mine=mine, **known)
    assert caught.value.merge.clashes == (merging.Clash("subject", "Ada's", "Eve's"),)
    assert kept(edition)["note"] == base["note"]
    merging.rewrite(actor=eve, base=caught.value.standing, mine=caught.value.merge.words, **known)
    assert kept(edition) == mine


def test_words_of_a_story_are_merged_alike(edition: Edition, ada: User, eve: User) -> None:
    article = Article.objects.get(headline="Story 1")
    empty = dict.fromkeys(merging.STORY_FIELDS, "")
    seen = {"headline": "Story 1", "standfirst": "About 1.", "picture": ""}
    known: dict[str, Any] = {
        "edition_id": edition.id,
        "article_id": article.id,
        "base": empty,
        "seen": seen,
        "now": NOW,
    }
    merging.override(actor=ada, mine=empty | {"headline": "Ada's"}, **known)
    done = merging.override(actor=eve, mine=empty | {"standfirst": "Eve's"}, **known)
    assert done.taken == ("headline",)
    item = edition.items.get(article=article)
    assert item.overrides == {"headline": "Ada's", "standfirst": "Eve's"}
    with pytest.raises(merging.Clashing, match="Nothing of yours was lost"):
        merging.override(actor=eve, mine=empty | {"headline": "Eve's"}, **known)


def test_what_the_site_changed_while_one_wrote_is_seen_afterwards(edition: Edition, ada: User) -> None:
    article = Article.objects.get(headline="Story 1")
    empty = dict.fromkeys(merging.STORY_FIELDS, "")
    Article.objects.filter(id=article.id).update(headline="Story 1, corrected")
    merging.override(
        edition_id=edition.id, actor=ada, article_id=article.id, base=empty, mine=empty | {"headline": "Ours"},
        seen={"headline": "Story 1"}, now=NOW,
    )  # fmt: skip
    item = edition.items.get(article=article)
    assert changed_since(item) == {"headline": ("Story 1", "Story 1, corrected")}


def test_an_act_on_a_story_nobody_touched_is_done_on_top(edition: Edition, ada: User, eve: User) -> None:
    seen, stood = edition.revision, merging.stands(edition.id)
    placing.leave_out(
        edition_id=edition.id, revision=seen, actor=ada, article_id=number(2), now=NOW
    )  # fmt: skip
    compose(edition_id=edition.id, now=NOW)
    edition.refresh_from_db()
    asked: dict[str, Any] = {"edition_id": edition.id, "actor": eve, "revision": seen}
    for story, order, is_free in (
        (4, False, True),
        (3, False, True),
        (3, True, False),
        (1, True, True),
        (2, False, False),
    ):
        found = merging.revision_for(article_id=number(story), stood=stood[number(story)], order=order, **asked)
        assert (found == edition.revision) == is_free, (story, order)
    assert merging.revision_for(article_id=number(4), stood="", order=False, **asked) == seen


def test_merging_asks_who_may_first(edition: Edition) -> None:
    base = kept(edition)
    with pytest.raises(Refused, match="Your role"):
        merging.rewrite(edition_id=edition.id, actor=staff.ben(), base=base, mine=base, now=NOW)


def test_what_was_approved_meanwhile_is_not_rewritten(edition: Edition, ada: User, eve: User) -> None:
    base = kept(edition)
    review.approve(edition_id=edition.id, revision=edition.revision, actor=ada, now=NOW)
    with pytest.raises(Refused, match="take the approval back first"):
        merging.rewrite(edition_id=edition.id, actor=eve, base=base, mine=base | {"note": "x"}, now=NOW)


def number(story: int) -> int:
    return Article.objects.get(headline=f"Story {story}").id
