"""What people decide about a post. Every act is checked against the row as it is now, and stands in the journal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from pipeline.kernel.queue import Job, wake
from pipeline.posts import budget, planning, wording
from pipeline.posts.models import Account, Post, Variant
from pipeline.posts.rules.rules import Rules
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, Role, User
from pipeline.staff.people import may_touch

WAITING = (Post.State.DRAFT, Post.State.DUE, Post.State.HELD)
#: Held because the outcome is not known: only a person who looked at the account can say.
DOUBTFUL = ("cannot_read_back", "gave_up_looking")
POOR = ("budget_spent", "kept_for_top", "network_spent")
_MAY = (Role.ADMIN, Role.HEAD, Role.EDITOR, Role.SOCIAL)


class Refused(Exception):
    """The act is not possible; the message says why and that nothing was changed."""


def may(actor: User) -> bool:
    """Whether this person may decide about posts."""
    return actor.is_active and actor.role in _MAY


@transaction.atomic
def approve(*, post_id: int, actor: User, now: datetime) -> Post:
    """Let a draft or a held post go on: it leaves at the next instant its rules allow. Raises Refused."""
    post = _open(post_id, actor=actor, states=(Post.State.DRAFT, Post.State.HELD), act="approved")
    if post.code in DOUBTFUL:
        raise Refused("It may be live already. Look at the account and say whether it is. Nothing was changed.")
    if not Variant.objects.filter(post=post, chosen=True).exists() and post.act != Post.Act.DELETE:
        raise Refused("It has no words. Mend the template or the rules, or cancel it. Nothing was changed.")
    _go_on(post, now=now)
    note(verb="approve", subject="post", subject_id=post.id, now=now, actor=actor)
    return post


def _go_on(post: Post, *, now: datetime) -> None:
    """Due at its turn; the time it waited for a person does not make it stale."""
    post.state, post.code, post.params, post.tries = Post.State.DUE, "", {}, 0
    if post.act in (Post.Act.PUBLISH, Post.Act.REPLY):
        post.created_at = max(post.created_at, now - timedelta(seconds=post.account.stale_after_s // 2))
        turn = planning.planned_turn(post, now=now)
        post.due_at, post.code, post.params = turn.at or now, turn.code, dict(turn.params)
    else:
        post.due_at = now
    post.save()
    if post.due_at <= now:
        wake(Job.POSTS_PUBLISH, post_id=post.id)


@transaction.atomic
def hold(*, post_id: int, actor: User, now: datetime, reason: str = "") -> Post:
    """Keep a post back until somebody lets it go. Raises Refused."""
    post = _open(post_id, actor=actor, states=(Post.State.DRAFT, Post.State.DUE), act="held")
    _set(post, state=Post.State.HELD, code="by_person", params={"who": str(actor), "why": reason[:200]})
    note(verb="hold", subject="post", subject_id=post.id, now=now, actor=actor, reason=reason)
    return post


@transaction.atomic
def postpone(*, post_id: int, actor: User, now: datetime, until: datetime) -> Post:
    """Not before this instant, as for an embargo; its rules may still move it later. Raises Refused."""
    post = _open(post_id, actor=actor, states=(Post.State.DUE, Post.State.DRAFT), act="moved")
    if until <= now:
        raise Refused("That instant has passed. Nothing was changed.")
    Post.objects.filter(id=post.id).update(due_at=until, created_at=max(post.created_at, until), code="moved")
    note(verb="postpone", subject="post", subject_id=post.id, now=now, actor=actor, until=until.isoformat())
    post.refresh_from_db()
    return post


@transaction.atomic
def cancel(*, post_id: int, actor: User, now: datetime, reason: str = "") -> Post:
    """It does not leave. Raises Refused once it may have."""
    post = _open(post_id, actor=actor, states=WAITING, act="cancelled")
    if post.code in DOUBTFUL:
        raise Refused("It may be live already. Look at the account and say whether it is. Nothing was changed.")
    _set(post, state=Post.State.CANCELLED, code="by_person", params={"who": str(actor), "why": reason[:200]})
    note(verb="cancel", subject="post", subject_id=post.id, now=now, actor=actor, reason=reason)
    return post


@transaction.atomic
def choose(*, post_id: int, variant_id: int, actor: User, now: datetime) -> Post:
    """Say it in one of its other ways. Raises Refused."""
    post = _open(post_id, actor=actor, states=WAITING, act="changed")
    if not post.variants.filter(id=variant_id).exists():
        raise Refused("That way to say it is gone: the story changed meanwhile. Nothing was changed; look again.")
    post.variants.filter(chosen=True).update(chosen=False)
    post.variants.filter(id=variant_id).update(chosen=True)
    Post.objects.filter(id=post.id).update(format=post.variants.get(id=variant_id).tone.rpartition(" ")[2][:12])
    note(verb="choose", subject="post", subject_id=post.id, now=now, actor=actor, variant=variant_id)
    return post


@transaction.atomic
def settle(*, post_id: int, is_live: bool, actor: User, now: datetime, remote_id: str = "") -> Post:
    """A person looked at the account, because the network cannot be read back: it is live, or it goes out again."""
    post = _open(post_id, actor=actor, states=(Post.State.HELD,), act="settled")
    if post.code not in DOUBTFUL:
        raise Refused("It is not in doubt. Nothing was changed.")
    if is_live:
        values = {"remote_id": remote_id[:200], "posted_at": now}
        _set(post, state=Post.State.POSTED, code="seen_by_person", params={"who": str(actor)}, **values)
    else:
        post.thread.filter(remote_id="").update(started_at=None)
        _go_on(post, now=now)
    note(verb="settle", subject="post", subject_id=post.id, now=now, actor=actor, live=is_live)
    return post


@transaction.atomic
def take_down(*, post_id: int, actor: User, now: datetime, reason: str = "") -> Post:
    """Delete a live post; the deletion is a row of its own and tells what came of it. Raises Refused."""
    post = _open(post_id, actor=actor, states=(Post.State.POSTED,), act="taken down")
    if post.act not in (Post.Act.PUBLISH, Post.Act.REPLY) or not post.remote_id:
        raise Refused("It is no post that we know where to find. Nothing was changed; delete it on the network.")
    row, made = Post.objects.get_or_create(
        article_id=post.article_id,
        account_id=post.account_id,
        purpose=f"delete:{post.purpose}"[:40],
        defaults={
            "act": Post.Act.DELETE, "about": post, "state": Post.State.DUE, "due_at": now, "created_at": now,
            "version": post.version,
        },
    )  # fmt: skip
    if made:
        note(verb="take_down", subject="post", subject_id=post.id, now=now, actor=actor, reason=reason)
        wake(Job.POSTS_PUBLISH, post_id=row.id)
    return row


def release_affordable(*, now: datetime) -> int:
    """Posts held for want of money that a new month or a larger budget pays for; how many."""
    poor = Post.objects.filter(state=Post.State.HELD, code__in=POOR[:2]).order_by("id")
    return sum(_release_one(post_id, now=now) for post_id in list(poor.values_list("id", flat=True)[:50]))


@transaction.atomic
def _release_one(post_id: int, *, now: datetime) -> bool:
    post = _locked(post_id)
    if post.state != Post.State.HELD or post.code not in POOR:
        return False
    if post.created_at + timedelta(seconds=post.account.stale_after_s) <= now:
        _set(post, state=Post.State.EXPIRED, code="stale", params={"why": post.code})
        return False
    usd = budget.price(post.account.network, wording.texts_of(post))
    purse, thrift = budget.purse_of(post.account, now=now), Rules.of(post.account.rules).thrift
    if not purse.covers(usd) or (thrift is not None and purse.share >= thrift.after):
        return False
    _go_on(post, now=now)
    return True


def _open(post_id: int, *, actor: User, states: tuple[Post.State, ...], act: str) -> Post:
    """The post, locked after its account, if this person may do this to it now. Raises Refused."""
    if not may(actor):
        raise Refused("Your role may look at posts but not change them. Nothing was changed; ask a social editor.")
    post = _locked(post_id)
    if not may_touch(actor, Grant.Kind.ACCOUNT, post.account_id):
        raise Refused(f"You work for other accounts than {post.account.handle}. Nothing was changed.")
    if post.state not in states:
        raise Refused(f"This post is {post.state} and can not be {act} any more. Nothing was changed.")
    return post


def _locked(post_id: int) -> Post:
    account_id = Post.objects.values_list("account_id", flat=True).get(id=post_id)
    Account.objects.select_for_update(no_key=True).get(id=account_id)
    return Post.objects.select_for_update(of=("self",)).select_related("account", "article").get(id=post_id)


def _set(post: Post, **values: Any) -> None:
    for name, value in values.items():
        setattr(post, name, value)
    post.save(update_fields=list(values))
