"""Evergreens said again, in other words, after the days an account's rules ask for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Q
from jinja2 import TemplateError

from pipeline.articles.models import Article
from pipeline.posts import wording
from pipeline.posts.compose import put_on_its_way
from pipeline.posts.models import Account, Post
from pipeline.posts.rules.rules import Recycling, Rules, UnusableRules
from pipeline.posts.variants import CannotFitError

log = logging.getLogger("dateline.posts")

_MOST_LOOKED_AT = 20


def recycle(*, now: datetime) -> int:
    """Plan what may be said again on each account, one at a time; how many posts."""
    accounts = Account.objects.filter(state=Account.State.ACTIVE, rules__has_key="recycle")
    return sum(_one_of(account.id, now=now) for account in accounts)


@transaction.atomic
def _one_of(account_id: int, *, now: datetime) -> bool:
    account = Account.objects.select_for_update(no_key=True).get(id=account_id)
    try:
        rule = Rules.of(account.rules).recycle
    except UnusableRules:
        return False
    if rule is None or _again_today(account, now=now) >= rule.per_day:
        return False
    return any(_say_again(article, account, now=now) for article in _ripe(account, rule, now=now))


def _again_today(account: Account, *, now: datetime) -> int:
    return account.posts.filter(purpose__startswith="again:", created_at__gt=now - timedelta(days=1)).count()


def _ripe(account: Account, rule: Recycling, *, now: datetime) -> Iterator[Article]:
    """Evergreens this account said long enough ago and not too often, those it said longest ago first."""
    said = account.posts.filter(Q(purpose="new") | Q(purpose__startswith="again:"))
    known = (
        said.filter(article__is_evergreen=True, article__state=Article.State.ELIGIBLE)
        .values("article_id")
        .annotate(last=Max("created_at"), times=Count("id"), posted=Count("id", filter=Q(state=Post.State.POSTED)))
        .filter(last__lte=now - timedelta(days=rule.every_days), times__lte=rule.most, posted__gt=0)
        .order_by("last", "article_id")
    )
    for row in known[:_MOST_LOOKED_AT]:
        yield Article.objects.get(id=row["article_id"])


def _say_again(article: Article, account: Account, *, now: datetime) -> bool:
    before = wording.said_before(article_id=article.id, account_id=account.id)
    times = account.posts.filter(article=article, purpose__startswith="again:").count()
    try:
        with transaction.atomic():
            post = Post.objects.create(
                article=article, account=account, purpose=f"again:{times + 1}", due_at=now, created_at=now
            )
            put_on_its_way(post, now=now, unlike=before)
    except (CannotFitError, TemplateError, OSError, ValueError) as error:
        log.info("article %s is not said again on %s: %s", article.id, account, error)
        return False
    return True
