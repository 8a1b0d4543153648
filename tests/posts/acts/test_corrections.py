"""What was wrong is put right everywhere it is live, by what each network can do, and the ledger knows what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.articles.gates import bulletins, holds
from pipeline.articles.models import Article, Bulletin
from pipeline.channels.base import Temporary, Unanswerable
from pipeline.channels.registry import Can
from pipeline.delivery.posting.publish import publish
from pipeline.engagement.models import Event, Link
from pipeline.posts.acts import corrections, ledger, notes, review
from pipeline.posts.compose import compose
from pipeline.posts.models import Account, Post
from pipeline.posts.rules.remedies import Remedy, Way, label, remedy
from pipeline.staff.models import User
from tests.factories import articles, posts, staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
SAID = "An earlier version named the wrong minister."


def live(network: str, **fields: Any) -> tuple[Post, posts.Network]:
    """A story posted on this network."""
    account = posts.account(network=network, handle=f"@{network}", now=NOW, **fields)
    story = Article.objects.first() or articles.article(now=NOW, headline="Minister Sá resigns", language="en")
    compose(article_id=story.id, now=NOW)
    post, there = Post.objects.get(account=account), posts.Network()
    assert publish(post_id=post.id, now=NOW, channel=there) == "posted"
    post.refresh_from_db()
    return post, there


def told(kind: str, *, headline: str = "Minister Roux resigns", said: str = SAID) -> Article:
    """The site says something else now, or a person killed the story."""
    story = Article.objects.get()
    if kind == "kill":
        holds.kill(article_id=story.id, actor=None, now=NOW, reason="it never happened")
    else:
        gone = {"state": "gone"} if kind in ("gone", "retraction") else {}
        story.version += kind != "gone"
        Article.objects.update(version=story.version, headline=headline, **gone)
        bulletins.say(story, kind=Bulletin.Kind(kind), now=NOW, said=said)
    return Article.objects.get()


def corrected(post: Post) -> Post | None:
    """The act that the sweep and its job make about a post."""
    assert corrections.waiting(now=NOW) == [post.article_id]
    corrections.correct(article_id=post.article_id, now=NOW)
    assert corrections.waiting(now=NOW) == [], "and then there is nothing more to do"
    assert corrections.correct(article_id=post.article_id, now=NOW) == 0
    return post.acts.first()


CAN = {"edit": Can(edit=True, reply=True), "reply": Can(reply=True), "none": Can()}


@pytest.mark.parametrize(
    ("kind", "can", "delete", "cure"),
    [
        ("update", "edit", "ask", Remedy(Way.EDIT)),
        ("update", "reply", "ask", None),
        ("correction", "edit", "ask", Remedy(Way.EDIT)),
        ("correction", "reply", "ask", Remedy(Way.REPLY, relink=True)),
        ("correction", "none", "ask", Remedy(Way.PUBLISH, relink=True)),
        ("retraction", "edit", "ask", Remedy(Way.DELETE, ask=True, relink=True)),
        ("gone", "none", "alone", Remedy(Way.DELETE, relink=True)),
        ("kill", "reply", "alone", Remedy(Way.DELETE, relink=True)),
        ("new", "edit", "ask", None),
    ],
)
def test_severity_and_network_decide(kind: str, can: str, delete: str, cure: Remedy | None) -> None:
    assert remedy(kind, can=CAN[can], delete=delete) == cure


@pytest.mark.parametrize(("language", "word"), [("en-GB", "Correction"), ("de", "Korrektur"), ("xx", "Correction")])
def test_a_correction_is_called_one(language: str, word: str) -> None:
    assert label(language) == word


def test_a_correction_is_edited_in_where_readers_see_edits() -> None:
    post, there = live("mastodon")
    told("correction")
    act = corrected(post)
    assert act is not None and (act.act, act.about_id, act.state, act.marker) == ("edit", post.id, "due", post.marker)
    assert publish(post_id=act.id, now=NOW, channel=there) == "posted"
    assert len(there.live) == 1
    assert there.live[0].text.startswith(f"Correction: {SAID}\n\nMinister Roux resigns")
    assert post.marker in there.live[0].text
    post.refresh_from_db()
    assert (post.version, post.state) == (2, "posted")
    assert ledger.still_live(now=NOW) == []


def test_it_is_said_in_a_reply_where_edits_are_not_seen() -> None:
    post, there = live("bluesky")
    told("correction")
    act = corrected(post)
    assert act is not None and act.act == "reply"
    assert act.marker != post.marker, "it is found by a link of its own"
    assert publish(post_id=act.id, now=NOW, channel=there) == "posted"
    assert there.live[1].reply_to == post.remote_id
    assert there.live[1].text.startswith(f"Correction: {SAID}")
    assert ledger.still_live(now=NOW) == []


def test_it_is_said_in_a_post_of_its_own_where_neither_is_possible() -> None:
    post, there = live("agora")
    told("correction", said="Correction: the minister’s name is Roux.")
    act = corrected(post)
    assert act is not None and (act.act, act.purpose) == ("publish", "correction:2")
    assert publish(post_id=act.id, now=NOW, channel=there) == "posted"
    assert there.live[1].text.startswith("Correction: the minister’s name is Roux.")
    assert there.live[1].reply_to == ""


def test_it_is_said_in_a_post_of_its_own_where_answers_are_refused() -> None:
    """X answers are for those who were asked; whether one's own posts may be answered, it does not say."""
    post, there = live("x")
    told("correction")
    act = corrected(post)
    assert act is not None and act.act == "reply"
    there.faults.append(Unanswerable("X answered 403: Reply to this conversation is not allowed"))
    assert publish(post_id=act.id, now=NOW, channel=there) == "due"
    act.refresh_from_db()
    assert (act.act, act.code) == ("publish", "not_as_an_answer")
    assert publish(post_id=act.id, now=NOW, channel=there) == "posted"
    assert [one.reply_to for one in there.live] == ["", ""]
    assert there.live[1].text.startswith(f"Correction: {SAID}")
    assert ledger.still_live(now=NOW) == []


