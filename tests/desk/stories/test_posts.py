from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.desk.stories import posts as desk_posts
from pipeline.posts.models import Account, Post
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db


def told(desk: Client, query: str = "") -> Any:
    return lxml_html.document_fromstring(desk.get(f"/desk/posts/{query}").content.decode())


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def test_a_post_shows_its_words_its_state_and_its_reason(desk: Client) -> None:
    account = posts.account(network="x", handle="@paper")
    said = {"said": "403 duplicate"}
    posts.post(
        article=articles.article(),
        account=account,
        text="Rain in Quito",
        state=Post.State.REJECTED,
        code="refused",
        params=said,
    )
    row = words(told(desk).xpath("//ol[@class='stories']/li")[0])
    for part in ("rejected", "x/@paper", "Rain in Quito", "The network refused it: “403 duplicate”"):
        assert part in row


def test_an_unknown_post_without_a_code_is_still_explained(desk: Client) -> None:
    posts.post(article=articles.article(), account=posts.account(), state=Post.State.UNKNOWN)
    assert "nothing is posted twice" in words(told(desk).xpath("//ol[@class='stories']/li")[0])


@pytest.mark.parametrize(
    ("remote", "links"),
    [("https://agora.example/1", ["https://agora.example/1"]), ("javascript:alert(1)", [])],
)
def test_only_a_web_address_is_linked(desk: Client, remote: str, links: list[str]) -> None:
    posts.post(article=articles.article(), account=posts.account(), state=Post.State.POSTED, remote_url=remote)
    assert told(desk).xpath("//ol[@class='stories']//a/@href") == links


def test_an_account_that_does_not_post_is_named(desk: Client) -> None:
    account = posts.account(state=Account.State.BROKEN)
    posts.post(article=articles.article(), account=account, state=Post.State.DUE)
    assert "This account is broken." in words(told(desk))


def test_the_list_filters_and_turns_pages(desk: Client) -> None:
    account = posts.account()
    for number in range(desk_posts.PAGE + 3):
        state = Post.State.HELD if number < 2 else Post.State.POSTED
        posts.post(article=articles.article(), account=account, state=state)
    assert len(told(desk).xpath("//ol[@class='stories']/li")) == desk_posts.PAGE
    assert len(told(desk, "?page=2").xpath("//ol[@class='stories']/li")) == 3
    assert len(told(desk, "?state=held").xpath("//ol[@class='stories']/li")) == 2
    assert "No post is in this state." in words(told(desk, "?state=draft"))
