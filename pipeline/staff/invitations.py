"""Inviting someone to work here: a letter, a password of their own, a role. Works once, for a week."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from pipeline.staff import journal
from pipeline.staff.models import Grant, Invitation, Role, User

LASTS = timedelta(days=7)


class Refused(Exception):
    """Why nobody was invited, or an invitation does not work; nothing was changed."""


@transaction.atomic
def invite(
    *, email: str, role: Role, by: User, now: datetime, grants: Iterable[tuple[Grant.Kind, int]] = ()
) -> tuple[Invitation, str]:
    """Make an invitation; the row and the token for its link, which is kept nowhere. An older one to them ends.

    Raises Refused for an address that has an account.
    """
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise Refused(f"{address} has an account already. Nothing was sent; change their role in the list instead.")
    Invitation.objects.filter(email=address, used_at=None).update(expires_at=now)
    token = secrets.token_urlsafe(24)
    made = Invitation.objects.create(
        email=address, role=role, by=by, created_at=now, expires_at=now + LASTS, token_hash=_hash(token),
        grants=[{"kind": str(kind), "id": pk} for kind, pk in grants],
    )  # fmt: skip
    journal.note(verb="invite", subject="invitation", subject_id=made.id, actor=by, now=now, email=address, role=role)
    return made, token


def open_one(*, token: str, now: datetime) -> Invitation:
    """The invitation of a link. Raises Refused, in one sentence for every reason a link may not work."""
    found = Invitation.objects.filter(token_hash=_hash(token), used_at=None, expires_at__gt=now).first()
    if found is None:
        raise Refused("This invitation was used, has expired, or was replaced by a newer one. Ask for a new one.")
    return found


@transaction.atomic
def accept(*, token: str, name: str, password: str, now: datetime) -> User:
    """Make the account. The caller has validated the password. Raises Refused."""
    found = open_one(token=token, now=now)
    if not Invitation.objects.filter(id=found.id, used_at=None).update(used_at=now):
        raise Refused("This invitation was used a moment ago. Sign in with the password chosen then.")
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                found.email, password, name=name.strip()[:120], role=found.role, is_limited=bool(found.grants)
            )
    except IntegrityError as error:
        raise Refused("This address has an account already. Sign in with it.") from error
    Grant.objects.bulk_create(Grant(user=user, kind=one["kind"], object_id=one["id"]) for one in found.grants)
    journal.note(verb="join", subject="user", subject_id=user.id, actor=user, now=now, role=found.role)
    return user


def _hash(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=16, person=b"dl-invitation").digest()
