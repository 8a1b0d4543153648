"""Keys of integrations: one acts as its owner, with at most its own role, until it ends. Shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from pipeline.staff import journal
from pipeline.staff.models import ApiToken, Role, User

PREFIX = "dl_"
#: From the least to the most: each may all that those before it may.
RANKS = (Role.VIEWER, Role.SOCIAL, Role.EDITOR, Role.HEAD, Role.ADMIN)
MOST = 20  #: live ones of one owner
LONGEST = timedelta(days=366)
#: `last_used_at` is told to the minute: a busy integration must not write a row with every request.
SEEN_EVERY = timedelta(minutes=1)


class Refused(Exception):
    """Why no token was made; nothing was changed."""


def lesser(one: str, other: str) -> Role:
    """Of two roles the one that may less."""
    return min(Role(one), Role(other), key=RANKS.index)


@transaction.atomic
def issue(*, owner: User, name: str, role: Role, expires_at: datetime | None, now: datetime) -> tuple[ApiToken, str]:
    """Make a token; the row, and the text that opens the door, which is kept nowhere. Raises Refused."""
    named = " ".join(name.split())[:80]
    if not named:
        raise Refused("Say what uses it: the name stands in the list. No token was made.")
    if lesser(role, owner.role) != role:
        raise Refused("A token may do no more than its owner may. No token was made; choose a lesser role.")
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        raise Refused("It must end in the future, within a year. No token was made.")
    User.objects.select_for_update().get(id=owner.id)
    if live(now=now).filter(owner=owner).count() >= MOST:
        raise Refused(f"You have {MOST} tokens. No token was made; revoke one that is not used.")
    text = PREFIX + secrets.token_urlsafe(32)
    made = ApiToken.objects.create(
        name=named, token_hash=_hash(text), owner=owner, role=role, created_at=now, expires_at=expires_at
    )
    ends = expires_at.isoformat() if expires_at else None
    journal.note(
        verb="make token", subject="token", subject_id=made.id, actor=owner, now=now, name=named, role=role, ends=ends
    )  # fmt: skip
    return made, text


@transaction.atomic
def revoke(*, token_id: int, by: User, now: datetime) -> bool:
    """End a token with its next request: by its owner, or by an administrator. True if it was live.

    Raises ApiToken.DoesNotExist where it is none of theirs.
    """
    token = seen_by(by).get(id=token_id)
    ended = ApiToken.objects.filter(id=token.id, revoked_at=None).update(revoked_at=now)
    if ended:
        journal.note(verb="revoke token", subject="token", subject_id=token.id, actor=by, now=now, name=token.name)
    return bool(ended)


def seen_by(user: User) -> QuerySet[ApiToken]:
    """The tokens somebody may see and revoke: their own; an administrator's are everybody's."""
    rows = ApiToken.objects.select_related("owner").order_by("-created_at", "-id")
    return rows if user.role == Role.ADMIN else rows.filter(owner=user)


def live(*, now: datetime) -> QuerySet[ApiToken]:
    """Tokens that open the door."""
    return ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def opened_by(text: str, *, now: datetime) -> ApiToken | None:
    """The token of a text that opens the door now; its owner has the role the token leaves them and acts through it, in memory only."""
    if not text.startswith(PREFIX) or len(text) > 200 or not text.isascii():
        return None
    found = live(now=now).filter(token_hash=_hash(text), owner__is_active=True).select_related("owner").first()
    if found is None:
        return None
    if found.last_used_at is None or found.last_used_at <= now - SEEN_EVERY:
        ApiToken.objects.filter(id=found.id).update(last_used_at=now)
    found.owner.role = lesser(found.role, found.owner.role)
    journal.through(found.owner, found.name)
    return found


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"dl-api-token").digest()
