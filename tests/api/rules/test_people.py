"""Who works here, for programs of administrators."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.staff.models import Invitation, JournalEntry, User
from tests.api.conftest import Ask
from tests.factories.mornings import Morning


@pytest.fixture
def ask(as_one: Any) -> Ask:
    """An administrator's program."""
    asked: Ask = as_one("admin")
    return asked


@pytest.fixture
def ben(house: Morning) -> User:
    return User.objects.get(email="ben@example.org")


def test_somebody_is_asked_in_limited_to_what_there_is(ask: Ask, house: Morning) -> None:
    body = {"email": "Noor@Example.org", "role": "social", "newsletters": [house.ready.newsletter_id]}
    told = ask("POST", "/people/invite", body).json()
    assert re.search(r"/desk/join/[\w-]{20,}", told["message"]), "no relay takes letters here: the link is handed over"
    made = Invitation.objects.get()
    assert (made.email, made.role, made.grants) == ("noor@example.org", "social", [{"kind": "newsletter", "id": house.ready.newsletter_id}])  # fmt: skip
    assert [row["email"] for row in ask("GET", "/people/invitations").json()["invitations"]] == ["noor@example.org"]
    assert ask("POST", "/people/invite", {**body, "accounts": [10**9]}).status_code == 422
    assert ask("POST", "/people/invite", {"email": "not an address"}).status_code == 422
    assert ask("POST", "/people/invite", {"email": "ben@example.org"}).status_code == 409
    assert Invitation.objects.count() == 1


def test_a_role_is_changed_and_an_account_closed_and_opened_once_each(ask: Ask, ben: User) -> None:
    acts = (("role", {"role": "social", "reason": "away"}), ("close", {"reason": "left"}), ("open", {}))
    for act, body in acts:
        answers = [ask("POST", f"/people/{ben.id}/{act}", body).json() for _ in range(2)]
        assert [one["done"] for one in answers] == [True, False]
        assert answers[0]["person"]["is_active"] is (act != "close")
    ben.refresh_from_db()
    assert (ben.role, ben.is_active) == ("social", True)
    entries = JournalEntry.objects.filter(subject="user", subject_id=ben.id).order_by("id")
    assert list(entries.values_list("verb", "reason")) == [("change role", "away"), ("close account", "left"), ("open account", "")]  # fmt: skip


def test_somebody_is_limited_to_some_and_let_at_all_again(ask: Ask, ben: User, house: Morning) -> None:
    path, number = f"/people/{ben.id}/limit", house.ready.newsletter_id
    limited, again = (ask("POST", path, {"is_limited": True, "newsletters": [number]}).json() for _ in range(2))
    assert (limited["done"], again["done"]) == (True, False)
    assert (limited["person"]["is_limited"], limited["person"]["newsletters"]) == (True, [number])
    freed = ask("POST", path, {"is_limited": False}).json()["person"]
    assert (freed["is_limited"], freed["newsletters"]) == (False, [])
    told = JournalEntry.objects.filter(verb="change limits").order_by("id").values_list("detail", flat=True)
    assert [(one["old"], one["new"]) for one in told] == [
        ("all", [f"newsletter {number}"]),
        ([f"newsletter {number}"], "all"),
    ]


def test_the_last_administrator_stays_and_nobody_closes_themselves(ask: Ask, house: Morning) -> None:
    me = User.objects.get(role="admin")
    for act, body in (("role", {"role": "viewer"}), ("close", {})):
        answer = ask("POST", f"/people/{me.id}/{act}", body)
        assert (answer.status_code, answer.json()["current"]["role"]) == (409, "admin")
    assert [row["email"] for row in ask("GET", "/people", None, size=1).json()["people"]] == [
        User.objects.latest("id").email
    ]
