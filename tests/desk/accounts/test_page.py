"""An account's page: its rules in words, a template tried before it is kept, pause and resume in the journal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from lxml import html

from pipeline.posts.acts import review
from pipeline.posts.models import Account, Post
from pipeline.staff.models import Grant, JournalEntry, Role, User
from tests.factories import articles, posts, staff

pytestmark = pytest.mark.django_db
GOOD = "{{ headline }} — {{ link }}"


@pytest.fixture
def account() -> Account:
    return posts.account(
        network="mastodon", budget_usd=Decimal(20), zone="Asia/Kolkata", rules={"quiet": ["23:00", "06:30"]}
    )


def told(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def typed(answer: Any) -> str:
    [field] = html.fromstring(answer.content).xpath("//textarea")
    return str(field.text or "")


def at(account: Account, act: str = "") -> str:
    return f"/desk/posts/accounts/{account.id}/{act}"


def test_an_account_tells_its_rules_its_money_and_how_the_newest_story_reads(desk: Client, account: Account) -> None:
    articles.article(headline="Rain in Quito")
    page = told(desk.get(at(account)))
    for part in ("quiet from 23:00 to 06:30", "$0.00 of $20.00", "Asia/Kolkata", "Rain in Quito", "of 500"):
        assert part in page
    assert at(account) in desk.get("/desk/posts/").content.decode()


def test_trying_a_template_keeps_nothing_and_shows_its_words(desk: Client, account: Account) -> None:
    answer = desk.post(at(account, "template"), {"template": GOOD})
    assert "Ferries sail again after three days of storm — https://go.example.org" in told(answer)
    assert "not kept yet" in told(answer)
    assert Account.objects.get().template == ""


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ headline", "Line 1"),
        ("{{ headlin }} {{ link }}", "headlin"),
        ("{% for x in range(999999999) %}{{ x }}{% endfor %}", "not allowed here"),
        ("{{ ''.__class__ }}", "__class__"),
        ("{{ 1 / 0 }}", "div is not allowed here"),
        ("x" * 4001, "4000 is the most"),
    ],
)
@pytest.mark.parametrize("keep", ["no", "yes"])
def test_a_template_that_does_not_work_comes_back_with_its_fault(
    desk: Client, account: Account, template: str, fault: str, keep: str
) -> None:
    answer = desk.post(at(account, "template"), {"template": template, "keep": keep})
    [wrong] = html.fromstring(answer.content).xpath("//*[@id='template-wrong']")
    assert fault in wrong.text
    assert typed(answer).strip() == template, "nothing that was typed is lost"
    assert Account.objects.get().template == ""


def test_a_kept_template_is_the_accounts_and_stands_in_the_journal(desk: Client, account: Account) -> None:
    answer = desk.post(at(account, "template"), {"template": GOOD, "keep": "yes"}, follow=True)
    assert "Kept" in told(answer)
    assert Account.objects.get().template == GOOD
    desk.post(at(account, "template"), {"template": "  ", "keep": "yes"})
    assert Account.objects.get().template == "", "an empty one is the network's own"
    assert list(JournalEntry.objects.order_by("id").values_list("verb", "detail")) == [
        ("change template", {"before": ""}), ("change template", {"before": GOOD}),
    ]  # fmt: skip


def test_an_account_is_paused_with_a_reason_and_resumed(desk: Client, account: Account) -> None:
    assert "Say why" in told(desk.post(at(account, "pause"), follow=True))
    assert Account.objects.get().state == "active"
    page = told(desk.post(at(account, "pause"), {"reason": "a new owner"}, follow=True))
    assert "This account is paused." in page
    assert "a new owner" in page
    desk.post(at(account, "resume"))
    assert Account.objects.get().state == "active"
    assert "Nothing was changed" in told(desk.post(at(account, "resume"), follow=True))


def test_an_account_locked_out_by_its_network_is_not_resumed_by_a_button(desk: Client, account: Account) -> None:
    Account.objects.update(state="broken")
    assert "connect it again" in told(desk.post(at(account, "resume"), follow=True))
    assert Account.objects.get().state == "broken"


@pytest.mark.parametrize("act", ["template", "pause", "resume"])
def test_only_a_form_changes_anything(desk: Client, account: Account, act: str) -> None:
    assert desk.get(at(account, act)).status_code == 405


def limited(role: Role) -> User:
    """Someone whose limits name another account."""
    user = staff.user(email="lia@example.org", role=role)
    User.objects.filter(id=user.id).update(is_limited=True)
    other = posts.account(network="x", handle="@other")
    Grant.objects.create(user=user, kind=Grant.Kind.ACCOUNT, object_id=other.id)
    return User.objects.get(id=user.id)


@pytest.mark.parametrize("who", ["viewer", "limited"])
def test_who_may_only_look_changes_nothing(client: Client, account: Account, who: str) -> None:
    user = staff.ben() if who == "viewer" else limited(Role.SOCIAL)
    client.force_login(user)
    assert html.fromstring(client.get(at(account)).content).xpath("//main//button") == []
    for act, form in (("template", {"template": GOOD, "keep": "yes"}), ("pause", {"reason": "mine"})):
        assert "Nothing was changed" in told(client.post(at(account, act), form, follow=True))
    assert list(Account.objects.filter(id=account.id).values_list("state", "template")) == [("active", "")]


def test_a_posts_fate_is_decided_by_who_has_its_account(account: Account) -> None:
    user = limited(Role.SOCIAL)
    post = posts.post(article=articles.article(), account=account, state=Post.State.DUE)
    with pytest.raises(review.Refused, match="other accounts"):
        review.hold(post_id=post.id, actor=user, now=posts.NOW)
    mine = posts.post(article=articles.article(), account=Account.objects.get(handle="@other"), state=Post.State.DUE)
    assert review.hold(post_id=mine.id, actor=user, now=posts.NOW).state == "held"
