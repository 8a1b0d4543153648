"""People decide about posts: what they may, when they may, and the journal has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.delivery.posting.publish import publish
from pipeline.posts.acts import review
from pipeline.posts.acts.review import Refused
from pipeline.posts.models import Post, Variant
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import articles, posts, staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)


def made(state: str = "draft", **fields: Any) -> Post:
    account = posts.account(now=NOW, **fields.pop("account", {}))
    return posts.post(article=articles.article(now=NOW), account=account, state=state, now=NOW, **fields)


def fresh(post: Post) -> Post:
    post.refresh_from_db()
    return post


@pytest.fixture
def editor() -> User:
    return staff.ada()


def test_a_draft_that_is_approved_leaves_by_its_rules(editor: User) -> None:
    post = made(account={"rules": {"quiet": ["11:00", "13:00"]}, "approval": True})
    review.approve(post_id=post.id, actor=editor, now=NOW)
    assert (fresh(post).state, post.code, post.due_at) == ("due", "quiet_hours", NOW + timedelta(hours=1))
    assert JournalEntry.objects.get().verb == "approve"


def test_the_time_it_waited_for_a_person_does_not_make_it_stale(editor: User) -> None:
    post = made(created_at=NOW - timedelta(hours=5, minutes=59))
    review.approve(post_id=post.id, actor=editor, now=NOW)
    assert publish(post_id=post.id, now=NOW + timedelta(minutes=10), channel=posts.Network()) == "posted"


def test_held_is_held_until_somebody_lets_it_go(editor: User) -> None:
    post, network = made("due"), posts.Network()
    review.hold(post_id=post.id, actor=editor, now=NOW, reason="wait for the family")
    assert publish(post_id=post.id, now=NOW, channel=network) is None
    assert (fresh(post).state, post.code, post.params["why"]) == ("held", "by_person", "wait for the family")
    review.approve(post_id=post.id, actor=editor, now=NOW)
    assert publish(post_id=post.id, now=NOW, channel=network) == "posted"


def test_an_embargo_by_a_person_is_a_lower_bound(editor: User) -> None:
    post, network = made("due"), posts.Network()
    until = NOW + timedelta(hours=20)
    review.postpone(post_id=post.id, actor=editor, now=NOW, until=until)
    assert publish(post_id=post.id, now=until - timedelta(seconds=1), channel=network) is None
    assert publish(post_id=post.id, now=until, channel=network) == "posted"
    with pytest.raises(Refused):
        review.postpone(post_id=made("due", account={"handle": "@b"}).id, actor=editor, now=NOW, until=NOW)


def test_cancelled_never_leaves(editor: User) -> None:
    post = made("due")
    review.cancel(post_id=post.id, actor=editor, now=NOW, reason="said enough")
    assert publish(post_id=post.id, now=NOW, channel=posts.Network()) is None
    assert (fresh(post).state, post.code) == ("cancelled", "by_person")


def test_another_way_to_say_it_can_be_chosen(editor: User) -> None:
    post = made()
    other = Variant.objects.create(post=post, tone="neutral quote", text="“Never seen”", length=12)
    review.choose(post_id=post.id, variant_id=other.id, actor=editor, now=NOW)
    assert (post.variants.get(chosen=True).id, fresh(post).format) == (other.id, "quote")
    with pytest.raises(Refused):
        review.choose(post_id=post.id, variant_id=10**9, actor=editor, now=NOW)


def test_what_cannot_be_read_back_is_for_a_person_to_settle(editor: User) -> None:
    live, absent = made("unknown"), made("unknown", account={"handle": "@b"})
    network = posts.Network()
    network.unreadable = True
    for post in (live, absent):
        assert publish(post_id=post.id, now=NOW, channel=network) == "held"
        assert fresh(post).code == "cannot_read_back"
        with pytest.raises(Refused, match="may be live"):
            review.approve(post_id=post.id, actor=editor, now=NOW)
        with pytest.raises(Refused, match="may be live"):
            review.cancel(post_id=post.id, actor=editor, now=NOW)
    review.settle(post_id=live.id, is_live=True, actor=editor, now=NOW, remote_id="77")
    assert (fresh(live).state, live.code, live.remote_id) == ("posted", "seen_by_person", "77")
    review.settle(post_id=absent.id, is_live=False, actor=editor, now=NOW)
    assert publish(post_id=absent.id, now=NOW, channel=network) == "posted"
    with pytest.raises(Refused, match="not be settled"):
        review.settle(post_id=live.id, is_live=True, actor=editor, now=NOW)


def test_a_live_post_is_taken_down_by_a_row_of_its_own(editor: User) -> None:
    post, network = made("due"), posts.Network()
    publish(post_id=post.id, now=NOW, channel=network)
    row = review.take_down(post_id=post.id, actor=editor, now=NOW, reason="wrong picture")
    assert review.take_down(post_id=post.id, actor=editor, now=NOW).id == row.id
    assert publish(post_id=row.id, now=NOW, channel=network) == "posted"
    assert (network.live, fresh(post).state) == ([], "deleted")
    assert JournalEntry.objects.filter(verb="take_down").count() == 1


def test_a_post_nobody_knows_where_to_find_cannot_be_taken_down(editor: User) -> None:
    with pytest.raises(Refused, match="where to find"):
        review.take_down(post_id=made("posted").id, actor=editor, now=NOW)


ACTS: list[tuple[Callable[..., Any], tuple[str, ...]]] = [
    (review.approve, ("draft", "held")),
    (review.hold, ("draft", "due")),
    (review.cancel, ("draft", "due", "held")),
]


@pytest.mark.parametrize(("act", "states"), ACTS, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("state", Post.State.values)
def test_an_act_is_checked_against_the_row_as_it_is(
    act: Callable[..., Any], states: tuple[str, ...], state: str, editor: User
) -> None:
    post = made(state)
    if state in states:
        act(post_id=post.id, actor=editor, now=NOW)
        return
    with pytest.raises(Refused, match=f"is {state}"):
        act(post_id=post.id, actor=editor, now=NOW)
    assert fresh(post).state == state
    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize(("role", "may"), [(role, role != Role.VIEWER) for role in Role])
def test_a_viewer_looks_and_does_not_touch(role: Role, may: bool, editor: User) -> None:
    editor.role = role
    post = made("due")
    if may:
        review.hold(post_id=post.id, actor=editor, now=NOW)
    else:
        with pytest.raises(Refused, match="Your role"):
            review.hold(post_id=post.id, actor=editor, now=NOW)
