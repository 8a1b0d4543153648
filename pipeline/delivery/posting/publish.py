"""One post or act, done once: intent before the call, and an unclear answer is read back, never repeated blindly."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.channels.base import (
    Channel,
    Expired,
    Gone,
    Permanent,
    Published,
    RateLimited,
    Spent,
    Temporary,
    Unanswerable,
    Unauthorised,
    Unknown,
)
from pipeline.delivery.posting import access, acts, parts, reconcile
from pipeline.delivery.posting.claim import claim
from pipeline.hooks.tell import tell
from pipeline.kernel.queue import Job, wake
from pipeline.kernel.secrets import Sealed
from pipeline.posts.acts import brake, corrections
from pipeline.posts.models import Post

log = logging.getLogger("dateline.posts")

MOST_TRIES = 8
#: A thread gives up its turn after this, well before its lease runs out.
TURN = timedelta(seconds=45)


def publish(*, post_id: int, now: datetime, channel: Channel | None = None) -> str | None:
    """Do what a due post asks for, or find out about one in doubt; the state it ends in, or None if not ours to do."""
    corrections.word_again(post_id, now=now)
    with brake.on_the_wire():
        claimed = claim(post_id, now=now)
        if claimed is None:
            return None
        state, fence = claimed
        post = Post.objects.select_related("account", "article", "about").get(id=post_id)
        post.fence = fence  # ours, whoever has it now
        changes = _done(post, state, now=now, channel=channel)
    with transaction.atomic():
        kept = Post.objects.filter(id=post_id, fence=fence).update(leased_until=None, **changes)
        if kept and changes["state"] == Post.State.POSTED and post.act == Post.Act.PUBLISH:
            tell(event="post.posted", body=_told(post, changes), now=now)
    if kept and changes["state"] == Post.State.DUE and "due_at" in changes and changes["due_at"] <= now:
        wake(Job.POSTS_PUBLISH, post_id=post_id)
    return str(changes["state"]) if kept else None


def _done(post: Post, state: str, *, now: datetime, channel: Channel | None) -> dict[str, Any]:
    """Make the call, and say what is known afterwards as changes to the row."""
    in_doubt, line = state == Post.State.UNKNOWN, channel
    try:
        line = access.fresh_channel(post.account, now=now, channel=channel)
        changes = reconcile.look(post, line, now=now) if in_doubt else _act(post, line, now=now)
    except parts.OutOfLeaseError:
        return {"state": Post.State.DUE, "code": "thread_goes_on", "params": {}, "due_at": now}
    except (Permanent, Sealed) as error:
        return _refused(post, error, in_doubt=in_doubt, now=now)
    except Unknown as error:
        return _lost(post, error, now=now)
    except Temporary as error:
        return _later(post, error, line, now=now, state=Post.State.UNKNOWN if in_doubt else Post.State.DUE)
    access.note_limits(post.account, getattr(line, "limits", None))
    access.forgive(post.account, now=now)
    access.learn(post.account, line, now=now)
    return changes


def _act(post: Post, line: Channel, *, now: datetime) -> dict[str, Any]:
    match post.act:
        case Post.Act.EDIT:
            return acts.edit(post, line, now=now, until=timezone.now() + TURN)
        case Post.Act.DELETE:
            return acts.delete(post, line, now=now)
        case _:
            return _placed(parts.place(post, line, until=timezone.now() + TURN), now=now)


def _told(post: Post, changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": post.id,
        "network": post.account.network,
        "url": changes.get("remote_url", post.remote_url),
        "article": post.article_id,
    }


def _placed(found: Published, *, now: datetime) -> dict[str, Any]:
    return {
        "state": Post.State.POSTED,
        "code": "",
        "remote_id": found.remote_id,
        "remote_url": found.url or "",
        "posted_at": now,
    }


def _refused(post: Post, error: Permanent | Sealed, *, in_doubt: bool, now: datetime) -> dict[str, Any]:
    """Provably not done, and not to be tried again by itself. A lost login is the account's fault, not the post's.

    A correction that may not be an answer is said in a post of its own; a thread ends with the part that is out.
    """
    said = {"said": str(error)[:300]}
    if isinstance(error, Unauthorised):
        access.lock_out(post.account, error)
        return {"state": Post.State.UNKNOWN if in_doubt else Post.State.DUE, "code": "reconnect", "params": said}
    if in_doubt or isinstance(error, Spent):
        code = "cannot_read_back" if in_doubt else "network_spent"
        return {"state": Post.State.HELD, "code": code, "params": said}
    if isinstance(error, Unanswerable) and post.act == Post.Act.REPLY:
        return {"state": Post.State.DUE, "act": Post.Act.PUBLISH, "code": "not_as_an_answer", "params": said}
    if post.remote_id and post.act == Post.Act.PUBLISH:
        return {"state": Post.State.POSTED, "code": "thread_cut", "params": said, "posted_at": now}
    if isinstance(error, Gone) and post.about is not None:
        return {"state": Post.State.REJECTED, "code": "not_there", "params": said}
    return {"state": Post.State.REJECTED, "code": "refused", "params": said}


def _lost(post: Post, error: Unknown, *, now: datetime) -> dict[str, Any]:
    """The request left and no sense came back. Edits and deletes are simply done again."""
    said, repeatable = {"said": str(error)[:300]}, post.act in (Post.Act.EDIT, Post.Act.DELETE)
    state = Post.State.DUE if repeatable else Post.State.UNKNOWN
    if post.tries >= (MOST_TRIES if repeatable else 2 * MOST_TRIES):
        code = "gave_up" if repeatable else "gave_up_looking"
        return {"state": Post.State.HELD, "code": code, "params": {"tries": post.tries, **said}}
    wait = timedelta(seconds=5 * 2 ** min(post.tries, 7) if repeatable else 5)
    return {"state": state, "code": "no_answer", "params": said, "due_at": now + wait}


def _later(post: Post, error: Temporary, line: Channel | None, *, now: datetime, state: Post.State) -> dict[str, Any]:
    said = str(error)[:300]
    if post.tries >= MOST_TRIES:
        code = "gave_up_looking" if state == Post.State.UNKNOWN else "gave_up"
        return {"state": Post.State.HELD, "code": code, "params": {"tries": post.tries, "said": said}}
    if isinstance(error, Expired) and line is not None:
        return _renewed(post, line, said, now=now, state=state)
    asked = error.retry_after_s if isinstance(error, RateLimited) else None
    wait = asked if asked is not None else min(900, 5 * 2**post.tries)
    if isinstance(error, RateLimited):
        access.note_patience(post.account, error, wait_s=wait, now=now)
    due = now + timedelta(seconds=wait)
    return {"state": state, "code": "waiting", "params": {"said": said}, "due_at": due}


def _renewed(post: Post, line: Channel, said: str, *, now: datetime, state: Post.State) -> dict[str, Any]:
    """The token ran out in the call: renewed by us or by another, it is tried again in a moment."""
    try:
        access.renew(post.account, line, now=now)
    except Unauthorised as error:
        return _refused(post, error, in_doubt=state == Post.State.UNKNOWN, now=now)
    except Temporary as error:
        said = str(error)[:300]
    due = now + timedelta(seconds=5)
    return {"state": state, "code": "waiting", "params": {"said": said}, "due_at": due}
