"""How much one server takes, where servers of a network differ: what it told of itself, asked once a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.posts.models import Account
from pipeline.posts.rules.rules import Rules

EVERY = timedelta(days=1)


def asked(*, at: datetime) -> dict[str, str]:
    """What is kept of having asked, for Account.capacity."""
    return {"at": at.astimezone(UTC).isoformat()}


def told(*, limit: int, media: int, at: datetime) -> dict[str, object]:
    """What is kept of the answer, for Account.capacity."""
    return {"limit": limit, "media": media, **asked(at=at)}


def is_due(account: Account, *, now: datetime) -> bool:
    """Whether nobody asked for a day."""
    try:
        return datetime.fromisoformat(account.capacity["at"]) <= now - EVERY
    except (KeyError, TypeError, ValueError):
        return True


def within(rules: Rules, account: Account) -> Rules:
    """The rules with the length that the server takes; a desk's own is never raised by it."""
    limit = account.capacity.get("limit")
    if not isinstance(limit, int) or limit <= 0:
        return rules
    return replace(rules, length=min(rules.length or limit, limit))
