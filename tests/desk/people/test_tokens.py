"""Tokens at the desk: made with a form, shown once, revoked with a button."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from pipeline.staff import tokens
from pipeline.staff.models import ApiToken, User
from tests.factories import staff

MAKE = {"name": "CMS", "role": "editor", "days": "90"}


def test_a_made_token_is_shown_once_and_works(desk: Client, ada: User) -> None:
    answer = desk.post("/desk/account/tokens/make", MAKE)
    [text] = re.findall(r"dl_[\w-]{43}", answer.content.decode())
    token = ApiToken.objects.get(owner=ada)
    found = tokens.opened_by(text, now=token.created_at)
    assert found is not None and found.id == token.id
    assert token.expires_at is not None and (token.expires_at - token.created_at).days == 90
    again = desk.get("/desk/account/tokens/").content.decode()
    assert "CMS" in again and text not in again


def test_a_role_above_ones_own_is_not_offered_and_not_taken(desk: Client) -> None:
    assert 'value="head"' not in desk.get("/desk/account/tokens/").content.decode()
    answer = desk.post("/desk/account/tokens/make", {**MAKE, "role": "admin"})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_what_the_rules_refuse_is_said_in_words(desk: Client) -> None:
    for _ in range(tokens.MOST):
        desk.post("/desk/account/tokens/make", MAKE)
    answer = desk.post("/desk/account/tokens/make", MAKE)
    assert answer.status_code == 409
    assert "revoke one" in answer.content.decode()


def test_a_revoked_token_says_so(desk: Client) -> None:
    desk.post("/desk/account/tokens/make", {**MAKE, "days": ""})
    token = ApiToken.objects.get()
    assert token.expires_at is None
    told = desk.post(f"/desk/account/tokens/{token.id}/revoke", follow=True).content.decode()
    assert "turned away" in told and "revoked" in told
    assert "revoked before" in desk.post(f"/desk/account/tokens/{token.id}/revoke", follow=True).content.decode()


@pytest.mark.django_db
def test_a_token_of_somebody_else_is_not_found(desk: Client) -> None:
    ben = staff.ben()
    token, _ = tokens.issue(owner=ben, name="x", role=tokens.Role.VIEWER, expires_at=None, now=ben.created_at)
    assert desk.post(f"/desk/account/tokens/{token.id}/revoke").status_code == 404
    assert "x" not in [row.name for row in tokens.seen_by(User.objects.get(email="ada@example.org"))]
