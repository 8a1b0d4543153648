"""When a post of an account may leave, with what the account has said and is about to say."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.posts import budget
from pipeline.posts.models import Account, Charge, Post
from pipeline.posts.rules import patience
from pipeline.posts.rules.rules import Rules
from pipeline.posts.rules.timing import Pace, Turn, Wish, next_time

#: How far back what has left can still matter: a local day of 25 hours, and an hour.
_MEMORY = timedelta(hours=26)
#: A post this late was held up by an outage: whatever the account's gap, such posts leave this far apart.
LATE, DRAIN_GAP_S = timedelta(minutes=2), 60
_SPEAKING = (Post.Act.PUBLISH, Post.Act.REPLY)


def planned_turn(post: Post, *, now: datetime) -> Turn:
    """A date for a post: clear of all that has left and of all that is planned. Lock the account's row first."""
    return next_time(_wish(post, now=now), pace=_pace(post, now=now, planned=True), now=max(now, _floor(post, now=now)))


def turn_now(post: Post, *, now: datetime) -> Turn:
    """Whether a post may leave at this instant, by what has really left. Lock the account's row first."""
    return next_time(_wish(post, now=now), pace=_pace(post, now=now, planned=False), now=now)


def _floor(post: Post, *, now: datetime) -> datetime:
    """Nobody moves a post to an earlier time than a person or an embargo gave it."""
    return post.due_at if post.due_at > now else now


def _wish(post: Post, *, now: datetime) -> Wish:
    account, article = post.account, post.article
    limited = patience.limited(post, now=now)
    told = article.announced_at
    return Wish(
        not_before=max(told, limited) if told and limited else told or limited,
        why="limited" if limited and (told is None or limited > told) else "embargo",
        stale_at=None if is_begun(post) else post.created_at + timedelta(seconds=account.stale_after_s),
        published_at=article.published_at or article.announced_at,
        is_breaking=post.is_breaking,
    )


def is_begun(post: Post) -> bool:
    """Whether a part of a thread is out: it is finished, however late."""
    return post.thread.exclude(remote_id="").exists()


def _pace(post: Post, *, now: datetime, planned: bool) -> Pace:
    account = post.account
    late = now - post.due_at > LATE
    taken, breaking = _left(account, post, now=now)
    if planned:
        ahead, fast = _ahead(account, post, now=now)
        taken, breaking = taken + ahead, breaking + fast
    return Pace(
        rules=Rules.of(account.rules),
        zone=account.zone,
        gap_s=max(account.min_gap_s, DRAIN_GAP_S) if late else account.min_gap_s,
        taken=tuple(taken),
        breaking=tuple(breaking),
    )


def _left(account: Account, post: Post, *, now: datetime) -> tuple[list[datetime], list[datetime]]:
    """When posts left: a charge is written before each call, whatever came of it."""
    known = Charge.objects.filter(account=account, act=budget.POST, at__gt=now - _MEMORY).exclude(post_id=post.id)
    rows = list(known.values_list("at", "post__is_breaking"))
    return [at for at, _ in rows], [at for at, fast in rows if fast]


def _ahead(account: Account, post: Post, *, now: datetime) -> tuple[list[datetime], list[datetime]]:
    due = account.posts.filter(state=Post.State.DUE, act__in=_SPEAKING, due_at__gte=now).exclude(id=post.id)
    rows = list(due.values_list("due_at", "is_breaking"))
    return [at for at, _ in rows], [at for at, fast in rows if fast]
