"""One process renews a token, a lost login stops the account and not its posts, and patience is shared."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from pipeline.channels.base import (
    Capacity,
    Expired,
    Gone,
    Keys,
    Limits,
    Permanent,
    RateLimited,
    Spent,
    Temporary,
    Unauthorised,
)
from pipeline.channels.social.wire import limits_said
from pipeline.delivery.posting import access
from pipeline.delivery.posting.metrics import measure
from pipeline.delivery.posting.publish import publish
from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal, unseal
from pipeline.posts import measuring
from pipeline.posts.models import Account, Post
from pipeline.posts.rules import patience
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


def account(**fields: Any) -> Account:
    made = posts.account(now=NOW, **fields)
    made.credentials = seal({"token": "old"}, secrets=[config().secret_key], bound_to=str(made))
    made.save()
    return made


def due(owner: Account, **fields: Any) -> Post:
    return posts.post(article=articles.article(now=NOW), account=owner, state="due", now=NOW, **fields)


def keys_of(owner: Account) -> dict[str, str]:
    owner.refresh_from_db()
    return dict(unseal(owner.credentials, secrets=[config().secret_key], bound_to=str(owner)))


def test_a_token_about_to_run_out_is_renewed_before_the_call() -> None:
    owner = account(token_until=NOW + access.MARGIN - timedelta(seconds=1))
    network = posts.Renewing(Keys({"token": "new"}, until=LATER))
    assert publish(post_id=due(owner).id, now=NOW, channel=network) == "posted"
    assert network.asked == ["refresh", "publish"]
    assert keys_of(owner) == {"token": "new"}
    assert (owner.token_until, owner.refreshing_until) == (LATER, None)
    assert publish(post_id=due(owner).id, now=NOW, channel=network) == "posted"
    assert network.asked.count("refresh") == 1


def test_a_token_that_ran_out_in_the_call_is_renewed_and_the_post_tried_again() -> None:
    owner, network = account(), posts.Renewing(Keys({"token": "new"}, until=LATER))
    network.faults = [Expired("401")]
    post = due(owner)
    assert publish(post_id=post.id, now=NOW, channel=network) == "due"
    assert keys_of(owner) == {"token": "new"}
    assert publish(post_id=post.id, now=NOW + timedelta(seconds=6), channel=network) == "posted"


def test_while_another_renews_a_token_that_still_lasts_is_used_and_one_that_does_not_waits() -> None:
    owner = account(token_until=NOW + timedelta(minutes=5), refreshing_until=NOW + timedelta(seconds=30))
    network = posts.Renewing(Keys({"token": "new"}, until=LATER))
    assert publish(post_id=due(owner).id, now=NOW, channel=network) == "posted"
    Account.objects.update(token_until=NOW)
    post = due(owner)
    assert publish(post_id=post.id, now=NOW, channel=network) == "due"
    assert network.asked == ["publish"]
    after = NOW + timedelta(seconds=40)
    assert publish(post_id=post.id, now=after, channel=network) == "posted", "who renews and dies is followed"


def test_a_login_that_is_lost_stops_the_account_and_keeps_its_posts() -> None:
    owner, network = account(), posts.Network()
    network.faults = [Unauthorised("the app was removed")]
    post = due(owner)
    assert publish(post_id=post.id, now=NOW, channel=network) == "due"
    post.refresh_from_db()
    assert (post.code, post.params) == ("reconnect", {"said": "the app was removed"})
    owner.refresh_from_db()
    assert (owner.state, owner.said) == ("broken", "the app was removed")
    assert publish(post_id=post.id, now=NOW, channel=network) is None
    Account.objects.update(state="active")
    assert publish(post_id=post.id, now=NOW, channel=network) == "posted"


def test_a_refresh_that_is_refused_stops_the_account() -> None:
    owner = account(token_until=NOW)
    network = posts.Renewing(Unauthorised("consent was withdrawn"))
    assert publish(post_id=due(owner).id, now=NOW, channel=network) == "due"
    owner.refresh_from_db()
    assert (owner.state, owner.refreshing_until) == ("broken", None)


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [(Spent("pay first"), "held", "network_spent"), (Permanent("no"), "rejected", "refused"), (Gone("no"), "rejected", "refused"), (Temporary("away"), "due", "waiting")],
)  # fmt: skip
def test_each_refusal_has_its_end(error: Exception, state: str, code: str) -> None:
    network, post = posts.Network(), due(account())
    network.faults = [error]
    assert publish(post_id=post.id, now=NOW, channel=network) == state
    post.refresh_from_db()
    assert post.code == code


@pytest.mark.parametrize(("scope", "others"), [("account", None), ("app", NOW + timedelta(seconds=900))])
def test_patience_is_shared_as_far_as_the_network_says(scope: str, others: datetime | None) -> None:
    owner, sibling = account(handle="@a", app="desk"), account(handle="@b", app="desk")
    stranger = account(handle="@c", app="other")
    network = posts.Network()
    network.faults = [RateLimited("slow", retry_after_s=900, scope=scope)]
    publish(post_id=due(owner).id, now=NOW, channel=network)
    for row in (owner, sibling, stranger):
        row.refresh_from_db()
    assert owner.limited_until == NOW + timedelta(seconds=900)
    assert sibling.limited_until == others
    assert stranger.limited_until is None
    waiting = due(owner)
    assert publish(post_id=waiting.id, now=NOW, channel=network) is None
    assert len(network.asked) == 1, "nobody asks a network that asked for patience"
    assert publish(post_id=waiting.id, now=NOW + timedelta(seconds=901), channel=network) == "posted"


def test_a_window_that_is_used_up_is_not_tried() -> None:
    owner, network = account(), posts.Network()
    network.limits = Limits(remaining=0, reset_at=NOW + timedelta(minutes=7))
    assert publish(post_id=due(owner).id, now=NOW, channel=network) == "posted"
    owner.refresh_from_db()
    assert owner.limited_until == NOW + timedelta(minutes=7)
    network.limits = Limits(remaining=40, reset_at=NOW + timedelta(minutes=20))
    assert publish(post_id=due(owner).id, now=NOW + timedelta(minutes=8), channel=network) == "posted"
    owner.refresh_from_db()
    assert owner.limited_until is None


def test_a_longer_wait_is_not_shortened() -> None:
    owner = account(limited_until=NOW + timedelta(hours=1))
    access.note_patience(owner, RateLimited("slow"), wait_s=5, now=NOW)
    owner.refresh_from_db()
    assert owner.limited_until == NOW + timedelta(hours=1)


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_one_renews() -> None:
    owner = account(token_until=NOW)
    asked: list[int] = []
    together = threading.Barrier(4)

    class Counting(posts.Renewing):
        def refresh(self) -> Keys:
            asked.append(1)
            time.sleep(0.2)
            return Keys({"token": "new"}, until=LATER)

    def worker() -> None:
        mine = Account.objects.get(id=owner.id)
        try:
            together.wait()
            access.renew(mine, Counting(Keys({})), now=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [1]
    assert keys_of(owner) == {"token": "new"}


# -- the reserve


NEARLY = Limits(remaining=4, reset_at=NOW + timedelta(minutes=10), size=100)


@pytest.mark.parametrize(
    ("size", "remaining", "keeps"),
    [
        (100, 5, False),
        (100, 4, True),
        (300, 12, True),
        (300, 13, False),
        (5, 1, True),
        (None, 1, True),
        (None, 2, False),
    ],
)
def test_a_few_per_cent_of_a_window_are_kept_back(size: int | None, remaining: int, keeps: bool) -> None:
    owner = account()
    access.note_limits(owner, Limits(remaining=remaining, reset_at=LATER, size=size))
    owner.refresh_from_db()
    assert (patience.kept_until(owner), owner.limited_until) == (LATER if keeps else None, None)


def test_what_is_kept_back_is_for_breaking_news_and_for_what_puts_right() -> None:
    owner, network = account(), posts.Network()
    network.limits = NEARLY
    wrong = due(owner)
    assert publish(post_id=wrong.id, now=NOW, channel=network) == "posted"
    waits = due(owner)
    assert publish(post_id=waits.id, now=NOW, channel=network) is None
    waits.refresh_from_db()
    assert (waits.code, waits.due_at) == ("limited", NEARLY.reset_at)
    for fields in (
        {"is_breaking": True},
        {"act": "reply", "about": wrong},
        {"about": wrong},
        {"act": "delete", "about": wrong},
    ):
        assert publish(post_id=due(owner, **fields).id, now=NOW, channel=network) == "posted", fields
    assert publish(post_id=waits.id, now=NOW + timedelta(minutes=10), channel=network) == "posted"


def test_nobody_is_measured_with_what_is_kept_back() -> None:
    owner = account(network="mastodon")
    due(owner, remote_id="p1", posted_at=NOW - timedelta(hours=2))
    Post.objects.update(state="posted", code="")
    assert measuring.waiting(now=NOW) == [owner.id]
    access.note_limits(owner, NEARLY)
    assert measuring.waiting(now=NOW) == []
    assert measure(account_id=owner.id, now=NOW, channel=posts.Network()) == 0
    assert measuring.waiting(now=NOW + timedelta(minutes=10)) == [owner.id]


def test_a_reserve_is_shared_by_the_app_and_what_else_the_network_told_is_kept() -> None:
    owner, sibling = account(handle="@a", app="desk"), account(handle="@b", app="desk", capacity={"limit": 500})
    stranger = account(handle="@c")
    access.note_limits(owner, Limits(remaining=2, reset_at=LATER, scope="app", size=100))
    access.note_limits(owner, Limits(remaining=1, reset_at=NOW, scope="app", size=100))
    for row in (owner, sibling, stranger):
        row.refresh_from_db()
    assert [patience.kept_until(row) for row in (owner, sibling, stranger)] == [LATER, LATER, None]
    assert sibling.capacity["limit"] == 500


def test_the_size_of_a_window_is_read_from_its_headers() -> None:
    told = limits_said({"x-rate-limit-remaining": "4", "x-rate-limit-limit": "100"}, window="x-rate-limit")
    assert told is not None
    assert (told.remaining, told.size) == (4, 100)


class Roomy(posts.Network):
    """A server that tells its own limits, or the error it raises instead."""

    def __init__(self, told: Capacity | Exception) -> None:
        super().__init__()
        self._told = told

    def capacity(self) -> Capacity:
        self.asked.append("capacity")
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


def test_a_servers_own_limits_are_read_once_a_day_and_kept_beside_what_else_is_known() -> None:
    network = Roomy(Capacity(limit=5000, link_length=23, media=6))
    owner = account(capacity={"kept_until": "2026-01-01T00:00:00+00:00"}, stale_after_s=172800)
    for hours in (0, 1, 25):
        publish(post_id=due(owner).id, now=NOW + timedelta(hours=hours), channel=network)
    assert network.asked.count("capacity") == 2
    owner.refresh_from_db()
    at = (NOW + timedelta(hours=25)).isoformat()
    known = {"limit": 5000, "media": 6, "at": at, "kept_until": "2026-01-01T00:00:00+00:00"}
    assert owner.capacity == known


def test_limits_that_cannot_be_read_cost_the_post_nothing_and_are_not_asked_again_at_once() -> None:
    network, owner = Roomy(Temporary("no answer")), account(capacity={"limit": 700})
    for hours in (0, 1):
        assert publish(post_id=due(owner).id, now=NOW + timedelta(hours=hours), channel=network) == "posted"
    assert network.asked.count("capacity") == 1
    owner.refresh_from_db()
    assert owner.capacity["limit"] == 700
