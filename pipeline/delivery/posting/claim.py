"""Who may place a post now, decided once: the rules are asked under the account's lock, the rest in the claim itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from jinja2 import TemplateError

from pipeline.articles.models import Article
from pipeline.posts import budget, planning, wording
from pipeline.posts.models import Account, Post
from pipeline.posts.rules.rules import Rules, UnusableRules
from pipeline.posts.variants import CannotFitError
from pipeline.ranking.models import Standing

LEASE_S = 90
_SAYS = (Post.Act.PUBLISH, Post.Act.REPLY)

#: A lease that ran out in `sending` means that a call may have been made: it is read back like any unknown. Edits and
#: deletes may be repeated. What is said about a correction may be said of a story that is gone, never of a killed one.
_CLAIM = """
UPDATE dateline_post AS post
   SET fence = post.fence + 1, leased_until = clock_timestamp() + %(lease_s)s * interval '1 second',
       state = CASE WHEN post.state = 'due' OR post.act IN ('edit', 'delete') THEN 'sending' ELSE 'unknown' END,
       tries = post.tries + 1
  FROM dateline_article article, dateline_account account
 WHERE post.id = %(post)s AND article.id = post.article_id AND account.id = post.account_id
   AND post.state IN ('due', 'sending', 'unknown') AND post.due_at <= %(now)s
   AND (post.leased_until IS NULL OR post.leased_until < clock_timestamp())
   AND (post.state <> 'due' OR (
            account.state = 'active'
        AND (account.limited_until IS NULL OR account.limited_until <= %(now)s)
        AND (post.act = 'delete' OR (
                NOT EXISTS (SELECT 1 FROM dateline_stop WHERE kind = 'posting')
            AND article.announced_at IS NOT NULL AND article.announced_at <= %(now)s
            AND (article.state = 'eligible' OR (article.state = 'gone' AND post.about_id IS NOT NULL))))
        AND (post.act = 'publish' OR EXISTS (
                SELECT 1 FROM dateline_post about WHERE about.id = post.about_id AND about.state = 'posted'))))
