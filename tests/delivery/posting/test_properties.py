"""Whatever happens to an account, nothing leaves before its embargo, in quiet hours, under the gap, over the caps or
the budget, after a stop, or of a killed story; and nothing is live twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.articles.gates import bulletins, holds
from pipeline.articles.models import Article
from pipeline.channels import facts
from pipeline.channels.base import Message, Published, RateLimited, Temporary, Unknown
from pipeline.delivery.posting.publish import publish
from pipeline.kernel.clocks import in_quiet_hours
from pipeline.posts.acts import brake, review
from pipeline.posts.budget import month_of
from pipeline.posts.compose import compose
from pipeline.posts.models import Account, Charge, Post
from pipeline.posts.rules.rules import Rules
from pipeline.sources.models import Source
from pipeline.staff.models import User
from tests.factories import articles, posts, sources, staff

pytestmark = pytest.mark.django_db
ZONE = "Europe/Brussels"
#: The night in which clocks change, the end of a month, and a day like any other.
STARTS = (
    datetime(2026, 3, 28, 20, 0, tzinfo=UTC),
    datetime(2026, 10, 24, 20, 0, tzinfo=UTC),
    datetime(2026, 4, 30, 16, 0, tzinfo=UTC),
    datetime(2026, 4, 15, 9, 0, tzinfo=UTC),
)
MINUTE = timedelta(minutes=1)


class World(posts.Network):
    """The network, a clock, and the world's knowledge of what it was wrong to let through."""

    network = "x"

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self.now = now
        self.left: list[tuple[datetime, Message]] = []
        self.embargoes: dict[int, datetime] = {}

    def publish(self, message: Message) -> Published:
        if not (self.faults and self.faults[0]):
            self.left.append((self.now, message))
        return super().publish(message)


rules = st.fixed_dictionaries(
    {},
    optional={
        "quiet": st.sampled_from([["23:00", "06:30"], ["12:00", "13:15"], ["02:15", "02:45"]]),
        "per_hour": st.integers(1, 3),
        "per_day": st.integers(1, 6),
        "slots": st.sampled_from([["07:30", "08:00", "17:45", "22:10"], ["02:30", "09:00", "21:00"]]),
        "breaking": st.fixed_dictionaries({"gap_s": st.sampled_from([60, 600]), "in_quiet_hours": st.booleans()}),
        "thrift": st.sampled_from([{"after": 0.5, "how": "no_link"}, {"after": 0.9, "how": "top", "top": 2}]),
    },
)
faults = st.sampled_from(
    [None, None, None, Temporary("away"), RateLimited("slow", retry_after_s=400), Unknown("cut before")]
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([1, 7, 31, 64, 300])),
        st.tuples(st.just("story"), st.booleans()),
        st.tuples(st.just("publish"), st.integers(1, 4)),
        st.tuples(st.just("fault"), faults),
        st.tuples(st.just("lose"), st.booleans()),
        st.tuples(st.just("kill"), st.integers(0, 9)),
        st.tuples(st.just("stop"), st.booleans()),
        st.tuples(st.just("tell"), st.integers(0, 9)),
        st.tuples(st.just("delay"), st.sampled_from([5, 45, 200])),
    ),
    min_size=6,
    max_size=28,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(STARTS),
    record=rules,
    gap_s=st.sampled_from([0, 600, 2400]),
    budget=st.sampled_from([None, "0.50", "0.03"]),
    happens=steps,
)
def test_nothing_ever_leaves_that_may_not(
    start: datetime, record: dict[str, Any], gap_s: int, budget: str | None, happens: list[tuple[str, Any]]
) -> None:
    for model in (Charge, Post, Account, Article, Source):
        model.objects.all().delete()
    brake.release(actor=None, now=start)
    account = posts.account(
        network="x", now=start, rules={"urgent": ["quake"], **record}, min_gap_s=gap_s, zone=ZONE,
        budget_usd=Decimal(budget) if budget else None,
    )  # fmt: skip
    world = World(start)
    source = sources.source(now=start)
    for act, how in [*happens, ("wait", 31), ("publish", 4), ("wait", 300), ("publish", 4)]:
        before = len(world.left)
        play(world, source, act, how)
        for place in range(before, len(world.left)):
            judge(account, world, world.left[:place], *world.left[place])
    at_the_end(account, world)


