"""A thread goes on from its last confirmed part, whatever happened in between, and no part is there twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from pipeline.articles.models import Article
from pipeline.channels.base import Permanent, Temporary, Unanswerable, Unknown
from pipeline.delivery.posting.publish import publish
from pipeline.posts.models import Account, Part, Post, Variant
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
TEXTS = ["Port reopens https://go.example.org/c/1", "The harbour opened at dawn. 2/3", "Fares stay. 3/3"]


def thread(account: Account | None = None) -> Post:
    owner = account or posts.account(now=NOW)
    marker = "https://go.example.org/c/1"
    made = posts.post(
        article=articles.article(now=NOW), account=owner, text=TEXTS[0], marker=marker, state="due", now=NOW
    )
    Variant.objects.filter(post=made).update(parts=TEXTS[1:])
    return made


def rung(post: Post, network: posts.Network, *, times: int = 12) -> str:
    for turn in range(times):
        publish(post_id=post.id, now=NOW + timedelta(minutes=3 * turn), channel=network)
    post.refresh_from_db()
    return post.state


def test_parts_answer_each_other_in_order() -> None:
    network, post = posts.Network(), thread()
    assert publish(post_id=post.id, now=NOW, channel=network) == "posted"
    assert [one.text for one in network.live] == TEXTS
    assert [one.reply_to for one in network.live] == ["", "p1", "p2"]
    post.refresh_from_db()
    assert (post.remote_id, post.remote_url) == ("p1", "https://agora.example/p1")
    assert list(Part.objects.order_by("number").values_list("remote_id", flat=True)) == ["p1", "p2", "p3"]


@pytest.mark.parametrize("error", [Unanswerable("not your conversation"), Permanent("too long")])
def test_a_thread_whose_next_part_is_refused_ends_where_it_stands(error: Permanent) -> None:
    """What is live is known as live: a later correction finds it."""
    network, post = posts.Network(), thread()
    network.faults = [None, error]
    assert publish(post_id=post.id, now=NOW, channel=network) == "posted"
    post.refresh_from_db()
    assert (post.code, post.remote_id, post.params["said"]) == ("thread_cut", "p1", str(error))
    assert publish(post_id=post.id, now=NOW + timedelta(minutes=5), channel=network) is None
    assert [one.text for one in network.live] == TEXTS[:1]


#: For each part: it goes well, the answer is lost after it was placed, or it is lost before.
WELL, AFTER, BEFORE, AWAY = "well", "after", "before", "away"


@pytest.mark.parametrize("story", list(product((WELL, AFTER, BEFORE, AWAY), repeat=3)), ids="-".join)
def test_a_thread_resumes_from_its_last_confirmed_part(story: tuple[str, ...]) -> None:
    network, post = posts.Network(), thread()
    for what in story:
        network.faults.append({BEFORE: Unknown("cut before"), AWAY: Temporary("away")}.get(what))
        network.lost += [] if what in (BEFORE, AWAY) else [Unknown("cut after") if what == AFTER else None]
        network.faults += [None] if what in (BEFORE, AWAY) else []
        network.lost += [None] if what in (BEFORE, AWAY) else []
    assert rung(post, network) == "posted"
    assert [one.text for one in network.live] == TEXTS, "each part once, in order"
    assert [one.reply_to for one in network.live] == ["", "p1", "p2"]


def test_a_thread_that_is_half_out_is_finished_however_late() -> None:
    network, post = posts.Network(), thread()
    network.faults = [None, Temporary("away")]
    publish(post_id=post.id, now=NOW, channel=network)
    late = NOW + timedelta(hours=9)
    assert publish(post_id=post.id, now=late, channel=network) == "posted"
    assert len(network.live) == 3


def test_a_thread_whose_story_is_killed_halfway_counts_as_live_so_that_it_is_taken_down() -> None:
    network, post = posts.Network(), thread()
    network.faults = [None, Temporary("away")]
    publish(post_id=post.id, now=NOW, channel=network)
    Article.objects.update(state="killed")
    assert publish(post_id=post.id, now=NOW + timedelta(minutes=5), channel=network) is None
    post.refresh_from_db()
    assert (post.state, post.code, post.remote_id) == ("posted", "cut_short", "p1")
    assert len(network.live) == 1


def test_all_parts_are_taken_down_the_last_first() -> None:
    network, post = posts.Network(), thread()
    publish(post_id=post.id, now=NOW, channel=network)
    act = posts.post(
        article=post.article, account=post.account, purpose="delete:new", act="delete", about=post, state="due", now=NOW
    )
    assert publish(post_id=act.id, now=NOW, channel=network) == "posted"
    assert network.asked[-3:] == ["delete p3", "delete p2", "delete p1"]
    post.refresh_from_db()
    assert post.state == "deleted"


def test_a_thread_is_paid_for_whole() -> None:
    post = thread(posts.account(network="x", now=NOW))
    publish(post_id=post.id, now=NOW, channel=posts.Network())
    post.refresh_from_db()
    assert str(post.cost_usd) == "0.230"  # one part with a link, two without
