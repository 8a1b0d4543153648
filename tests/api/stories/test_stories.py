"""Stories and posts for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.articles.models import Article, Hold
from pipeline.posts.models import Account, Post
from pipeline.ranking.models import Pin
from pipeline.staff.models import JournalEntry
from tests.api.conftest import Ask
from tests.factories.mornings import Morning

WHY = {"reason": "wrong name"}


def test_articles_are_found_by_state_source_and_headline(ask: Ask, house: Morning) -> None:
    def ids(**asked: Any) -> list[int]:
        return [row["id"] for row in ask("GET", "/articles", None, **asked).json()["articles"]]

    assert ids(state="held") == [house.held.article_id]
    assert len(ids(source_id=house.held.article.source_id)) == 10
    assert ids(source_id=house.held.article.source_id + 1) == []
    assert house.stories[3].id in ids(headline=house.stories[3].headline.upper())
    assert ids(headline="%") == []


def test_one_is_told_with_its_uses_and_its_hold(ask: Ask, house: Morning) -> None:
    assert ask("GET", f"/articles/{house.held.article_id}").json()["hold_id"] == house.held.id
    told = ask("GET", f"/articles/{house.stories[0].id}").json()
    assert {use["edition_id"] for use in told["editions"]} >= {house.ready.id}
    assert "text" not in told


def test_a_kill_is_done_once_with_its_reason(ask: Ask, house: Morning) -> None:
    path = f"/articles/{house.stories[0].id}/kill"
    assert [ask("POST", path, WHY).json()["done"] for _ in range(2)] == [True, False]
    assert JournalEntry.objects.get(verb="kill").reason == "wrong name"
    assert Article.objects.get(id=house.stories[0].id).state == "killed"


def test_a_held_story_is_released_once(ask: Ask, house: Morning) -> None:
    assert [row["id"] for row in ask("GET", "/holds").json()["holds"]] == [house.held.id]
    path = f"/holds/{house.held.id}/release"
    assert [ask("POST", path).json()["done"] for _ in range(2)] == [True, False]
    assert ask("GET", "/holds").json()["holds"] == []


@pytest.mark.parametrize(("act", "state"), [("release", "eligible"), ("discard", "archived")])
def test_a_batch_is_decided_about_as_it_was_seen(ask: Ask, house: Morning, act: str, state: str) -> None:
    path = f"/holds/{act}-batch"
    other = ask("POST", path, {"batch": "embargo-1", "count": 2})
    assert other.status_code == 409 and "1 stories" in other.json()["message"]
    assert Hold.objects.get().released_at is None
    assert ask("POST", path, {"batch": "embargo-1", "count": 1, **WHY}).json()["done"] is True
    assert Article.objects.get(id=house.held.article_id).state == state


@pytest.fixture
def draft(house: Morning) -> Post:
    Post.objects.update(state=Post.State.DRAFT, code="")
    return Post.objects.get()


def test_a_post_is_held_and_cancelled_once_each(ask: Ask, draft: Post) -> None:
    for act, state in (("hold", "held"), ("cancel", "cancelled")):
        answers = [ask("POST", f"/posts/{draft.id}/{act}", WHY).json() for _ in range(2)]
        assert [(one["done"], one["post"]["state"]) for one in answers] == [(True, state), (False, state)]
    late = ask("POST", f"/posts/{draft.id}/approve")
    assert late.status_code == 409 and late.json()["current"]["state"] == "cancelled"


def test_other_words_are_chosen(ask: Ask, draft: Post) -> None:
    other = draft.variants.create(tone="question", text="Why?", length=4)
    assert ask("POST", f"/posts/{draft.id}/choose", {"variant_id": other.id}).json()["post"]["text"] == "Why?"
    assert ask("POST", f"/posts/{draft.id}/choose", {"variant_id": other.id + 1}).status_code == 409
    variants = ask("GET", f"/posts/{draft.id}").json()["variants"]
    assert [one["text"] for one in variants if one["chosen"]] == ["Why?"]


def test_posts_are_asked_by_state_account_and_story(ask: Ask, draft: Post) -> None:
    def ids(**asked: Any) -> list[int]:
        return [row["id"] for row in ask("GET", "/posts", None, **asked).json()["posts"]]

    assert ids() == ids(state="draft", account_id=draft.account_id, article_id=draft.article_id) == [draft.id]
    assert ids(state="posted") == ids(account_id=draft.account_id + 1) == []


def test_an_account_is_paused_and_shows_no_key(ask: Ask, house: Morning) -> None:
    Account.objects.update(credentials="sealed-secret", budget_usd="12.50")
    account = Account.objects.get()
    assert [ask("POST", f"/accounts/{account.id}/pause", WHY).json()["done"] for _ in range(2)] == [True, False]
    told = ask("GET", f"/accounts/{account.id}")
    assert (told.json()["state"], told.json()["budget_usd"], told.json()["spent_usd"]) == ("paused", 12.5, 0)
    assert "sealed-secret" not in told.content.decode() + ask("GET", "/accounts").content.decode()
    assert [ask("POST", f"/accounts/{account.id}/resume").json()["done"] for _ in range(2)] == [True, False]


def test_a_hand_is_laid_and_lifted(ask: Ask, house: Morning) -> None:
    story, until = house.stories[4].id, (house.now + timedelta(hours=2)).isoformat()
    path = f"/popular/articles/{story}/hand"
    laid = ask("POST", path, {"kind": "pin", "place": 2, "until": until, **WHY}).json()["hand"]
    assert (laid["place"], laid["by"]) == (2, "Ada")
    told = ask("GET", "/popular").json()
    assert {hand["id"] for hand in told["hands"]} >= {laid["id"]}
    assert told["charts"][0]["places"][0]["article_id"] == house.stories[2].id
    lift = f"/popular/hands/{laid['id']}/lift"
    assert [ask("POST", lift, WHY).json()["done"] for _ in range(2)] == [True, False]
    past = ask("POST", path, {"kind": "ban", "until": (house.now - timedelta(hours=2)).isoformat(), **WHY})
    assert past.status_code == 409 and past.json()["current"]["id"] == story
    assert not Pin.objects.filter(article_id=story).exists()
