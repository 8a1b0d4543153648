from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.gates import holds
from pipeline.desk.stories import posts as desk_posts
from pipeline.posts.models import Account, Post, Variant
from tests.factories import articles, posts, staff

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


# -- what will go out


def pressed(desk: Client, name: str, post: Post | None = None, **values: str) -> str:
    """What the desk says after a button."""
    ids = {"post_id": post.id} if post else {}
    answer = desk.post(reverse(f"desk:{name}", kwargs=ids), values, follow=True)
    assert answer.status_code == 200
    page = lxml_html.document_fromstring(answer.content.decode())
    return words(page.xpath("//p[contains(@class, 'flash')]")[0])


def due(**fields: Any) -> Post:
    now = timezone.now()
    account = Account.objects.first() or posts.account(now=now)
    values = {"state": "due", "due_at": now + timedelta(hours=1), **fields}
    return posts.post(article=articles.article(now=now), account=account, now=now, **values)


def test_what_will_go_out_says_when_and_why_not_sooner(desk: Client) -> None:
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    due(code="quiet_hours", params={"until": until}, is_breaking=True)
    due(state="draft", code="asks_for_care", params={"topics": ["suicide"]})
    due(due_at=timezone.now() + timedelta(days=3))
    first, second = (words(row) for row in told(desk).xpath("//ol[contains(@class, 'timeline')]/li"))
    assert "Quiet hours until" in first and "breaking" in first
    assert "A person must read it first: the story is about suicide." in second


def test_each_account_tells_its_rules_and_its_money(desk: Client) -> None:
    posts.account(rules={"per_hour": 3}, budget_usd=Decimal("12.50"), now=timezone.now())
    posts.account(handle="@typo", rules={"per_huor": 3}, now=timezone.now())
    page = words(told(desk))
    assert "at most 3 an hour" in page and "$0.00 of $12.50 spent this month" in page
    assert "Its rules cannot be meant: per_huor" in page


@pytest.mark.parametrize(
    ("name", "state", "after", "said"),
    [
        ("approve_post", "draft", "due", "Approved"),
        ("hold_post", "due", "held", "Held"),
        ("cancel_post", "due", "cancelled", "Cancelled"),
        ("cancel_post", "sending", "sending", "is sending and can not be cancelled"),
    ],
)
def test_a_button_does_what_it_says(desk: Client, name: str, state: str, after: str, said: str) -> None:
    post = due(state=state)
    assert said in pressed(desk, name, post)
    post.refresh_from_db()
    assert post.state == after


def test_words_can_be_chosen_and_nonsense_is_refused(desk: Client) -> None:
    post = due()
    other = Variant.objects.create(post=post, tone="neutral quote", text="“Never seen”", length=12)
    assert "Say it like this" in words(told(desk))
    assert "in these words" in pressed(desk, "choose_words", post, variant=str(other.id))
    assert post.variants.get(chosen=True) == other
    assert "Nothing was changed" in pressed(desk, "choose_words", post, variant="x")


def test_a_post_in_doubt_is_settled_by_who_looked(desk: Client) -> None:
    post = due(state="held", code="cannot_read_back", params={"said": "no"})
    row = told(desk).xpath("//ol[contains(@class, 'timeline')]/li")[0]
    assert [button.text_content() for button in row.xpath(".//button")] == [
        "It is live",
        "It is not there: post it again",
    ]
    pressed(desk, "settle_post", post, live="yes")
    post.refresh_from_db()
    assert (post.state, post.code) == ("posted", "seen_by_person")


def test_the_brake_is_pulled_with_a_reason_and_let_go(desk: Client) -> None:
    assert "Say why" in pressed(desk, "stop_posting")
    assert "Stopped" in pressed(desk, "stop_posting", reason="a tragedy")
    assert "a tragedy" in words(told(desk).xpath("//div[@class='brake']")[0])
    assert "stopped already" in pressed(desk, "stop_posting", reason="again")
    assert "goes on" in pressed(desk, "post_again")
    assert "not stopped" in pressed(desk, "post_again")


def test_wrong_text_that_is_live_is_on_the_list_until_it_is_taken_down(desk: Client) -> None:
    post = due(state="posted", remote_id="p1", remote_url="https://agora.example/p1")
    assert told(desk).xpath("//*[@id='wrong']") == []
    holds.kill(article_id=post.article_id, actor=None, now=timezone.now(), reason="never happened")
    row = words(told(desk).xpath("//h2[@id='wrong']/../table//tr")[1])
    assert "killed" in row and "nothing yet" in row and "Take it down" in row
    pressed(desk, "take_down_post", post)
    assert "deletion of a post: due" in words(told(desk).xpath("//h2[@id='wrong']/../table//tr")[1])


def test_a_viewer_sees_it_all_and_has_no_button(client: Client) -> None:
    client.force_login(staff.ben())
    post = due(state="draft")
    page = told(client)
    assert "What will go out" in words(page)
    assert page.xpath("//main//button") == []
    assert "Your role" in pressed(client, "approve_post", post)
    assert "may not stop" in pressed(client, "stop_posting", reason="x")
