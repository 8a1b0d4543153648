"""From an eligible article to one post per account that wants it: once, in time, and with a link that counts."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from pipeline.articles.models import Article
from pipeline.channels import facts
from pipeline.engagement.models import Link, Origin
from pipeline.engagement.tokens import NOBODY, Kind, read
from pipeline.kernel.config import config
from pipeline.kernel.queue import Queue
from pipeline.kernel.signing import Keyring
from pipeline.posts.acts import brake
from pipeline.posts.compose import LOOK_BACK, compose
from pipeline.posts.models import Account, Post
from pipeline.posts.sweep import MOST_AT_ONCE, sweep
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
SOCIAL = f"dateline:{Queue.SOCIAL.value}"


@pytest.fixture
def bells(db: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete(SOCIAL)
        yield client
        client.delete(SOCIAL)


def rung(bells: redis.Redis) -> list[tuple[str, dict[str, int]]]:
    """What waits in the queue, oldest first."""
    told = [json.loads(message) for message in reversed(bells.lrange(SOCIAL, 0, -1))]
    return [(one["headers"]["task"], json.loads(b64decode(one["body"]))[1]) for one in told]


def test_each_account_gets_its_own_words_and_its_own_link() -> None:
    for network in ("agora", "x", "mastodon", "bluesky"):
        posts.account(network=network)
    story = articles.article(headline="Harbour wakes", standfirst="Cranes move again.", language="en")
    assert compose(article_id=story.id, now=NOW) == 4
    made = Post.objects.select_related("origin", "account")
    assert {post.state for post in made} == {"due"}
    assert len({post.marker for post in made}) == 4
    for post in made:
        words = post.variants.get(chosen=True)
        assert "Harbour wakes" in words.text
        assert post.marker in words.text
        assert words.length <= facts.network_named(post.account.network).limit


def test_the_link_leads_to_the_article_and_counts_for_nobody_in_particular() -> None:
    posts.account()
    story = articles.article()
    compose(article_id=story.id, now=NOW)
    post = Post.objects.get()
    token = read(Keyring.from_secret(config().secret_key), post.marker.rpartition("/c/")[2], kind=Kind.CLICK)
    assert (token.valid, token.origin, token.ordinal, token.link) == (True, post.origin_id, NOBODY, 0)
    link = Link.objects.get(origin_id=token.origin, number=token.link)
    assert (link.url, link.article_id) == (story.url, story.id)
    assert Origin.objects.get(id=token.origin).kind == "post"
    assert post.marker.startswith(f"{config().track_url}/c/")


def test_repeating_it_makes_none() -> None:
    posts.account()
    story = articles.article()
    assert compose(article_id=story.id, now=NOW) == 1
    assert compose(article_id=story.id, now=NOW) == 0
    posts.account(handle="@second")
    assert compose(article_id=story.id, now=NOW) == 1, "an account that came later gets its own"
    assert (Post.objects.count(), Origin.objects.count()) == (2, 2)


@pytest.mark.parametrize("state", [state for state in Article.State.values if state != "eligible"])
def test_only_what_may_be_announced_is_posted(state: str) -> None:
    posts.account()
    assert compose(article_id=articles.article(state=state).id, now=NOW) == 0
    assert compose(article_id=10**9, now=NOW) == 0
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    ("sections", "path", "wanted"),
    [([], ["World"], True), (["Africa"], ["World", "Africa"], True), (["Africa"], ["World"], False), (["Africa"], [], False)],
)  # fmt: skip
def test_an_account_takes_its_sections(sections: list[str], path: list[str], wanted: bool) -> None:
    posts.account(sections=sections)
    assert compose(article_id=articles.article(section_path=path).id, now=NOW) == wanted


@pytest.mark.parametrize("state", ["paused", "broken"])
def test_an_account_that_does_not_run_gets_nothing(state: str) -> None:
    posts.account(state=state)
    assert compose(article_id=articles.article().id, now=NOW) == 0


def test_where_a_person_approves_it_stays_a_draft_and_no_bell_rings(
    bells: redis.Redis, django_capture_on_commit_callbacks: Any
) -> None:
    posts.account(approval=True)
    with django_capture_on_commit_callbacks(execute=True):
        compose(article_id=articles.article().id, now=NOW)
    assert Post.objects.get().state == "draft"
    assert rung(bells) == []


def test_what_is_due_at_once_rings_once_it_is_committed(
    bells: redis.Redis, django_capture_on_commit_callbacks: Any
) -> None:
    posts.account()
    with django_capture_on_commit_callbacks(execute=True):
        compose(article_id=articles.article().id, now=NOW)
        assert rung(bells) == [], "not before"
    assert rung(bells) == [("posts.publish", {"post_id": Post.objects.get().id})]


def test_a_minimum_gap_spreads_a_burst_and_forgets_what_will_not_leave() -> None:
    posts.account(min_gap_s=600)
    for _ in range(3):
        compose(article_id=articles.article().id, now=NOW)
    assert list(Post.objects.order_by("due_at").values_list("due_at", flat=True)) == [
        NOW + timedelta(minutes=10 * n) for n in range(3)
    ]
    Post.objects.filter(due_at__gt=NOW).update(state="cancelled")
    compose(article_id=articles.article().id, now=NOW)
    assert Post.objects.filter(state="due").order_by("-due_at")[0].due_at == NOW + timedelta(minutes=10)


def test_a_long_story_is_shortened_until_it_fits_and_says_what_was_left_out() -> None:
    posts.account()
    story = articles.article(headline="Harbour wakes", standfirst="A sentence that says a lot. " * 40)
    compose(article_id=story.id, now=NOW)
    post = Post.objects.get()
    assert post.params == {"shortened": ["shortened the standfirst"]}
    assert 400 < post.variants.get().length <= 500


def test_an_account_nobody_can_write_for_costs_the_others_nothing(bells: redis.Redis) -> None:
    posts.account(network="pigeon", handle="@coop")
    posts.account()
    story = articles.article()
    assert compose(article_id=story.id, now=NOW) == 1
    stuck = Post.objects.get(account__handle="@coop")
    assert (stuck.state, stuck.code) == ("held", "no_words")
    assert "pigeon" in stuck.params["said"]
    bells.delete(SOCIAL)
    sweep(now=NOW)
    assert ("posts.compose", {"article_id": story.id}) not in rung(bells), "and it is not tried for ever"


def test_the_sweep_rings_for_what_was_forgotten(bells: redis.Redis) -> None:
    account = posts.account()
    unposted = articles.article()
    done, due, doubtful, leased, later = (articles.article() for _ in range(5))
    posts.post(article=done, account=account, state="posted")
    rows = [
        posts.post(article=due, account=account, state="due"),
        posts.post(article=doubtful, account=account, state="unknown"),
    ]
    posts.post(article=leased, account=account, state="sending", leased_until=NOW + timedelta(seconds=9))
    posts.post(article=later, account=account, state="due", due_at=NOW + timedelta(seconds=9))
    sweep(now=NOW)
    assert rung(bells) == [("posts.compose", {"article_id": unposted.id})] + [
        ("posts.publish", {"post_id": row.id}) for row in rows
    ]


def test_the_sweep_looks_back_a_day(bells: redis.Redis) -> None:
    posts.account()
    articles.article(age_s=LOOK_BACK.total_seconds())
    sweep(now=NOW)
    assert rung(bells) == []


def test_what_nobody_can_place_does_not_stand_in_the_way_of_the_rest(bells: redis.Redis) -> None:
    """The oldest fifty used to be posts of a paused account and stories no account wants: nothing else was rung for."""
    paused = posts.account(handle="@paused", state="paused")
    account = posts.account(sections=["Africa"])
    unwanted = [articles.article(section_path=["World"]) for _ in range(MOST_AT_ONCE + 5)]
    for story in unwanted:
        posts.post(article=story, account=paused, state="due", due_at=NOW - timedelta(hours=1))
    wanted = articles.article(section_path=["Africa"], age_s=7200)
    due = posts.post(article=articles.article(section_path=["Africa"]), account=account, state="due")
    doubtful = posts.post(article=unwanted[0], account=paused, purpose="again", state="unknown")
    sweep(now=NOW)
    assert sorted(rung(bells), key=str) == sorted(
        [
            ("posts.compose", {"article_id": wanted.id}),
            ("posts.publish", {"post_id": due.id}),
            ("posts.publish", {"post_id": doubtful.id}),
        ],
        key=str,
    )


def test_accounts_are_unlike_each_other() -> None:
    """What one account does not want another may: sections, approval and gaps are each account's own."""
    posts.account(handle="@world", sections=["World"])
    posts.account(handle="@africa", sections=["Africa"], approval=True)
    posts.account(handle="@all", min_gap_s=60)
    compose(article_id=articles.article(section_path=["World"]).id, now=NOW)
    compose(article_id=articles.article(section_path=["Africa"]).id, now=NOW)
    found = {
        (post.account.handle, post.article.section_path[0], post.state)
        for post in Post.objects.select_related("account", "article")
    }
    assert found == {
        ("@world", "World", "due"),
        ("@africa", "Africa", "draft"),
        ("@all", "World", "due"),
        ("@all", "Africa", "due"),
    }
    assert Account.objects.count() == 3


