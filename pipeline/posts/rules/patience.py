"""How long a network's patience lasts: nobody posts while it asked us to wait; its last requests are for what cannot."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.posts.models import Account, Post

_KEY = "kept_until"  #: in Account.capacity


def kept(until: datetime) -> dict[str, str]:
    """What is kept of a window that is nearly used up, for Account.capacity."""
    return {_KEY: until.astimezone(UTC).isoformat()}


def kept_until(account: Account) -> datetime | None:
    """Until when the rest of the window is kept back; None where it is not."""
    try:
        return datetime.fromisoformat(account.capacity[_KEY])
    except (KeyError, TypeError, ValueError):
        return None


def can_wait(post: Post) -> bool:
    """Whether it may not use what is kept back: breaking news may, and whatever puts right what is wrong."""
    return not post.is_breaking and post.about_id is None


def limited(post: Post, *, now: datetime) -> datetime | None:
    """Until when a post has to wait for its network; None where it need not."""
    asked = [post.account.limited_until, kept_until(post.account) if can_wait(post) else None]
    return max((until for until in asked if until and until > now), default=None)


def spares(account: Account, *, now: datetime) -> bool:
    """Whether reading back is to wait for the window to open: words go first."""
    until = kept_until(account)
    return until is not None and until > now
