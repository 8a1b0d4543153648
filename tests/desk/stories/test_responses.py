"""A live post shows the people who followed its link beside what its network counts, and what a click cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.channels.registry import ADAPTERS
from pipeline.desk.stories import responses
from pipeline.engagement.hits import Hit, Ruling
from pipeline.engagement.models import Origin, Response
from pipeline.engagement.verdicts import judge
from pipeline.posts.models import Account, Post
from tests.factories import articles, engagement, posts

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def live(number: int = 1, **fields: Any) -> Post:
    origin = Origin.objects.create(id=number, kind=Origin.Kind.POST, started_at=NOW)
    account = Account.objects.first() or posts.account(network="x")
    known = {"state": "posted", "posted_at": NOW, "cost_usd": Decimal("0.200"), "origin": origin, **fields}
    return posts.post(article=articles.article(), account=account, purpose=f"again:{number}", **known)


def clicked(post: Post, **verdicts: int) -> None:
    assert post.origin is not None
    for verdict, count in verdicts.items():
        for ordinal in range(count):
            engagement.event(origin=post.origin, ordinal=ordinal, verdict=verdict, channel="social")


def row(desk: Client) -> str:
    page = html.fromstring(desk.get("/desk/posts/").content)
    return " ".join(" ".join(page.xpath("//ol[@class='stories']/li")[0].itertext()).split())


def test_people_are_counted_machines_are_told_and_who_is_in_quarantine_is_neither(desk: Client) -> None:
    post = live()
    clicked(post, human=4, scanner=2, prefetch=1, pending=5)
    told = row(desk)
    assert "4 clicks by people (3 fetches by previews and robots left out)" in told
    assert "$0.200 spent, $0.050 a click" in told


def test_the_newest_word_of_the_network_counts_and_what_it_does_not_say_is_left_out(desk: Client) -> None:
    post = live()
    for hours, likes in ((5, 3), (1, 1240), (9, 1)):
        at = NOW - timedelta(hours=hours)
        Response.objects.create(origin=post.origin, at=at, likes=likes, reposts=1, impressions=0)
    assert "the network counts 0 views, 1 240 likes, 1 repost 1 h ago" in row(desk)


@pytest.mark.parametrize(
    ("usd", "people", "said"),
    [
        ("0", 3, ""),
        ("0.200", 0, "$0.200 spent, no click yet"),
        ("0.200", 300, "$0.200 spent, $0.001 a click"),
        ("4.000", 2, "$4.000 spent, $2.00 a click"),
    ],
)
def test_a_click_has_its_price_where_posting_has_one(usd: str, people: int, said: str) -> None:
    post = live(cost_usd=Decimal(usd))
    clicked(post, human=people)
    assert responses.heard([post])[post.id]["cost"] == said


def test_what_did_not_leave_and_what_is_no_post_has_no_answer() -> None:
    assert responses.heard([live(1, posted_at=None), live(2, act="delete")]) == {}


def test_a_page_of_posts_takes_two_queries_more(django_assert_num_queries: Any) -> None:
    known = [live(number) for number in range(1, 6)]
    with django_assert_num_queries(2):
        responses.heard(known)


#: Who fetches the link of a post on each network before any person has seen it, by its own name.
FETCHERS = {
    "x": "Twitterbot/1.0",
    "mastodon": "Mastodon/4.5.2 (http.rb/5.3.1; +https://mastodon.example/) Bot",
    "bluesky": "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
    "linkedin": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "threads": "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "telegram": "TelegramBot (like TwitterBot)",
    "discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
}


def test_each_network_that_fetches_previews_is_known_by_name() -> None:
    assert set(FETCHERS) == set(ADAPTERS) - {"hook", "feed", "agora"}
    hits = [Hit(at=NOW, delivered_at=None, message="", link="0", ua=ua, ip="203.0.113.9") for ua in FETCHERS.values()]
    assert [(one.verdict, one.rules) for one in judge(hits)] == [(Ruling.SCANNER, ("R3",))] * len(FETCHERS)
