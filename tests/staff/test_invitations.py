from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.staff import invitations, people
from pipeline.staff.models import Grant, Invitation, JournalEntry, Role, User
from tests.factories import staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 6, 0, tzinfo=UTC)


@pytest.fixture
def admin() -> User:
    return staff.user(email="root@example.org", name="Root", role=Role.ADMIN)


def asked(admin: User, email: str = "New@Example.org", role: Role = Role.EDITOR, **fields: object) -> str:
    return invitations.invite(email=email, role=role, by=admin, now=NOW, **fields)[1]  # type: ignore[arg-type]


def test_an_invitation_makes_one_account_with_its_role_and_limits(admin: User) -> None:
    token = asked(admin, grants=[(Grant.Kind.NEWSLETTER, 7)])
    made = invitations.accept(token=token, name=" Noor ", password=staff.PASSWORD, now=NOW)
    assert (made.email, made.name, made.role, made.is_limited) == ("new@example.org", "Noor", Role.EDITOR, True)
    assert made.check_password(staff.PASSWORD)
    assert [(one.kind, one.object_id) for one in made.grants.all()] == [("newsletter", 7)]
    with pytest.raises(invitations.Refused, match="was used"):
        invitations.accept(token=token, name="Again", password=staff.PASSWORD, now=NOW)
    assert {"invite", "join"} <= set(JournalEntry.objects.values_list("verb", flat=True))


def test_the_token_is_not_kept(admin: User) -> None:
    token = asked(admin)
    kept = Invitation.objects.get()
    assert token.encode() not in bytes(kept.token_hash)


@pytest.mark.parametrize("late", [timedelta(days=7), timedelta(days=30)])
def test_it_expires(admin: User, late: timedelta) -> None:
    token = asked(admin)
    with pytest.raises(invitations.Refused, match="expired"):
        invitations.open_one(token=token, now=NOW + late)


def test_a_newer_one_replaces_the_older(admin: User) -> None:
    first, second = asked(admin), asked(admin)
    with pytest.raises(invitations.Refused):
        invitations.open_one(token=first, now=NOW)
    assert invitations.open_one(token=second, now=NOW).email == "new@example.org"


def test_a_colleague_is_not_invited_again(admin: User) -> None:
    with pytest.raises(invitations.Refused, match="has an account"):
        asked(admin, email="ROOT@example.org")


def test_the_last_administrator_stays(admin: User) -> None:
    other = staff.ada()
    with pytest.raises(people.Refused, match="only administrator"):
        people.change_role(user_id=admin.id, role=Role.VIEWER, by=admin, now=NOW)
    with pytest.raises(people.Refused, match="only administrator"):
        people.close(user_id=admin.id, by=other, now=NOW)
    people.change_role(user_id=other.id, role=Role.ADMIN, by=admin, now=NOW, reason="holiday")
    people.close(user_id=admin.id, by=other, now=NOW)
    assert not User.objects.get(id=admin.id).is_active
    assert JournalEntry.objects.get(verb="change role").detail == {"old": "editor", "new": "admin"}


def test_nobody_closes_the_account_they_use(admin: User) -> None:
    staff.user(email="second@example.org", role=Role.ADMIN)
    with pytest.raises(people.Refused, match="your own"):
        people.close(user_id=admin.id, by=admin, now=NOW)