RETURNING post.state, post.fence
"""


@transaction.atomic
def claim(post_id: int, *, now: datetime) -> tuple[str, int] | None:
    """The state a post is claimed in ("sending" or "unknown") and the fence; None where it is not ours to do.

    One that may not leave now is moved, held, expired or cancelled, with the reason on its row.
    """
    account_id = Post.objects.filter(id=post_id).values_list("account_id", flat=True).first()
    if account_id is None:
        return None
    Account.objects.select_for_update(no_key=True).get(id=account_id)
    post = Post.objects.select_related("account", "article", "about").get(id=post_id)
    is_new = post.state == Post.State.DUE
    usd = Decimal(0)
    if is_new and post.due_at <= now:
        objection, usd = _objection(post, now=now)
        if objection:
            Post.objects.filter(id=post_id, state=Post.State.DUE).update(**objection)
            return None
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"post": post_id, "now": now, "lease_s": LEASE_S})
        row = cursor.fetchone()
    if row is None:
        return None
    if is_new:
        _reserve(post, usd=usd, now=now)
    return str(row[0]), int(row[1])


def _reserve(post: Post, *, usd: Decimal, now: datetime) -> None:
    act = budget.POST if post.act in _SAYS else post.act
    budget.reserve(post, act=act, usd=usd, now=now)
    Post.objects.filter(id=post.id).update(cost_usd=usd)


def _objection(post: Post, *, now: datetime) -> tuple[dict[str, Any] | None, Decimal]:
    """What keeps a due post from leaving now, as changes to its row, and what it costs otherwise."""
    withdrawn = _withdrawn(post)
    if withdrawn or post.act not in _SAYS:
        return withdrawn, Decimal(0)
    if post.account.state != Account.State.ACTIVE:
        return _stale(post, now=now), Decimal(0)
    try:
        moved = _moved(post, now=now)
        return (moved, Decimal(0)) if moved else _unaffordable(post, now=now)
    except UnusableRules as error:
        return {"state": Post.State.HELD, "code": "rules_unusable", "params": {"said": str(error)[:300]}}, Decimal(0)


def _withdrawn(post: Post) -> dict[str, Any] | None:
    """A story that must not be spread, or an act about a post that is not there any more."""
    if post.about is not None and post.about.state in (Post.State.DELETED, Post.State.CANCELLED):
        return {"state": Post.State.CANCELLED, "code": "nothing_left_to_do", "params": {}}
    if post.act == Post.Act.DELETE or post.article.state == Article.State.ELIGIBLE:
        return None
    if post.about is not None and post.article.state == Article.State.GONE:
        return None
    if planning.is_begun(post):  # part of a thread is out: it counts as posted, so that it is taken down as such
        first = post.thread.exclude(remote_id="").order_by("number")[0]
        live = {"remote_id": first.remote_id, "posted_at": first.posted_at}
        return {"state": Post.State.POSTED, "code": "cut_short", "params": {}, **live}
    return {"state": Post.State.CANCELLED, "code": "story_withdrawn", "params": {}}


def _stale(post: Post, *, now: datetime) -> dict[str, Any] | None:
    if planning.is_begun(post) or post.created_at > now - timedelta(seconds=post.account.stale_after_s):
        return None
    return {"state": Post.State.EXPIRED, "code": "stale", "params": {}}


def _moved(post: Post, *, now: datetime) -> dict[str, Any] | None:
    turn = planning.turn_now(post, now=now)
    if turn.at is not None and turn.at > now:
        turn = planning.planned_turn(post, now=now)
    if turn.at is None:
        return {"state": Post.State.EXPIRED, "code": "stale", "params": dict(turn.params)}
    if turn.at > now:
        return {"due_at": turn.at, "code": turn.code, "params": dict(turn.params)}
    return _calmed(post, now=now) if post.is_breaking and not turn.is_breaking else None


def _calmed(post: Post, *, now: datetime) -> dict[str, Any] | None:
    """What was breaking an hour ago leaves as any other post, and does not call itself breaking."""
    post.is_breaking = False
    try:
        wording.word(post, now=now)
    except (CannotFitError, TemplateError, OSError, ValueError) as error:
        return {"state": Post.State.HELD, "code": "no_words", "params": {"said": str(error)[:300]}}
    Post.objects.filter(id=post.id).update(is_breaking=False, format=post.format)
    return None


_Answer = tuple[dict[str, Any] | None, Decimal]


def _unaffordable(post: Post, *, now: datetime) -> _Answer:
    """Held where the month's money does not reach; first without its link, where the account's rules say so."""
    if post.charges.filter(act=budget.POST).exists():
        return None, post.cost_usd  # reserved when it was first tried
    network, thrift = post.account.network, Rules.of(post.account.rules).thrift
    usd = budget.price(network, wording.texts_of(post))
    purse = budget.purse_of(post.account, now=now)
    saving = thrift is not None and purse.budget is not None and purse.share >= thrift.after
    if saving and thrift is not None and thrift.how == "top" and usd and not _is_top(post, thrift.top):
        return _held("kept_for_top", usd, top=thrift.top), usd
    poor = not purse.covers(usd)
    if (saving or poor) and thrift is not None and thrift.how == "no_link" and wording.choose_unlinked(post):
        usd = budget.price(network, wording.texts_of(post))
        poor = not purse.covers(usd)
    if poor:
        return _held("budget_spent", usd, spent=str(purse.spent), budget=str(purse.budget)), usd
    return None, usd


def _held(code: str, usd: Decimal, **params: Any) -> dict[str, Any]:
    return {"state": Post.State.HELD, "code": code, "params": {"usd": str(usd), **params}}


def _is_top(post: Post, most: int) -> bool:
    return Standing.objects.filter(article_id=post.article_id, place__lte=most, chart__section="").exists()
