"""Of a thread whose story was corrected every part that is wrong is put right, once, whatever happens in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.articles.gates import bulletins
from pipeline.articles.models import Article, Bulletin
from pipeline.channels.base import Gone, Temporary, Unknown
from pipeline.delivery.posting.publish import publish
from pipeline.posts.acts import corrections, ledger
from pipeline.posts.compose import compose
from pipeline.posts.models import Post
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
FIRST = "The harbour opened at dawn on Monday. " + "Islanders waited for calmer water all night. " * 5
LAST = "Fares stay as they were until the spring. " + "The company owns nine ships and leases one more. " * 5
SAID = "The fares were wrong."


def live(network: str) -> tuple[Post, posts.Network]:
    """A story told in three parts."""
    rules = {"formats": ["thread"], "threads": True, "length": 300}
    posts.account(network=network, now=NOW, rules=rules)
    story = articles.article(now=NOW, headline="Port reopens", language="en", text=f"{FIRST}\n{LAST}")
    compose(article_id=story.id, now=NOW)
    post, there = Post.objects.get(), posts.Network()
    assert publish(post_id=post.id, now=NOW, channel=there) == "posted"
    assert len(there.live) == 3
    post.refresh_from_db()
    return post, there


def told(post: Post, kind: str, *, text: str) -> Post | None:
    """The site says something else now."""
    Article.objects.update(version=2, text=text)
    bulletins.say(Article.objects.get(), kind=Bulletin.Kind(kind), now=NOW, said=SAID if kind == "correction" else "")
    corrections.correct(article_id=post.article_id, now=NOW)
    assert corrections.waiting(now=NOW) == [], "and then there is nothing more to do"
    return post.acts.order_by("id").first()


def rung(act: Post, there: posts.Network, *, times: int = 8) -> str:
    for turn in range(times):
        publish(post_id=act.id, now=NOW + timedelta(minutes=10 * turn), channel=there)
    act.refresh_from_db()
    return act.state


DEARER = LAST.replace("stay as they were", "rise by a tenth")


def test_each_part_whose_words_change_is_edited_and_no_other() -> None:
    post, there = live("mastodon")
    before = [one.text for one in there.live]
    act = told(post, "correction", text=f"{FIRST}\n{DEARER}")
    assert act is not None
    assert rung(act, there) == "posted"
    first, second, third = (one.text for one in there.live)
    assert first.startswith(f"Correction: {SAID}")
    assert (second, third) == (before[1], before[2].replace("stay as they were", "rise by a tenth"))
    assert [asked for asked in there.asked if asked.startswith("edit")] == ["edit p1", "edit p3"]
    assert ledger.still_live(now=NOW) == []


def test_an_update_of_a_further_part_alone_leaves_the_first_as_it_is() -> None:
    post, there = live("mastodon")
    act = told(post, "update", text=f"{FIRST}\n{DEARER}")
    assert act is not None
    assert rung(act, there) == "posted"
    assert [asked for asked in there.asked if asked.startswith("edit")] == ["edit p3"]


def test_an_update_elsewhere_in_the_story_makes_no_act() -> None:
    post, _ = live("mastodon")
    assert told(post, "update", text=f"{FIRST}\n{LAST}\nMore in tomorrow’s paper.") is None


@pytest.mark.parametrize("fault", [Temporary("away"), Unknown("cut")])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_an_edit_that_was_cut_off_goes_on_with_the_part_it_was_at(place: int, fault: Exception) -> None:
    post, there = live("mastodon")
    act = told(post, "correction", text=f"{FIRST.replace('dawn', 'noon')}\n{DEARER}")
    assert act is not None
    there.faults = [None] * (place - 1) + [fault]
    assert rung(act, there) == "posted"
    edits = [asked for asked in there.asked if asked.startswith("edit")]
    assert edits == sorted([*(f"edit p{number}" for number in (1, 2, 3)), f"edit p{place}"]), "none is done twice"
    assert ["noon" in one.text for one in there.live] == [False, True, False]
    assert "rise by a tenth" in there.live[2].text


def test_a_part_that_has_no_words_any_more_is_removed() -> None:
    post, there = live("mastodon")
    act = told(post, "correction", text=FIRST)
    assert act is not None
    assert rung(act, there) == "posted"
    assert [one.id for one in there.live] == ["p1", "p2"]
    assert there.live[1].text.endswith(" 2/2")
    taken = posts.post(
        article=post.article, account=post.account, purpose="delete:new", act="delete", about=post, state="due", now=NOW
    )
    assert rung(taken, there) == "posted"
    assert there.live == [], "what is left of it can still be taken down"


def test_a_further_part_that_somebody_removed_is_not_wrong_any_more() -> None:
    post, there = live("mastodon")
    act = told(post, "correction", text=f"{FIRST}\n{DEARER}")
    assert act is not None
    there.faults = [None, Gone("removed")]
    assert rung(act, there) == "posted"


def test_a_story_without_text_is_for_a_person() -> None:
    post, _ = live("mastodon")
    act = told(post, "correction", text="")
    assert act is not None
    assert (act.state, act.code) == ("held", "no_words")
    assert [wrong.next_code for wrong in ledger.still_live(now=NOW)] == ["no_words"]


def test_where_nothing_can_be_edited_each_wrong_part_is_answered() -> None:
    post, there = live("bluesky")
    told(post, "correction", text=f"{FIRST}\n{DEARER}")
    acts = list(post.acts.order_by("id"))
    assert [act.purpose for act in acts] == ["correction:2", "correction:2:part3"]
    assert rung(acts[0], there) == "posted"
    assert len(ledger.still_live(now=NOW)) == 1, "its last part is still wrong"
    assert rung(acts[1], there) == "posted"
    assert [(one.reply_to, one.text.startswith(f"Correction: {SAID}")) for one in there.live[3:]] == [
        ("p1", True), ("p3", True),
    ]  # fmt: skip
    assert ledger.still_live(now=NOW) == []
