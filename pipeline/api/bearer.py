"""Who asks, by the token, and what they may: by role, and by the newsletters and accounts they are limited to."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from pipeline.api import rates
from pipeline.api.answers import Refusing
from pipeline.posts.acts import review
from pipeline.staff import people, tokens
from pipeline.staff.models import ApiToken, Grant, Role, User

CLOSED = "This door opens with a token of Dateline's: Authorization: Bearer dl_…"
OPENED_BY = "Make a token at the desk, under your account; it may have expired or been revoked."


class Asked(HttpRequest):
    """A request behind the door: its token is known. For the type checker; nothing makes one."""

    auth: ApiToken


class Bearer(HttpBearer):
    """A token of an active account, not more often than it may."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:  # noqa: ARG002 - ninja's signature
        now = timezone.now()
        found = tokens.opened_by(token, now=now)
        if found is None:
            return None
        wait_s = rates.wait_of(found.id, now=now)
        if wait_s:
            message = f"This token made more than {rates.MOST_A_MINUTE} requests in a minute."
            raise Refusing(
                429, "too_many", message, hint=f"Ask again in {wait_s} s.", headers={"Retry-After": str(wait_s)}
            )
        return found


def caller(request: Asked) -> User:
    """Whoever the token acts for, with the role it leaves them."""
    return request.auth.owner


def editor(request: Asked) -> User:
    """Someone who may change editions, stories, sources and lists."""
    user = caller(request)
    if not user.may_edit:
        raise forbidden("edits")
    return user


def head(request: Asked) -> User:
    """Someone who decides how things work."""
    user = caller(request)
    if not user.is_active or user.role not in {Role.ADMIN, Role.HEAD}:
        raise forbidden("decides how things work: a desk head's or an administrator's")
    return user


def head_of(request: Asked, newsletter_id: int) -> User:
    """Someone who decides how this newsletter works."""
    user = head(request)
    touch(user, Grant.Kind.NEWSLETTER, newsletter_id)
    return user


def admin(request: Asked) -> User:
    """Someone who decides who may do what."""
    user = caller(request)
    if not user.is_active or user.role != Role.ADMIN:
        raise forbidden("decides who may do what: an administrator's")
    return user


def poster(request: Asked) -> User:
    """Someone who may decide about posts."""
    user = caller(request)
    if not review.may(user):
        raise forbidden("decides about posts")
    return user


def touch(user: User, kind: Grant.Kind, object_id: int) -> None:
    """Turn down whoever is limited to other newsletters or accounts."""
    if not people.may_touch(user, kind, object_id):
        raise Refusing(
            403, "forbidden", f"The owner of this token works for other {kind.value}s than this one.",
            hint="An administrator can add it to what they work for.",
        )  # fmt: skip


def forbidden(does: str) -> Refusing:
    """The role is too small."""
    hint = "Use a token of somebody whose role may, or ask an administrator."
    return Refusing(
        403, "forbidden", f"The role of this token looks but does not do this: it takes one that {does}.", hint=hint
    )
