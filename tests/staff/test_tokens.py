"""Tokens open the door as their owner, with at most their own role, until they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.staff import tokens
from pipeline.staff.models import ApiToken, JournalEntry, Role, User
from tests.factories import staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


def made(owner: User, *, role: Role = Role.EDITOR, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    return tokens.issue(owner=owner, name=" CMS\n plug-in ", role=role, expires_at=expires_at, now=NOW)


def test_a_token_is_kept_as_a_hash_only_and_its_making_stands_in_the_journal() -> None:
    token, text = made(staff.ada())
    assert token.name == "CMS plug-in"
    assert text.startswith("dl_") and len(text) > 40
    assert text[3:].encode() not in bytes(token.token_hash)
    entry = JournalEntry.objects.get(verb="make token", subject_id=token.id)
    assert text not in str(entry.detail) and entry.detail["role"] == "editor"
    found = tokens.opened_by(text, now=NOW)
    assert found is not None and found.id == token.id


@pytest.mark.parametrize(
    ("owner", "role", "acts_as"),
    [("editor", "viewer", "viewer"), ("admin", "editor", "editor"), ("editor", "editor", "editor")],
)
def test_it_acts_with_the_lesser_role(owner: str, role: str, acts_as: str) -> None:
    ada = staff.user(role=Role(owner))
    _, text = made(ada, role=Role(role))
    found = tokens.opened_by(text, now=NOW)
    assert found is not None and found.owner.role == acts_as
    ada.refresh_from_db()
    assert ada.role == owner


def test_an_owner_who_may_less_now_takes_the_token_along() -> None:
    ada = staff.user(role=Role.ADMIN)
    _, text = made(ada, role=Role.HEAD)
    User.objects.update(role=Role.VIEWER)
    found = tokens.opened_by(text, now=NOW)
    assert found is not None and found.owner.role == Role.VIEWER


def test_nobody_makes_a_token_that_may_more_than_they_do() -> None:
    with pytest.raises(tokens.Refused, match="no more than its owner"):
        made(staff.ada(), role=Role.HEAD)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("days", [0, -1, 400])
def test_its_end_lies_ahead_within_a_year(days: int) -> None:
    with pytest.raises(tokens.Refused, match="within a year"):
        made(staff.ada(), expires_at=NOW + timedelta(days=days))


def test_a_token_needs_a_name() -> None:
    with pytest.raises(tokens.Refused, match="what uses it"):
        tokens.issue(owner=staff.ada(), name=" \n", role=Role.VIEWER, expires_at=None, now=NOW)


def test_one_owner_has_so_many_at_most() -> None:
    ada = staff.ada()
    for _ in range(tokens.MOST):
        last, _text = made(ada)
    with pytest.raises(tokens.Refused, match="revoke one"):
        made(ada)
    tokens.revoke(token_id=last.id, by=ada, now=NOW)
    made(ada)


def test_what_has_ended_opens_nothing() -> None:
    ada = staff.ada()
    _, short = made(ada, expires_at=NOW + timedelta(days=1))
    token, text = made(ada)
    assert tokens.opened_by(short, now=NOW + timedelta(days=1)) is None
    assert tokens.revoke(token_id=token.id, by=ada, now=NOW)
    assert not tokens.revoke(token_id=token.id, by=ada, now=NOW), "it says once that it ended it"
    assert tokens.opened_by(text, now=NOW) is None
    assert JournalEntry.objects.filter(verb="revoke token").count() == 1


@pytest.mark.parametrize("text", ["", "dl_", "dl_nothing", "dl_" + "x" * 300, "dl_ü", "Bearer"])
def test_what_we_never_gave_out_opens_nothing(text: str) -> None:
    assert tokens.opened_by(text, now=NOW) is None


def test_a_closed_account_has_no_tokens_that_work() -> None:
    ada = staff.ada()
    _, text = made(ada)
    User.objects.update(is_active=False)
    assert tokens.opened_by(text, now=NOW) is None


def test_only_its_owner_and_an_administrator_may_revoke_it() -> None:
    ada, ben = staff.ada(), staff.ben()
    token, _ = made(ada)
    with pytest.raises(ApiToken.DoesNotExist):
        tokens.revoke(token_id=token.id, by=ben, now=NOW)
    assert tokens.revoke(token_id=token.id, by=staff.user(email="o@example.org", role=Role.ADMIN), now=NOW)


def test_its_last_use_is_told_to_the_minute() -> None:
    token, text = made(staff.ada())
    for seconds in (0, 59):
        tokens.opened_by(text, now=NOW + timedelta(seconds=seconds))
    token.refresh_from_db()
    assert token.last_used_at == NOW
    tokens.opened_by(text, now=NOW + timedelta(seconds=60))
    token.refresh_from_db()
    assert token.last_used_at == NOW + timedelta(seconds=60)
