"""A live post is read back as proof, then measured at a few ages, within the account's money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.channels.base import Metrics, RateLimited, Unauthorised
from pipeline.delivery.posting.metrics import measure, proof
from pipeline.engagement.models import Origin, Response
from pipeline.posts import measuring
from pipeline.posts.models import Account, Charge, Part, Post
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)


def live(network: str = "mastodon", *, text: str = "Port reopens", age_h: float = 0.5, there: posts.Network | None = None, **fields: Any) -> tuple[Post, posts.Network]:  # fmt: skip
    account = Account.objects.first() or posts.account(network=network, now=NOW, **fields)
    world = there or posts.Network()
    number = len(world.live) + 1
    world.live.append(posts.Live(f"p{number}", text, "m"))
    made = posts.post(
        article=articles.article(now=NOW), account=account, text="Port reopens", state="posted", now=NOW,
        remote_id=f"p{number}", posted_at=NOW - timedelta(hours=age_h),
        origin=Origin.objects.create(id=number, kind="post", started_at=NOW),
    )  # fmt: skip
    return made, world


@pytest.mark.parametrize(
    ("text", "code", "verified"),
    [("Port  reopens\n", "", True), ("Port re", "differs", False), ("Port reopens!", "differs", False)],
)
def test_a_post_is_proved_by_reading_it_back(text: str, code: str, verified: bool) -> None:
    post, there = live(text=text)
    assert measuring.waiting(now=NOW) == [post.account_id]
    assert measure(account_id=post.account_id, now=NOW, channel=there) == 1
    post.refresh_from_db()
    assert (post.code, post.verified_at == NOW, post.state) == (code, verified, "posted")
    assert measure(account_id=post.account_id, now=NOW, channel=there) == 0, "once"


def test_a_post_that_was_edited_while_it_was_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    post, there = live()

    def edited(remote_id: str) -> str:
        Post.objects.filter(id=post.id).update(version=post.version + 1, verified_at=None, code="")
        return "Port stays closed"

    monkeypatch.setattr(there, "read", edited)
    measure(account_id=post.account_id, now=NOW, channel=there)
    post.refresh_from_db()
    assert (post.code, post.verified_at) == ("", None), "what was compared is not what it says now"


def test_a_post_that_is_not_there_any_more_says_so() -> None:
    post, there = live()
    there.live.clear()
    measure(account_id=post.account_id, now=NOW, channel=there)
    post.refresh_from_db()
    assert post.code == "vanished"


def test_composed_and_decomposed_letters_read_the_same() -> None:
    assert proof("Caf\u00e9", "Cafe\u0301", now=NOW) == {"verified_at": NOW}


@pytest.mark.parametrize(("second", "code"), [("Two of two", ""), ("Two of", "differs"), (None, "vanished")])
def test_every_part_of_a_thread_is_read_back(second: str | None, code: str) -> None:
    post, there = live()
    for number, (remote_id, text) in enumerate([("p1", "Port reopens"), ("p1b", "Two of two")], start=1):
        Part.objects.create(post=post, number=number, text=text, remote_id=remote_id, posted_at=NOW)
    if second is not None:
        there.live.append(posts.Live("p1b", second, "m"))
    measure(account_id=post.account_id, now=NOW, channel=there)
    post.refresh_from_db()
    assert (post.code, post.verified_at) == (code, None if code else NOW)


def test_it_is_measured_at_a_few_ages() -> None:
    post, there = live(age_h=0)
    seen = []
    for hours in range(200):
        now = NOW + timedelta(hours=hours)
        there.counts = Metrics(likes=hours, impressions=hours * 10)
        if measuring.unmeasured(post.account, now=now).exists():
            measure(account_id=post.account_id, now=now, channel=there)
            seen.append(hours)
    assert seen == [1, 6, 24, 72, 168]
    last = Response.objects.latest("at")
    assert (last.likes, last.impressions, last.replies) == (168, 1680, None)


def test_posts_are_asked_about_together() -> None:
    _, there = live(age_h=2)
    for _ in range(29):
        live(age_h=2, there=there)
    account = Account.objects.get()
    assert measure(account_id=account.id, now=NOW, channel=there) == 60
    assert [asked for asked in there.asked if asked.startswith("metrics")] == ["metrics 25", "metrics 5"]
    assert Response.objects.count() == 30


def test_reading_is_paid_for_first_and_left_alone_where_the_money_does_not_reach() -> None:
    post, there = live("x", age_h=2, budget_usd=Decimal("0.01"))
    Charge.objects.create(account=post.account, act="post", usd=Decimal("0.008"), at=NOW, key="earlier")
    assert measure(account_id=post.account_id, now=NOW, channel=there) == 2
    assert [one.usd for one in Charge.objects.filter(act="read")] == [Decimal("0.001")] * 2
    assert measure(account_id=post.account_id, now=NOW + timedelta(hours=6), channel=there) == 0
    assert there.asked == ["read p1", "metrics 1"]


@pytest.mark.parametrize(("network", "reads"), [("agora", False), ("telegram", False), ("mastodon", True)])
def test_a_network_that_cannot_be_read_is_not_asked(network: str, reads: bool) -> None:
    post, there = live(network, age_h=2)
    assert bool(measuring.waiting(now=NOW)) is reads
    assert bool(measure(account_id=post.account_id, now=NOW, channel=there)) is reads


def test_patience_and_a_lost_login_are_noted() -> None:
    post, there = live(age_h=2)

    class Refusing(posts.Network):
        error: Exception = RateLimited("slow", retry_after_s=60)

        def read(self, remote_id: str) -> str | None:
            raise self.error

    measure(account_id=post.account_id, now=NOW, channel=Refusing())
    assert Account.objects.get().limited_until == NOW + timedelta(seconds=60)
    assert measure(account_id=post.account_id, now=NOW, channel=there) == 0
    Refusing.error = Unauthorised("gone")
    measure(account_id=post.account_id, now=NOW + timedelta(seconds=61), channel=Refusing())
    assert Account.objects.get().state == "broken"
