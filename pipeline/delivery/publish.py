"""One post, placed once: intent before the call, and an unclear answer is read back, never repeated blindly."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from pipeline.channels import registry
from pipeline.channels.base import Channel, Message, Permanent, Published, RateLimited, Temporary, Unknown
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, wake
from pipeline.kernel.secrets import Sealed, unseal
from pipeline.posts.models import Account, Post, Variant

log = logging.getLogger("dateline.posts")

LEASE_S = 90
MOST_TRIES = 8
#: Timelines are eventually consistent: absent twice, a minute apart, before a post counts as not placed.
ABSENT_TIMES = 2
LOOK_AGAIN = timedelta(seconds=60)

#: A lease that ran out in `sending` means that a call may have been made: it is read back like any unknown.
_CLAIM = """
UPDATE dateline_post AS post
   SET fence = post.fence + 1, leased_until = clock_timestamp() + %(lease_s)s * interval '1 second',
       state = CASE post.state WHEN 'due' THEN 'sending' ELSE 'unknown' END, tries = post.tries + 1
  FROM dateline_article article, dateline_account account
 WHERE post.id = %(post)s AND article.id = post.article_id AND account.id = post.account_id
   AND post.state IN ('due', 'sending', 'unknown') AND post.due_at <= %(now)s
   AND (post.leased_until IS NULL OR post.leased_until < clock_timestamp())
   AND (post.state <> 'due' OR (article.state = 'eligible' AND account.state = 'active'
        AND post.created_at > %(now)s - account.stale_after_s * interval '1 second'))
RETURNING post.state, post.fence
"""


def publish(*, post_id: int, now: datetime, channel: Channel | None = None) -> str | None:
    """Place a due post or find out about one in doubt; the state it ends in, or None if not ours to do."""
    _expire(post_id, now=now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"post": post_id, "now": now, "lease_s": LEASE_S})
        row = cursor.fetchone()
    if row is None:
        return None
    state, fence = row
    post = Post.objects.select_related("account").get(id=post_id)
    message = _message(post)
    try:
        line = channel or channel_of(post.account)
        changes = _reconcile(post, message, line, now=now) if state == Post.State.UNKNOWN else _place(message, line)
    except (Permanent, Sealed) as error:
        in_doubt = state == Post.State.UNKNOWN
        changes = {
            "state": Post.State.HELD if in_doubt else Post.State.REJECTED,
            "code": "cannot_read_back" if in_doubt else "refused",
            "params": {"said": str(error)[:300]},
        }
    except Unknown as error:
        changes = {
            "state": Post.State.UNKNOWN,
            "code": "no_answer",
            "params": {"said": str(error)[:300]},
            "due_at": _soon(),
        }
    except Temporary as error:
        changes = _later(post, error, state=Post.State.UNKNOWN if state == Post.State.UNKNOWN else Post.State.DUE)
    kept = Post.objects.filter(id=post_id, fence=fence).update(leased_until=None, **changes)
    if kept and changes["code"] == "was_not_placed":
        wake(Job.POSTS_PUBLISH, post_id=post_id)
    return str(changes["state"]) if kept else None


def channel_of(account: Account) -> Channel:
    """The adapter of an account with its credentials. Raises Sealed, or Permanent for a network without an adapter."""
    keys = unseal(account.credentials, secrets=[config().secret_key], bound_to=str(account))
    return registry.connect(account.network, keys=keys, handle=account.handle, base_url=account.base_url)


def _place(message: Message, channel: Channel) -> dict[str, object]:
    return _placed(channel.publish(message))


def _placed(found: Published) -> dict[str, object]:
    return {
        "state": Post.State.POSTED,
        "code": "",
        "remote_id": found.remote_id,
        "remote_url": found.url or "",
        "posted_at": timezone.now(),
    }


def _reconcile(post: Post, message: Message, channel: Channel, *, now: datetime) -> dict[str, object]:
    """Read the account back. Found: posted. Absent often enough: due again. Otherwise look once more, later."""
    found = channel.find(message)
    if found is not None:
        return _placed(found)
    if post.absent + 1 < ABSENT_TIMES:
        return {
            "state": Post.State.UNKNOWN,
            "code": "no_answer",
            "absent": post.absent + 1,
            "due_at": now + LOOK_AGAIN,
        }
    return {"state": Post.State.DUE, "code": "was_not_placed", "absent": 0, "due_at": now}


def _later(post: Post, error: Temporary, *, state: Post.State) -> dict[str, object]:
    if post.tries >= MOST_TRIES:
        return {
            "state": Post.State.HELD,
            "code": "gave_up",
            "params": {"tries": post.tries, "said": str(error)[:300]},
        }
    asked = error.retry_after_s if isinstance(error, RateLimited) else None
    wait = asked if asked is not None else min(900, 5 * 2**post.tries)
    due = timezone.now() + timedelta(seconds=wait)
    return {"state": state, "code": "waiting", "params": {"said": str(error)[:300]}, "due_at": due}


def _expire(post_id: int, *, now: datetime) -> None:
    """A post that waited too long is not news any more; one of a killed story must not leave."""
    post = Post.objects.select_related("account", "article").filter(id=post_id, state=Post.State.DUE).first()
    if post is None:
        return
    if post.article.state != "eligible":
        Post.objects.filter(id=post_id, state=Post.State.DUE).update(state=Post.State.CANCELLED, code="story_withdrawn")
    elif post.created_at <= now - timedelta(seconds=post.account.stale_after_s):
        Post.objects.filter(id=post_id, state=Post.State.DUE).update(state=Post.State.EXPIRED, code="stale")


def _soon() -> datetime:
    return timezone.now() + timedelta(seconds=5)


def _message(post: Post) -> Message:
    text = Variant.objects.get(post=post, chosen=True).text
    return Message(key=f"dateline-{post.id}", text=text, marker=post.marker)