@pytest.mark.django_db
def test_a_new_account_starts_with_what_comes_next() -> None:
    before, after = articles.article(age_s=7200), articles.article(age_s=60)
    account = posts.account(created_at=articles.NOW - timedelta(hours=1))
    made = [compose(article_id=article.id, now=articles.NOW) for article in (before, after)]
    assert made == [0, 1]
    assert [post.article_id for post in account.posts.all()] == [after.id]


# -- rules


def test_what_is_urgent_takes_the_fast_lane() -> None:
    account = posts.account(rules={"urgent": ["quake"], "quiet": ["04:00", "05:00"]})
    for headline in ("A quake in Kobe", "Port reopens"):
        compose(article_id=articles.article(headline=headline, age_s=60).id, now=NOW)
    fast, slow = account.posts.order_by("id")
    assert (fast.is_breaking, fast.state, fast.due_at, fast.code) == (True, "due", NOW, "")
    assert fast.variants.get(chosen=True).text.startswith("Breaking: A quake")
    assert (slow.is_breaking, slow.code) == (False, "quiet_hours")
    assert slow.due_at == datetime(2026, 4, 19, 5, 0, tzinfo=UTC)


def test_what_an_account_never_says_makes_no_post() -> None:
    posts.account(rules={"never": ["horoscope"], "exclude": ["Sport"]})
    assert compose(article_id=articles.article(headline="Your horoscope").id, now=NOW) == 0
    assert compose(article_id=articles.article(section_path=["Sport"]).id, now=NOW) == 0
    assert compose(article_id=articles.article().id, now=NOW) == 1


