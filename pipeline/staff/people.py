"""Changing what a colleague may do. An administrator is never the last one to go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from pipeline.staff import journal
from pipeline.staff.models import Grant, Role, User


class Refused(Exception):
    """Why nothing was changed."""


def may_touch(user: User, kind: Grant.Kind, object_id: int) -> bool:
    """Whether someone's limits let them act on this newsletter or account; what their role allows is another question."""
    return not user.is_limited or user.grants.filter(kind=kind, object_id=object_id).exists()


def may_edit(user: User, newsletter_id: int) -> bool:
    """Whether role and limits let someone act on this newsletter and its editions."""
    return user.may_edit and may_touch(user, Grant.Kind.NEWSLETTER, newsletter_id)


@transaction.atomic
def change_role(*, user_id: int, role: Role, by: User, now: datetime, reason: str = "") -> None:
    """Give someone another role. Raises Refused where nobody would be left to administer, and User.DoesNotExist."""
    user = _locked(user_id)
    if user.role == role:
        return
    if user.role == Role.ADMIN:
        _another_administrator(user)
    User.objects.filter(id=user_id).update(role=role)
    journal.note(
        verb="change role", subject="user", subject_id=user_id, actor=by, now=now, reason=reason, old=user.role, new=role
    )  # fmt: skip


@transaction.atomic
def limit(
    *, user_id: int, grants: Collection[tuple[Grant.Kind, int]] | None, by: User, now: datetime, reason: str = ""
) -> bool:
    """Let someone act on these newsletters and accounts alone; None is on all. False where it was so already.

    Raises User.DoesNotExist.
    """
    user = _locked(user_id)
    before = sorted(user.grants.values_list("kind", "object_id")) if user.is_limited else None
    wanted = None if grants is None else sorted({(str(kind), pk) for kind, pk in grants})
    if before == wanted:
        return False
    User.objects.filter(id=user_id).update(is_limited=wanted is not None)
    user.grants.all().delete()
    Grant.objects.bulk_create(Grant(user=user, kind=kind, object_id=pk) for kind, pk in wanted or ())
    told = {
        name: "all" if pairs is None else [f"{kind} {pk}" for kind, pk in pairs]
        for name, pairs in (("old", before), ("new", wanted))
    }
    journal.note(verb="change limits", subject="user", subject_id=user_id, actor=by, now=now, reason=reason, **told)
    return True


@transaction.atomic
def close(*, user_id: int, by: User, now: datetime, reason: str = "") -> None:
    """Close an account: its sessions end with its next request. Raises Refused and User.DoesNotExist."""
    user = _locked(user_id)
    if user.id == by.id:
        raise Refused("You cannot close your own account; another administrator can. Nothing was changed.")
    if user.role == Role.ADMIN:
        _another_administrator(user)
    User.objects.filter(id=user_id).update(is_active=False)
    journal.note(verb="close account", subject="user", subject_id=user_id, actor=by, now=now, reason=reason)


@transaction.atomic
def open_again(*, user_id: int, by: User, now: datetime, reason: str = "") -> None:
    """Let someone in again, with the role they had. Raises User.DoesNotExist."""
    User.objects.filter(id=_locked(user_id).id).update(is_active=True)
    journal.note(verb="open account", subject="user", subject_id=user_id, actor=by, now=now, reason=reason)


def _locked(user_id: int) -> User:
    return User.objects.select_for_update().get(id=user_id)


def _another_administrator(user: User) -> None:
    others = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).exclude(id=user.id)
    if not others.exists():
        raise Refused("This is the only administrator. Make another one first; nothing was changed.")
