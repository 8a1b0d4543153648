"""An eligible article becomes one post per account that wants it, with words that fit."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.db.models import Max, Q
from jinja2 import TemplateError

from pipeline.articles.models import Article
from pipeline.channels import facts
from pipeline.engagement.models import Link, Origin
from pipeline.engagement.tokens import NOBODY, Kind, Minter
from pipeline.kernel.config import TEMPLATES, config
from pipeline.kernel.queue import Job, ring, wake
from pipeline.kernel.signing import Keyring
from pipeline.posts.models import Account, Post, Variant
from pipeline.posts.variants import Brief, CannotFitError
from pipeline.posts.variants import compose as fit

log = logging.getLogger("dateline.posts")

MOST_AT_ONCE = 50
#: An article that is older than this when we get to it is not announced socially by itself.
LOOK_BACK = timedelta(hours=24)


def compose(*, article_id: int, now: datetime) -> int:
    """Make the posts of an article that do not exist yet; returns how many. Repeating it makes none."""
    article = Article.objects.filter(id=article_id, state=Article.State.ELIGIBLE, announced_at__isnull=False).first()
    if article is None:
        return 0
    accounts = Account.objects.filter(state=Account.State.ACTIVE).exclude(posts__article_id=article_id)
    return sum(_compose_kept(article, account, now=now) for account in accounts if _wanted(article, account))


def _compose_kept(article: Article, account: Account, *, now: datetime) -> bool:
    """One account whose words cannot be made costs the others nothing: its row says so and waits for a person."""
    try:
        return _compose_one(article, account, now=now)
    except (CannotFitError, TemplateError, OSError, ValueError) as error:
        log.warning("no words for article %s on %s: %s", article.id, account, error)
        Post.objects.get_or_create(
            article=article,
            account=account,
            purpose="new",
            defaults={
                "due_at": now, "created_at": now, "state": Post.State.HELD, "code": "no_words",
                "params": {"said": str(error)[:300]},
            },
        )  # fmt: skip
        return False


@transaction.atomic
def _compose_one(article: Article, account: Account, *, now: datetime) -> bool:
    if account.min_gap_s:  # two at once would both see the same last post
        Account.objects.select_for_update().get(id=account.id)
    post, made = Post.objects.get_or_create(
        article=article,
        account=account,
        purpose="new",
        defaults={"due_at": _due(account, now=now), "created_at": now},
    )
    if not made:
        return False
    link = _tracked_link(post, article, now=now)
    text = fit(_brief(article, link), network=account.network, template=_template(account.network))
    Variant.objects.create(post=post, text=text.text, length=text.length, chosen=True)
    state = Post.State.DRAFT if account.approval else Post.State.DUE
    Post.objects.filter(id=post.id).update(
        state=state, origin=post.origin, marker=link, params={"shortened": list(text.shortened)}
    )
    if state == Post.State.DUE and post.due_at <= now:
        wake(Job.POSTS_PUBLISH, post_id=post.id)
    return True


def _wanted(article: Article, account: Account) -> bool:
    """A new account starts with what comes next: yesterday's stories are not its news."""
    if article.announced_at is None or article.announced_at < account.created_at:
        return False
    return not account.sections or bool(set(account.sections) & set(article.section_path))


def _due(account: Account, *, now: datetime) -> datetime:
    """Now, or when the account's minimum gap after its last planned post has passed."""
    if not account.min_gap_s:
        return now
    last = account.posts.exclude(state__in=[Post.State.CANCELLED, Post.State.EXPIRED]).aggregate(last=Max("due_at"))[
        "last"
    ]
    return max(now, last + timedelta(seconds=account.min_gap_s)) if last else now


def _tracked_link(post: Post, article: Article, *, now: datetime) -> str:
    """One short link per post: it counts, it can be led elsewhere after a correction, and it finds the post again."""
    post.origin = Origin.objects.create(id=secrets.randbelow(2**32 - 1) + 1, kind=Origin.Kind.POST, started_at=now)
    Link.objects.create(origin=post.origin, number=0, url=article.url, kind="story", slot="post", article=article)
    token = Minter(Keyring.from_secret(config().secret_key), kind=Kind.CLICK, origin=post.origin.id)(NOBODY, 0)
    return f"{config().track_url}/c/{token}"


def _brief(article: Article, link: str) -> Brief:
    return Brief(
        headline=article.headline,
        link=link,
        standfirst=article.standfirst,
        section=tuple(article.section_path),
        place=article.dateline.get("place") or "",
        language=article.language or "en",
    )


def _template(network: str) -> str:
    return Path(TEMPLATES / "social" / f"{facts.network_named(network).name}.txt").read_text(encoding="utf-8")


def sweep(*, now: datetime) -> None:
    """Ring again for announced articles without posts, for due posts nobody took, and for posts in doubt.

    What nobody wants or an inactive account holds is passed over: it would stand in the way of the rest for ever.
    """
    for article_id in islice(_unposted(now=now), MOST_AT_ONCE):
        ring(Job.POSTS_COMPOSE, article_id=article_id)
    placeable = Q(state=Post.State.DUE, account__state=Account.State.ACTIVE)
    in_doubt = Q(state__in=[Post.State.SENDING, Post.State.UNKNOWN])
    waiting = Post.objects.filter(placeable | in_doubt, due_at__lte=now).exclude(leased_until__gt=now)
    for post_id in waiting.order_by("due_at", "id").values_list("id", flat=True)[:MOST_AT_ONCE]:
        ring(Job.POSTS_PUBLISH, post_id=post_id)


def _unposted(*, now: datetime) -> Iterator[int]:
    """Recently announced articles that an active account wants and has no post for, newest first."""
    recent = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at__gt=now - LOOK_BACK)
    accounts = list(Account.objects.filter(state=Account.State.ACTIVE))
    made = set(Post.objects.filter(article__in=recent).values_list("article_id", "account_id"))
    for article in recent.only("id", "section_path", "announced_at").order_by("-announced_at", "id"):
        if any((article.id, account.id) not in made and _wanted(article, account) for account in accounts):
            yield article.id