def test_an_update_is_edited_in_quietly_and_elsewhere_is_no_wrong() -> None:
    post, there = live("mastodon")
    told("update")
    act = corrected(post)
    assert act is not None
    publish(post_id=act.id, now=NOW, channel=there)
    assert there.live[0].text.startswith("Minister Roux resigns")


def test_a_post_told_as_a_quote_is_reworded_as_one_while_the_quote_is_there() -> None:
    said = "“We will reopen the port before the winter,” said Amara Diallo on Sunday."
    story = articles.article(
        now=NOW, headline="Minister Sá resigns", language="en", text=f"Rain fell. {said} Then he left."
    )
    post, _ = live("mastodon", rules={"formats": ["quote"]})
    assert post.format == "quote"
    told("update")
    act = corrected(post)
    assert act is not None
    words = act.variants.get().text
    assert words.startswith("“We will reopen the port before the winter” – Amara Diallo\n\nMinister Roux resigns")
    Article.objects.filter(id=story.id).update(text="Rain fell. Then he left.")
    told("update", headline="Minister Roux leaves")
    corrections.correct(article_id=story.id, now=NOW)
    assert post.acts.latest("id").variants.get().text.startswith("Minister Roux leaves")


@pytest.mark.parametrize("network", ["mastodon", "x"])
def test_an_update_that_changes_no_word_of_a_post_makes_no_act(network: str) -> None:
    post, _ = live(network)
    told("update", headline="Minister Sá resigns" if network == "mastodon" else "Minister Roux resigns")
    assert corrected(post) is None
    assert ledger.still_live(now=NOW) == []


@pytest.mark.parametrize("kind", ["retraction", "gone", "kill"])
def test_what_was_withdrawn_is_deleted_once_a_person_confirms(kind: str) -> None:
    post, there = live("mastodon")
    editor: User = staff.ada()
    told(kind)
    act = corrected(post)
    assert act is not None and (act.act, act.state, act.code) == ("delete", "draft", "confirm_delete")
    assert publish(post_id=act.id, now=NOW, channel=there) is None
    [wrong] = ledger.still_live(now=NOW)
    assert (wrong.post_id, wrong.kind, wrong.act_id, wrong.next_state) == (post.id, kind, act.id, "draft")
    review.approve(post_id=act.id, actor=editor, now=NOW)
    assert publish(post_id=act.id, now=NOW, channel=there) == "posted"
    assert there.live == []
    post.refresh_from_db()
    assert post.state == "deleted"
    assert ledger.still_live(now=NOW) == []


def test_rules_may_say_that_it_is_deleted_at_once() -> None:
    post, _ = live("x", rules={"corrections": {"delete": "alone"}})
    told("kill")
    act = corrected(post)
    assert act is not None and act.state == "due"


