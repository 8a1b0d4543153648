"""Finding out about a post in doubt: the account is read back, with patience, before anything is placed again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pipeline.channels.base import Channel
from pipeline.delivery.posting import parts
from pipeline.posts import budget
from pipeline.posts.models import Post

#: Timelines are eventually consistent: absent twice, a minute apart, before a post counts as not placed.
ABSENT_TIMES = 2
LOOK_AGAIN = timedelta(seconds=60)
#: Own posts a network that charges for reading them is charged for, at most, in one look.
_READ = 20


def look(post: Post, channel: Channel, *, now: datetime) -> dict[str, Any]:
    """Read the account back. Found: posted. Absent often enough: due again. Otherwise look once more, later.

    Raises Temporary, RateLimited, and Permanent where the network cannot be read back: then a person must look.
    """
    usd = budget.reading(post.account.network, posts=_READ)
    budget.reserve_reading(post.account, usd=usd, now=now, key=f"look-{post.id}-{post.fence}", post=post)
    found = parts.find(post, channel)
    if found is not None and not parts.is_whole(post):
        return {"state": Post.State.DUE, "code": "thread_goes_on", "params": {}, "absent": 0, "due_at": now}
    if found is not None:
        return {
            "state": Post.State.POSTED,
            "code": "",
            "remote_id": post.remote_id or found.remote_id,
            "remote_url": post.remote_url or found.url or "",
            "posted_at": now,
        }
    if post.absent + 1 < ABSENT_TIMES:
        again = {"absent": post.absent + 1, "due_at": now + LOOK_AGAIN}
        return {"state": Post.State.UNKNOWN, "code": "no_answer", **again}
    parts.forget_doubt(post)
    return {"state": Post.State.DUE, "code": "was_not_placed", "absent": 0, "due_at": now}