def play(world: World, source: Source, act: str, how: Any) -> None:
    now, stories = world.now, list(Article.objects.order_by("id"))
    match act:
        case "wait":
            world.now += how * MINUTE
        case "story":
            words = "A quake in Kobe" if how else "Port reopens"
            held = {"eligible_at": now, "announced_at": None}
            number = len(stories)
            made = articles.article(source=source, headline=f"{words}, part {number}", age_s=0, now=now, **held)
            if number % 3 != 2:  # each third is under embargo until somebody tells it
                bulletins.announce(made, now=now)
                compose(article_id=made.id, now=now)
        case "tell" if stories:
            bulletins.announce(stories[how % len(stories)], now=now)
        case "kill" if stories:
            holds.kill(article_id=stories[how % len(stories)].id, actor=None, now=now, reason="wrong")
        case "stop":
            brake.pull(actor=None, now=now, reason="a tragedy") if how else brake.release(actor=None, now=now)
        case "delay":
            play(world, source, "story", how == 5)
            delay(world, minutes=how)
        case "fault":
            world.faults.append(how)
        case "lose":
            world.lost.append(Unknown("cut after") if how else None)
        case "publish":
            for story in stories:
                compose(article_id=story.id, now=now)
            for post in Post.objects.order_by("?")[: how * 5]:
                publish(post_id=post.id, now=now, channel=world)


def delay(world: World, *, minutes: int) -> None:
    """An editor puts the newest post under an embargo."""
    post = Post.objects.filter(state__in=["draft", "due"]).order_by("id").last()
    if post is not None:
        world.embargoes[post.id] = world.now + minutes * MINUTE
        review.postpone(post_id=post.id, actor=editor(), now=world.now, until=world.embargoes[post.id])


def editor() -> User:
    return User.objects.first() or staff.ada()


def judge(
    account: Account, world: World, earlier: list[tuple[datetime, Message]], at: datetime, message: Message
) -> None:
    """Whether what has just left was allowed to, told from the rows and the list of what left before it.

    Breaking news may follow hard on another post; nothing else may follow hard on breaking news.
    """
    post = Post.objects.select_related("article").get(marker=message.marker)
    story, told = post.article, Rules.of(account.rules)
    assert story.state == "eligible" and not brake.is_pulled()
    assert story.announced_at is not None and at >= story.announced_at
    assert at >= world.embargoes.get(post.id, at), "under an editor's embargo"
    others = [when for when, other in earlier if other.marker != message.marker]
    if not post.is_breaking:
        assert all(abs(at - when) >= timedelta(seconds=account.min_gap_s) for when in others)
        assert not told.per_hour or sum(at - when < timedelta(hours=1) for when in others) < told.per_hour
        assert not told.slots or in_a_slot(at, told.slots)
    if told.quiet and not (post.is_breaking and told.breaking.in_quiet_hours):
        assert not in_quiet_hours(at, zone=ZONE, start=told.quiet[0], end=told.quiet[1])
    if told.per_day:
        zone = ZoneInfo(ZONE)
        assert sum(when.astimezone(zone).date() == at.astimezone(zone).date() for when in others) < told.per_day
    if post.is_breaking:
        assert story.published_at and at < story.published_at + timedelta(hours=1)


def in_a_slot(at: datetime, slots: tuple[time, ...]) -> bool:
    wall = at.astimezone(ZoneInfo(ZONE))
    minutes = [(wall - 10 * MINUTE + n * MINUTE).time().replace(second=0) for n in range(1, 11)]
    moved = {time(3, 0)} if time(2, 30) in slots else set()  # in the gap of March
    return bool(({*slots} | moved) & set(minutes))


def at_the_end(account: Account, world: World) -> None:
    markers = Counter(one.marker for one in world.live)
    assert not markers or max(markers.values()) == 1, "live twice"
    live = Post.objects.filter(marker__in=markers).values_list("article_id", "account_id", "purpose")
    assert len(set(live)) == len(world.live), "each is live for an article, an account and a purpose of its own"
    if account.budget_usd is None:
        return
    months: Counter[datetime] = Counter()
    for at, message in world.left:
        months[month_of(account, now=at)[0]] += facts.cost("x", message.text)  # type: ignore[assignment]
    assert all(spent <= account.budget_usd for spent in months.values())
