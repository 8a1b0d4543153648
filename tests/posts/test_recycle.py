"""An evergreen is said again after its days, a set number of times, and never in the same words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.articles.models import Article
from pipeline.delivery.posting.publish import publish
from pipeline.posts.compose import compose
from pipeline.posts.models import Account, Post
from pipeline.posts.recycle import recycle
from pipeline.posts.wording import plain
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
FORMATS = ["headline", "question", "quote", "number"]


def said(*, evergreen: bool = True, **rules: Any) -> tuple[Account, posts.Network]:
    """A story of many sides, posted once."""
    record = {"recycle": {"every_days": 30, "most": 3}, "formats": FORMATS, **rules}
    account, network = posts.account(now=NOW, rules=record), posts.Network()
    story = articles.article(
        now=NOW, headline="How to plant a street tree", is_evergreen=evergreen, language="en",
        standfirst="Is your street too hot? A tree takes 12,500 litres of rain a year.",
        text="“A street without trees is a street without birds,” said Ana Sá.",
    )  # fmt: skip
    compose(article_id=story.id, now=NOW)
    publish(post_id=Post.objects.get().id, now=NOW, channel=network)
    return account, network


def again(network: posts.Network, now: datetime) -> int:
    made = recycle(now=now)
    for post in Post.objects.filter(state="due"):
        publish(post_id=post.id, now=now, channel=network)
    return made


def test_each_time_it_is_said_otherwise_until_it_was_said_enough() -> None:
    _, network = said()
    assert [again(network, NOW + MONTH * times) for times in range(1, 6)] == [1, 1, 1, 0, 0]
    texts = [plain(one.text, one.marker) for one in network.live]
    assert len(set(texts)) == len(texts) == 4
    assert list(Post.objects.order_by("id").values_list("purpose", flat=True)) == [
        "new",
        "again:1",
        "again:2",
        "again:3",
    ]


def test_not_before_its_days_have_passed_and_once_a_day() -> None:
    _, network = said()
    assert again(network, NOW + MONTH - timedelta(seconds=1)) == 0
    assert again(network, NOW + MONTH) == 1
    assert again(network, NOW + MONTH) == 0


def test_what_has_no_other_words_is_not_said_again() -> None:
    _, network = said(formats=["headline"])
    assert again(network, NOW + MONTH) == 0
    assert Post.objects.count() == 1, "and leaves no row behind"


@pytest.mark.parametrize("why", ["news", "killed", "no rule", "paused"])
def test_only_evergreens_that_stand_are_said_again(why: str) -> None:
    account, network = said(evergreen=why != "news")
    if why == "killed":
        Article.objects.update(state="killed")
    if why == "no rule":
        Account.objects.update(rules={"formats": FORMATS})
    if why == "paused":
        Account.objects.update(state="paused")
    assert again(network, NOW + MONTH) == 0
    assert account.posts.count() == 1
