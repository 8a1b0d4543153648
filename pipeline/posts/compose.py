"""An eligible article becomes one post per account that wants it, with words that fit."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from jinja2 import TemplateError

from pipeline.articles.models import Article
from pipeline.kernel.queue import Job, wake
from pipeline.posts import planning, wording
from pipeline.posts.models import Account, Post
from pipeline.posts.rules.rules import Rules, UnusableRules
from pipeline.posts.rules.urgency import is_breaking, is_wanted
from pipeline.posts.variants import CannotFitError
from pipeline.posts.words import care

log = logging.getLogger("dateline.posts")

#: An article that is older than this when we get to it is not announced socially by itself.
LOOK_BACK = timedelta(hours=24)


def compose(*, article_id: int, now: datetime) -> int:
    """Make the posts of an article that do not exist yet; returns how many. Repeating it makes none."""
    article = Article.objects.filter(id=article_id, state=Article.State.ELIGIBLE, announced_at__isnull=False).first()
    if article is None:
        return 0
    accounts = Account.objects.filter(state=Account.State.ACTIVE).exclude(posts__article_id=article_id)
    return sum(_compose_kept(article, account, now=now) for account in accounts)


def _compose_kept(article: Article, account: Account, *, now: datetime) -> bool:
    """One account whose words cannot be made costs the others nothing: its row says so and waits for a person."""
    try:
        return wanted(article, account) and _compose_one(article, account, now=now)
    except (CannotFitError, TemplateError, OSError, ValueError) as error:
        log.warning("no words for article %s on %s: %s", article.id, account, error)
        code = "rules_unusable" if isinstance(error, UnusableRules) else "no_words"
        Post.objects.get_or_create(
            article=article,
            account=account,
            purpose="new",
            defaults={
                "due_at": now, "created_at": now, "state": Post.State.HELD, "code": code,
                "params": {"said": str(error)[:300]},
            },
        )  # fmt: skip
        return False


@transaction.atomic
def _compose_one(article: Article, account: Account, *, now: datetime) -> bool:
    # two at once would both see the same last post
    account = Account.objects.select_for_update(no_key=True).get(id=account.id)
    post, made = Post.objects.get_or_create(
        article=article,
        account=account,
        purpose="new",
        defaults={"due_at": now, "created_at": now, "version": article.version},
    )
    if made:
        post.is_breaking = is_breaking(
            Rules.of(account.rules),
            words=f"{article.headline}\n{article.standfirst}",
            published_at=article.published_at or article.announced_at,
            now=now,
        )
        put_on_its_way(post, now=now)
    return made


def put_on_its_way(post: Post, *, now: datetime, unlike: frozenset[str] = frozenset()) -> None:
    """Words, a date and a state for a new post, in the caller's transaction. Raises CannotFitError and ValueError.

    `unlike` are texts that it may not repeat.
    """
    said = wording.word(post, now=now, unlike=unlike)
    turn = planning.planned_turn(post, now=now)
    post.params = {"shortened": list(said.shortened)}
    if said.objections or care.needs_a_person(said.topics):
        post.state, post.code = Post.State.DRAFT, "asks_for_care"
        post.params |= {"why": list(said.objections), "topics": sorted(said.topics)}
    elif post.account.approval:
        post.state, post.code = Post.State.DRAFT, ""
    elif turn.at is None:
        post.state, post.code = Post.State.EXPIRED, turn.code
    else:
        post.state, post.code, post.due_at = Post.State.DUE, turn.code, turn.at
        post.params |= turn.params
    post.is_breaking = post.is_breaking and turn.is_breaking
    post.save()
    if post.state == Post.State.DUE and post.due_at <= now:
        wake(Job.POSTS_PUBLISH, post_id=post.id)


def wanted(article: Article, account: Account) -> bool:
    """A new account starts with what comes next: yesterday's stories are not its news. Raises UnusableRules."""
    if article.announced_at is None or article.announced_at < account.created_at:
        return False
    words = f"{article.headline}\n{article.standfirst}"
    rules = Rules.of(account.rules)
    return is_wanted(rules, sections=account.sections, path=article.section_path, words=words)


def unposted(*, now: datetime) -> Iterator[int]:
    """Recently announced articles that an active account wants and has no post for, newest first."""
    recent = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at__gt=now - LOOK_BACK)
    accounts = list(Account.objects.filter(state=Account.State.ACTIVE))
    made = set(Post.objects.filter(article__in=recent).values_list("article_id", "account_id"))
    fields = ("id", "section_path", "announced_at", "headline", "standfirst")
    for article in recent.only(*fields).order_by("-announced_at", "id"):
        if any((article.id, account.id) not in made and _may_want(article, account) for account in accounts):
            yield article.id


def _may_want(article: Article, account: Account) -> bool:
    try:
        return wanted(article, account)
    except UnusableRules:
        return True  # composing it says so in a row of its own