def test_what_would_leave_too_late_is_expired_with_its_reason() -> None:
    posts.account(rules={"quiet": ["04:00", "20:00"]})
    compose(article_id=articles.article().id, now=NOW)
    post = Post.objects.get()
    assert (post.state, post.code) == ("expired", "stale")


def test_rules_with_a_typo_cost_one_row_that_says_so() -> None:
    posts.account(rules={"per_huor": 1})
    posts.account(handle="@second")
    story = articles.article()
    assert compose(article_id=story.id, now=NOW) == 1
    stuck = Post.objects.get(account__handle="@dispatch")
    assert (stuck.state, stuck.code) == ("held", "rules_unusable")
    assert "per_huor" in stuck.params["said"]


@pytest.mark.parametrize(
    ("headline", "topics"),
    [("Suicide in the barracks", ["suicide"]), ("Two children killed", ["death", "minor"])],
)
def test_what_asks_for_care_waits_for_a_person(headline: str, topics: list[str]) -> None:
    posts.account()
    compose(article_id=articles.article(headline=headline, language="en").id, now=NOW)
    post = Post.objects.get()
    assert (post.state, post.code, post.params["topics"]) == ("draft", "asks_for_care", topics)
    assert "#" not in post.variants.get(chosen=True).text


def test_a_death_is_told_soberly_and_at_once() -> None:
    posts.account(rules={"formats": ["number", "question"], "tone": "lively"}, words={"emoji": {"World": "🌍"}})
    compose(article_id=articles.article(headline="Poet Sá dies at 91", language="en").id, now=NOW)
    post = Post.objects.get()
    assert (post.state, post.format) == ("due", "headline")
    assert post.variants.get().text.startswith("Poet Sá dies at 91")


def test_the_other_ways_to_say_it_are_kept_for_the_editor() -> None:
    posts.account(rules={"formats": ["headline", "question"]})
    compose(article_id=articles.article(headline="Will it rain?").id, now=NOW)
    post = Post.objects.get()
    assert post.variants.count() == 2
    assert post.variants.filter(chosen=True).count() == 1


def test_an_accounts_own_template_outweighs_its_networks() -> None:
    posts.account(template="{{ headline }}, says the paper {{ link }}")
    compose(article_id=articles.article(headline="Rain").id, now=NOW)
    assert Post.objects.get().variants.get().text.startswith("Rain, says the paper http")


def test_a_card_always_has_words_for_who_cannot_see_its_picture() -> None:
    posts.account(network="bluesky")
    picture = {"url": "https://paper.example/p.jpg", "alt": ""}
    compose(article_id=articles.article(headline="Rain", picture=picture).id, now=NOW)
    card = Post.objects.get().variants.get(chosen=True).card
    assert (card["alt"], card["title"]) == ("Picture to: Rain", "Rain")


def test_the_sweep_rings_for_corrections_and_readings(bells: redis.Redis) -> None:
    account = posts.account(network="mastodon")
    story = articles.article(state="killed", announced_at=NOW)
    posted = {"state": "posted", "remote_id": "1", "posted_at": NOW - timedelta(minutes=5)}
    posts.post(article=story, account=account, **posted)
    story.bulletins.create(kind="kill", version=1, at=NOW)
    sweep(now=NOW)
    assert rung(bells) == [
        ("posts.correct", {"article_id": story.id}),
        ("posts.measure", {"account_id": account.id}),
    ]


def test_while_posting_is_stopped_the_sweep_rings_only_for_deletions_and_doubts(bells: redis.Redis) -> None:
    account = posts.account()
    brake.pull(actor=None, now=NOW, reason="a tragedy")
    rows = {
        act: posts.post(article=articles.article(), account=account, act=act, state="due")
        for act in ("publish", "edit", "delete")
    }
    doubtful = posts.post(article=articles.article(), account=account, state="unknown")
    sweep(now=NOW)
    assert [ids for _, ids in rung(bells)] == [{"post_id": rows["delete"].id}, {"post_id": doubtful.id}]
