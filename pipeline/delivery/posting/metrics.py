"""Reading live posts again: once as proof that they say what they should, later for what people did with them."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from pipeline.channels.base import Channel, ChannelError, Measured, RateLimited, Reading, Unauthorised
from pipeline.delivery.posting import access
from pipeline.engagement.models import Response
from pipeline.kernel.secrets import Sealed
from pipeline.posts import budget, measuring
from pipeline.posts.acts import threads
from pipeline.posts.models import Account, Post, Variant
from pipeline.posts.rules import patience

log = logging.getLogger("dateline.posts")

#: Posts in one request: what every network that takes several at once takes.
AT_ONCE = 25
MOST = 100


def measure(*, account_id: int, now: datetime, channel: Channel | None = None) -> int:
    """Read what is due of an account, within its money; how many posts were read."""
    account = Account.objects.filter(id=account_id, state=Account.State.ACTIVE).exclude(limited_until__gt=now).first()
    if account is None or patience.spares(account, now=now):
        return 0
    try:
        line = access.fresh_channel(account, now=now, channel=channel)
        return _prove(account, line, now=now) + _count(account, line, now=now)
    except RateLimited as error:
        access.note_patience(account, error, wait_s=error.retry_after_s or 900, now=now)
    except Unauthorised as error:
        access.lock_out(account, error)
    except (ChannelError, Sealed) as error:
        log.warning("posts of %s were not read back: %s", account, error)
    return 0


def _prove(account: Account, line: Channel, *, now: datetime) -> int:
    due = measuring.unproven(account, now=now)
    if due is None or not isinstance(line, Reading):
        return 0
    done = 0
    for post in due.order_by("posted_at", "id")[:MOST]:
        said = _said(post)
        if not _affords(account, posts=len(said), key=f"proof-{post.id}-{post.version}", now=now):
            break
        found = (proof(text, line.read(remote_id), now=now) for remote_id, text in said)
        wrong = next((changes for changes in found if "code" in changes), None)
        # else it was edited meanwhile, and is read again
        as_read = Post.objects.filter(id=post.id, version=post.version, state=Post.State.POSTED)
        as_read.update(**(wrong or {"verified_at": now}))
        done += 1
    return done


def _said(post: Post) -> list[tuple[str, str]]:
    """Remote id and words of everything that is out of a post: of a thread, every part."""
    parts = [(part.remote_id, part.text) for part in threads.live(post)]
    return parts or [(post.remote_id, Variant.objects.get(post=post, chosen=True).text)]


def proof(said: str, live: str | None, *, now: datetime) -> dict[str, object]:
    """What reading words back proved, as changes to their post. Wording is compared, not blanks or composition."""
    if live is None:
        return {"code": "vanished", "params": {}}
    if _compared(live) == _compared(said):
        return {"verified_at": now}
    return {"code": "differs", "params": {"live": live[:300]}}


def _compared(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _count(account: Account, line: Channel, *, now: datetime) -> int:
    if not isinstance(line, Measured):
        return 0
    done = 0
    for posts in _batches(list(measuring.unmeasured(account, now=now)[:MOST])):
        if not _affords(account, posts=len(posts), key=f"metrics-{account.id}-{posts[0].id}-{now:%Y%m%d%H}", now=now):
            break
        _keep(posts, line, now=now)
        access.note_limits(account, getattr(line, "limits", None))
        done += len(posts)
    return done


@transaction.atomic
def _keep(posts: list[Post], line: Measured, *, now: datetime) -> None:
    found = line.metrics([post.remote_id for post in posts])
    Response.objects.bulk_create(
        [
            Response(
                origin_id=post.origin_id, at=now, likes=one.likes, reposts=one.reposts, replies=one.replies,
                impressions=one.impressions,
            )
            for post in posts
            if post.origin_id is not None
            and (one := found.get(post.remote_id)) is not None
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    Post.objects.filter(id__in=[post.id for post in posts]).update(measured_at=now)


def _affords(account: Account, *, posts: int, key: str, now: datetime) -> bool:
    """Whether a read is paid for, and its charge written before it is made."""
    usd = budget.reading(account.network, posts=posts)
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(id=account.id)
        if not budget.purse_of(account, now=now).covers(usd):
            return False
        budget.reserve_reading(account, usd=usd, now=now, key=key)
    return True


def _batches(posts: list[Post]) -> Iterator[list[Post]]:
    for start in range(0, len(posts), AT_ONCE):
        yield posts[start : start + AT_ONCE]
