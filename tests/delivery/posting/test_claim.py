"""What a post costs is reserved before it leaves, what may not leave waits with its reason, and an outage ends quietly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from pipeline.articles.models import Article
from pipeline.channels.base import Temporary, Unknown
from pipeline.delivery.posting.publish import publish
from pipeline.posts.acts import review
from pipeline.posts.compose import compose
from pipeline.posts.models import Account, Charge, Post, Variant
from pipeline.ranking.models import Chart, Standing
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
LINK = "https://go.example.org/c/x1"


def x_account(budget: str | None, **fields: Any) -> Account:
    return posts.account(network="x", now=NOW, budget_usd=budget and Decimal(budget), **fields)


def due(account: Account, *, linked: bool = True, **fields: Any) -> Post:
    story = articles.article(now=NOW, headline=fields.pop("headline", ""))
    text = f"{story.headline} {LINK}{story.id}" if linked else story.headline
    values = {"state": "due", "marker": f"{LINK}{story.id}" if linked else "", **fields}
    return posts.post(article=story, account=account, text=text, now=NOW, **values)


def fresh(post: Post) -> Post:
    post.refresh_from_db()
    return post


def test_the_charge_is_written_before_the_call_once_for_each_post() -> None:
    account, network = x_account("1.00"), posts.Network()
    post = due(account)
    network.faults = [Temporary("away")]
    publish(post_id=post.id, now=NOW, channel=network)
    assert Charge.objects.get().usd == Decimal("0.200"), "reserved although nothing came of it yet"
    publish(post_id=post.id, now=NOW + timedelta(minutes=5), channel=network)
    assert [(one.act, one.usd, one.key) for one in Charge.objects.all()] == [
        ("post", Decimal("0.200"), f"post-{post.id}")
    ]
    assert fresh(post).cost_usd == Decimal("0.200")


def test_a_worker_that_dies_in_the_call_leaves_the_charge() -> None:
    class Dies(posts.Network):
        def publish(self, message: Any) -> Any:
            raise KeyboardInterrupt

    post = due(x_account("1.00"))
    with pytest.raises(KeyboardInterrupt):
        publish(post_id=post.id, now=NOW, channel=Dies())
    assert Charge.objects.get().post_id == post.id


def test_what_the_month_cannot_pay_for_is_held_and_not_lost() -> None:
    account, network = x_account("0.30"), posts.Network()
    first, second = due(account), due(account)
    assert publish(post_id=first.id, now=NOW, channel=network) == "posted"
    assert publish(post_id=second.id, now=NOW, channel=network) is None
    assert (fresh(second).state, second.code) == ("held", "budget_spent")
    assert second.params == {"usd": "0.200", "spent": "0.200", "budget": "0.30"}
    assert review.release_affordable(now=NOW) == 0
    Account.objects.update(budget_usd=Decimal("0.50"))
    assert review.release_affordable(now=NOW) == 1
    assert publish(post_id=second.id, now=NOW, channel=network) == "posted"


def test_a_new_month_in_the_accounts_zone_pays_again() -> None:
    account = x_account("0.30", zone="America/New_York")
    first = due(account)
    end = datetime(2026, 5, 1, 3, 59, tzinfo=UTC)  # 23:59 on the 30th in New York
    Post.objects.update(created_at=end, due_at=end)
    publish(post_id=first.id, now=end, channel=posts.Network())
    second = due(account, created_at=end, due_at=end)
    assert publish(post_id=second.id, now=end, channel=posts.Network()) is None
    assert review.release_affordable(now=end) == 0
    assert review.release_affordable(now=end + timedelta(minutes=1)) == 1


def test_what_was_held_too_long_for_money_is_no_news() -> None:
    account = x_account("0.10")
    post = due(account)
    publish(post_id=post.id, now=NOW, channel=posts.Network())
    Account.objects.update(budget_usd=Decimal(9))
    assert review.release_affordable(now=NOW + timedelta(hours=6)) == 0
    assert (fresh(post).state, post.code, post.params) == ("expired", "stale", {"why": "budget_spent"})


def test_a_thrifty_account_says_it_without_a_link() -> None:
    account = x_account("0.30", rules={"thrift": {"after": 0.5, "how": "no_link"}})
    network = posts.Network()
    for post in (due(account), due(account)):
        assert publish(post_id=post.id, now=NOW, channel=network) == "posted"
    assert ["http" in one.text for one in network.live] == [True, False]
    assert list(Charge.objects.order_by("id").values_list("usd", flat=True)) == [Decimal("0.200"), Decimal("0.015")]


def test_a_thrifty_account_keeps_its_money_for_what_is_read() -> None:
    account = x_account("0.50", rules={"thrift": {"after": 0.3, "how": "top", "top": 1}})
    first, second, third = due(account), due(account), due(account)
    chart = Chart.objects.create(window="day", section="", version="1", computed_at=NOW, changed_at=NOW)
    Standing.objects.create(chart=chart, place=1, article=third.article, value=9, counted_in="day")
    network = posts.Network()
    told = [publish(post_id=post.id, now=NOW, channel=network) for post in (first, second, third)]
    assert told == ["posted", None, "posted"]
    assert fresh(second).code == "kept_for_top"
    assert review.release_affordable(now=NOW) == 0


def test_a_free_network_needs_no_budget() -> None:
    account = posts.account(now=NOW, budget_usd=Decimal(0))
    assert publish(post_id=due(account).id, now=NOW, channel=posts.Network()) == "posted"
    assert Charge.objects.get().usd == 0


# -- waiting


@pytest.mark.parametrize(
    ("fields", "code", "at"),
    [
        ({"rules": {"quiet": ["11:00", "13:00"]}}, "quiet_hours", NOW + timedelta(hours=1)),
        ({"rules": {"slots": ["13:30"]}}, "slot", NOW + timedelta(minutes=90)),
        ({"rules": {"per_hour": 1}}, "per_hour", NOW + timedelta(minutes=50)),
        ({"min_gap_s": 1800}, "min_gap", NOW + timedelta(minutes=20)),
        ({"limited_until": NOW + timedelta(minutes=5)}, "limited", NOW + timedelta(minutes=5)),
    ],
)
def test_a_post_that_may_not_leave_now_says_why_and_when(fields: dict[str, Any], code: str, at: datetime) -> None:
    account, network = posts.account(now=NOW, **fields), posts.Network()
    Charge.objects.create(account=account, act="post", usd=0, at=NOW - timedelta(minutes=10), key="earlier")
    post = due(account)
    assert publish(post_id=post.id, now=NOW, channel=network) is None
    assert (fresh(post).state, post.code, post.due_at) == ("due", code, at)
    assert network.asked == []
    assert Charge.objects.count() == 1, "what does not leave costs nothing"


def test_rules_with_a_typo_hold_the_post_and_name_it() -> None:
    post = due(posts.account(now=NOW, rules={"per_huor": 3}))
    assert publish(post_id=post.id, now=NOW, channel=posts.Network()) is None
    assert (fresh(post).state, post.code) == ("held", "rules_unusable")
    assert "per_huor" in post.params["said"]


def test_an_article_that_nobody_announced_is_under_embargo() -> None:
    post = due(posts.account(now=NOW))
    Article.objects.update(announced_at=None)
    assert publish(post_id=post.id, now=NOW, channel=posts.Network()) is None
    assert fresh(post).state == "due"
    Article.objects.update(announced_at=NOW + timedelta(hours=1))
    publish(post_id=post.id, now=NOW, channel=posts.Network())
    assert (fresh(post).code, post.due_at) == ("embargo", NOW + timedelta(hours=1))


def test_a_story_that_says_something_else_now_is_worded_again_before_it_leaves() -> None:
    posts.account(now=NOW)
    story = articles.article(now=NOW, headline="Port reopens")
    compose(article_id=story.id, now=NOW)
    Article.objects.update(headline="Port stays shut", version=2)
    network = posts.Network()
    assert publish(post_id=Post.objects.get().id, now=NOW, channel=network) == "posted"
    assert network.live[0].text.startswith("Port stays shut")
    assert Post.objects.get().version == 2


def test_what_was_breaking_an_hour_ago_does_not_call_itself_so() -> None:
    posts.account(now=NOW, rules={"urgent": ["quake"]})
    compose(article_id=articles.article(now=NOW, headline="A quake in Kobe", age_s=60, language="en").id, now=NOW)
    post, network = Post.objects.get(), posts.Network()
    assert post.is_breaking and post.variants.get(chosen=True).text.startswith("Breaking: A quake")
    assert publish(post_id=post.id, now=NOW + timedelta(minutes=59), channel=network) == "posted"
    assert network.live[0].text.startswith("A quake in Kobe")
    assert not fresh(post).is_breaking


# -- outages


def drained(account: Account, network: posts.Network, *, at: datetime, hours: float) -> list[datetime]:
    """Ring for every due post each minute, as the sweep does; when something left."""
    left: list[datetime] = []
    for minute in range(int(hours * 60)):
        now = at + timedelta(minutes=minute)
        for post in account.posts.filter(state="due", due_at__lte=now).order_by("due_at", "id"):
            before = len(network.live)
            publish(post_id=post.id, now=now, channel=network)
            left += [now] * (len(network.live) - before)
    return left


@pytest.mark.parametrize(("gap_s", "rules"), [(0, {}), (600, {}), (0, {"per_hour": 3})])
def test_five_hours_of_outage_drain_without_a_burst(gap_s: int, rules: dict[str, Any]) -> None:
    account = posts.account(now=NOW, min_gap_s=gap_s, rules=rules, stale_after_s=3 * 3600)
    for number in range(30):  # one each ten minutes, while nothing left
        at = NOW + timedelta(minutes=10 * number)
        due(account, due_at=at, created_at=at)
    network = posts.Network()
    left = drained(account, network, at=NOW + timedelta(hours=5), hours=6)
    gaps = [later - earlier for earlier, later in pairwise(left)]
    assert min(gaps) >= timedelta(seconds=max(gap_s, 60))
    if rules:
        assert all(sum(at <= other < at + timedelta(hours=1) for other in left) <= 3 for at in left)
    told = {post.code for post in account.posts.filter(state="expired")}
    assert told == {"stale"}
    expired = account.posts.filter(state="expired").count()
    assert expired + len(left) == 30
    assert expired >= 12, "what waited three hours is no news"
    assert not account.posts.filter(state="due").exists()


def test_an_unknown_post_is_counted_by_the_gap() -> None:
    account, network = posts.account(now=NOW, min_gap_s=600), posts.Network()
    first, second = due(account), due(account)
    network.lost = [Unknown("cut")]
    assert publish(post_id=first.id, now=NOW, channel=network) == "unknown"
    assert publish(post_id=second.id, now=NOW, channel=network) is None
    assert fresh(second).code == "min_gap"


def test_a_text_is_kept_that_a_person_chose() -> None:
    post = due(posts.account(now=NOW))
    Variant.objects.filter(post=post).update(text="As the editor put it")
    network = posts.Network()
    publish(post_id=post.id, now=NOW, channel=network)
    assert network.live[0].text == "As the editor put it"
