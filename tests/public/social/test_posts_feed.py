"""The feed of what an account posted, as a feed reader gets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import feedparser
import pytest
from defusedxml import ElementTree
from django.test import Client

from pipeline.channels.feed import account_of, token_of
from pipeline.kernel.config import config
from pipeline.posts.models import Account, Post
from pipeline.public.social.posts_feed import MOST
from tests.factories import articles, posts

pytestmark = pytest.mark.django_db
NOW = posts.NOW
TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


@pytest.fixture
def account() -> Account:
    return posts.account(network="feed", handle="Harbour Post")


def address(account: Account) -> str:
    return f"/posts/{token_of(account.id, secret=config().secret_key)}.rss"


def posted(account: Account, text: str, *, ago_s: int = 0, **fields: Any) -> Post:
    at = NOW - timedelta(seconds=ago_s)
    known = {"state": Post.State.POSTED, "posted_at": at, "article": articles.article(), **fields}
    return posts.post(account=account, text=text, now=at, **known)


def read(account: Account) -> Any:
    answer = Client().get(address(account))
    assert answer.status_code == 200
    found = feedparser.parse(answer.content)
    assert not found.bozo
    return found


def test_a_reader_gets_the_posts_newest_first(account: Account) -> None:
    posted(account, "Older <b>&amp;</b> \x08 wiser\n\nhttps://go.example.org/c/1", ago_s=60)
    newer = posted(account, "Fähren fahren 日本 \U0001f600", marker="https://go.example.org/c/2")
    found = read(account)
    assert [entry.title for entry in found.entries] == ["Fähren fahren 日本 \U0001f600", "Older <b>&amp;</b>  wiser"]
    assert (found.entries[0].link, found.entries[0].id) == ("https://go.example.org/c/2", f"dateline-post-{newer.id}")
    assert found.feed.title == "Harbour Post on feed"
    assert found.version == "rss20"


@pytest.mark.parametrize(
    "state", [state for state in Post.State.values if state not in (Post.State.POSTED, Post.State.DELETED)]
)
def test_what_is_not_posted_is_not_shown(account: Account, state: str) -> None:
    posted(account, "Not yet", state=state)
    assert read(account).entries == []


def test_an_account_shows_its_own_posts_only(account: Account) -> None:
    posted(posts.account(handle="@other"), "Not ours")
    assert read(account).entries == []


def test_an_edit_changes_the_words_and_neither_guid_nor_date(account: Account) -> None:
    post = posted(account, "Three ferries", ago_s=600)
    before = read(account).entries[0]
    shared = {"article": post.article, "act": Post.Act.EDIT, "about": post}
    posted(account, "Four ferries", ago_s=300, purpose="correction:2", **shared)
    posted(account, "Five ferries", ago_s=60, purpose="correction:3", **shared)
    posted(account, "Six ferries", purpose="correction:4", **shared, state=Post.State.DUE)
    (after,) = read(account).entries
    assert (after.title, after.id, after.published) == ("Five ferries", before.id, before.published)
    assert after.updated > before.updated


def test_what_was_taken_down_leaves_a_tombstone(account: Account) -> None:
    gone = posted(account, "Wrong", state=Post.State.DELETED)
    posted(account, "Right", ago_s=60)
    answer = Client().get(address(account))
    assert [entry.title for entry in feedparser.parse(answer.content).entries] == ["Right"]
    assert b"Wrong" not in answer.content
    (stone,) = ElementTree.fromstring(answer.content).iter(TOMBSTONE)
    assert stone.get("ref") == f"dateline-post-{gone.id}"


def test_a_feed_that_did_not_change_is_not_sent_again(account: Account) -> None:
    posted(account, "Ferries", ago_s=60)
    first = Client().get(address(account))
    assert "max-age=60" in first["Cache-Control"]
    for told in (first["ETag"], f"W/{first['ETag']}", f'"x", {first["ETag"]}', "*"):
        again = Client().get(address(account), headers={"If-None-Match": told})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    posted(account, "More ferries")
    changed = Client().get(address(account), headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_only_the_newest_are_shown_and_a_hundred_cost_no_more_queries(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    for number in range(MOST + 5):
        posted(account, f"Story {number}", ago_s=number)
    with django_assert_max_num_queries(8):
        entries = read(account).entries
    assert [entry.title for entry in entries] == [f"Story {number}" for number in range(MOST)]


@pytest.mark.parametrize("token", ["1", "AAAA", "%00", "a" * 300, "é", "AAAAAAAAAAEAAAAAAAAAAAAAAAA"])
def test_a_token_we_never_gave_out_opens_nothing(account: Account, token: str) -> None:
    assert Client().get(f"/posts/{token}.rss").status_code == 404


def test_a_token_belongs_to_one_account_and_one_secret(account: Account) -> None:
    token = token_of(account.id, secret="one secret")
    assert account_of(token, secrets=["one secret"]) == account.id
    assert account_of(token, secrets=["another secret"]) is None
    assert account_of(f"x{token[1:]}", secrets=["one secret"]) is None
    assert account_of(token_of(account.id + 1, secret="one secret"), secrets=["one secret"]) == account.id + 1


def test_a_feed_is_only_read(account: Account) -> None:
    assert Client().post(address(account)).status_code == 405
    assert Client().head(address(account)).status_code == 200
