"""A server's own limits decide what is said there, once it has told them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.posts import wording
from pipeline.posts.compose import compose
from pipeline.posts.models import Account, Post
from pipeline.posts.rules import room
from pipeline.posts.rules.rules import Rules
from tests.factories import articles, posts

NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kept", "length", "spoken"),
    [
        ({}, 0, 0),
        ({"limit": 5000}, 0, 5000),
        ({"limit": 5000}, 280, 280),
        ({"limit": 300}, 25000, 300),
        ({"limit": None}, 280, 280),
        ({"limit": 0}, 0, 0),
        ({"limit": "many"}, 0, 0),
    ],
)
def test_a_desk_may_say_less_than_the_server_takes_and_never_more(kept: Any, length: int, spoken: int) -> None:
    assert room.within(Rules(length=length), Account(capacity=kept)).length == spoken


@pytest.mark.parametrize(
    ("kept", "due"),
    [
        ({}, True),
        ({"at": "yesterday"}, True),
        (room.asked(at=NOW - timedelta(hours=23)), False),
        (room.asked(at=NOW - timedelta(hours=24)), True),
    ],
)
def test_a_server_is_asked_once_a_day(kept: Any, due: bool) -> None:
    assert room.is_due(Account(capacity=kept), now=NOW) is due


@pytest.mark.django_db
@pytest.mark.parametrize(("limit", "whole"), [(None, False), (5000, True)])
def test_a_roomy_instance_gets_the_whole_standfirst(limit: int | None, whole: bool) -> None:
    standfirst = " ".join(f"Sentence {number} of the long story goes on here." for number in range(30))
    owner = posts.account(network="mastodon", now=NOW, capacity={"limit": limit} if limit else {})
    story = articles.article(now=NOW, standfirst=standfirst)
    assert compose(article_id=story.id, now=NOW) == 1
    [text] = wording.texts_of(Post.objects.get(account=owner))
    assert (standfirst in text) is whole