@pytest.mark.parametrize("kind", ["kill", "gone", "retraction", "correction"])
@pytest.mark.parametrize("note", ["https://paper.example/corrections", ""])
def test_the_link_of_words_that_stay_wrong_leads_to_the_note_at_once(kind: str, note: str) -> None:
    post, _ = live("bluesky", rules={"corrections": {"note": note}})
    before = Link.objects.get(origin_id=post.origin_id)
    story = told(kind)
    corrected(post)
    after = Link.objects.get(origin_id=post.origin_id)
    assert after.url == (note or notes.address(story.id))
    assert after.revision > before.revision, "the tracking door hears of it"


def test_the_link_of_words_that_are_edited_leads_to_the_story() -> None:
    post, _ = live("mastodon")
    story = told("correction")
    corrected(post)
    assert Link.objects.get(origin_id=post.origin_id).url == story.url


def test_a_deletion_that_fails_stays_on_the_ledger_with_its_reason() -> None:
    post, there = live("mastodon", rules={"corrections": {"delete": "alone"}})
    told("kill")
    act = corrected(post)
    assert act is not None
    there.faults = [Temporary("away")] * 9
    for turn in range(9):
        publish(post_id=act.id, now=NOW + timedelta(hours=turn), channel=there)
    [wrong] = ledger.still_live(now=NOW)
    assert (wrong.next_act, wrong.next_state, wrong.next_code) == ("delete", "held", "gave_up")


def test_the_ledger_counts_the_people_who_followed_the_link() -> None:
    post, _ = live("mastodon")
    for number, verdict in enumerate(("human", "human", "scanner")):
        Event.objects.create(
            id=bytes([number]) * 16, at=NOW, kind="click", origin_id=post.origin_id, ordinal=0, link=0, channel="social",
            person=b"1", network=b"1", method="GET", verdict=verdict,
        )  # fmt: skip
    told("correction")
    [wrong] = ledger.still_live(now=NOW)
    assert (wrong.clicks, wrong.act_id, wrong.said, wrong.since) == (2, None, SAID, NOW)


def test_a_post_that_goes_live_after_the_kill_is_taken_down_too() -> None:
    """Its answer was lost; when it is found, the story is dead."""
    post, _ = live("mastodon", rules={"corrections": {"delete": "alone"}})
    Post.objects.filter(id=post.id).update(state="unknown")
    told("kill")
    assert corrections.waiting(now=NOW) == []
    Post.objects.filter(id=post.id).update(state="posted")
    act = corrected(post)
    assert act is not None and act.act == "delete"


def test_a_correction_answers_only_what_is_older() -> None:
    post, there = live("bluesky")
    told("correction")
    first = corrected(post)
    assert first is not None
    publish(post_id=first.id, now=NOW, channel=there)
    told("correction", said="It was the deputy minister.")
    corrections.correct(article_id=post.article_id, now=NOW)
    assert set(post.acts.values_list("purpose", flat=True)) == {"correction:2", "correction:3"}
    told("kill")
    corrections.correct(article_id=post.article_id, now=NOW)
    deletes = Post.objects.filter(act="delete")
    assert set(deletes.values_list("about_id", flat=True)) == {post.id, first.id}, "the correction goes as well"


def test_a_page_that_comes_back_is_no_wrong_any_more() -> None:
    post, _ = live("mastodon")
    told("gone")
    Article.objects.update(state="eligible", code="back")
    assert corrections.waiting(now=NOW) == []
    assert ledger.still_live(now=NOW) == []
    assert post.acts.count() == 0


def test_a_draft_is_worded_again_and_asks_again() -> None:
    account = posts.account(now=NOW, approval=True)
    story = articles.article(now=NOW, headline="Minister Sá resigns")
    compose(article_id=story.id, now=NOW)
    post = Post.objects.get()
    Post.objects.update(state="due")  # approved
    told("update")
    assert corrections.waiting(now=NOW) == [story.id]
    corrections.correct(article_id=story.id, now=NOW)
    post.refresh_from_db()
    assert (post.state, post.code, post.version) == ("draft", "changed_since", 2)
    assert post.variants.get(chosen=True).text.startswith("Minister Roux")
    assert Account.objects.get() == account


def test_the_gravest_of_several_is_acted_upon_once() -> None:
    post, _ = live("mastodon")
    told("update")
    told("correction")
    act = corrected(post)
    assert act is not None and (act.purpose, post.acts.count()) == ("correction:3", 1)
