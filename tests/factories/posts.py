"""Social accounts and their posts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.articles.models import Article
from pipeline.posts.models import Account, Post, Variant

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


def account(*, network: str = "agora", handle: str = "@dispatch", now: datetime = NOW, **fields: Any) -> Account:
    """An active account without credentials."""
    return Account.objects.create(network=network, handle=handle, **{"created_at": now - timedelta(days=30), **fields})


def post(*, article: Article, account: Account, text: str = "", now: datetime = NOW, **fields: Any) -> Post:
    """A post with its chosen words: the headline where no others are given."""
    made = Post.objects.create(article=article, account=account, **{"due_at": now, "created_at": now, **fields})
    words = text or article.headline
    Variant.objects.create(post=made, text=words, length=len(words), chosen=True)
    return made
