"""Posts: what was said where, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from pipeline.desk import frame, words
from pipeline.desk.reasons import codes
from pipeline.posts.models import Account, Post, Variant

PAGE = 25
TROUBLED = (Post.State.HELD, Post.State.REJECTED, Post.State.UNKNOWN)
#: What a state means where no code says more.
MEANS = {
    Post.State.DRAFT: "This account asks for approval before it posts.",
    Post.State.DUE: "It is posted as soon as a worker is free.",
    Post.State.SENDING: "It is being posted now.",
    Post.State.UNKNOWN: "It may be live. The account is being read back; nothing is posted twice.",
    Post.State.HELD: "It is held until someone looks.",
    Post.State.REJECTED: "The network refused it.",
    Post.State.DELETED: "It was taken down.",
    Post.State.CANCELLED: "It was cancelled before it left.",
    Post.State.EXPIRED: "It waited too long.",
}


def posts() -> QuerySet[Post]:
    """Newest first, with account, article and the chosen words: one query for a page."""
    chosen = Variant.objects.filter(post=OuterRef("pk"), chosen=True).values("text")[:1]
    return Post.objects.select_related("account", "article").annotate(words=Subquery(chosen)).order_by("-id")


def row(post: Post, *, zone: str) -> dict[str, Any]:
    """A post as templates show it."""
    why = (
        codes.sentence(codes.POST, post.code, post.params, zone=zone)
        if post.code
        else MEANS.get(Post.State(post.state), "")
    )
    return {
        "id": post.id,
        "account": str(post.account),
        "paused": "" if post.account.state == Account.State.ACTIVE else f"This account is {post.account.state}.",
        "badge": words.badge("post", post.state),
        "text": getattr(post, "words", "") or "",
        "headline": post.article.headline,
        "why": why,
        "remote_url": frame.safe_link(post.remote_url),
        "at": post.posted_at or post.due_at,
        "posted": post.posted_at is not None,
        "tries": post.tries,
        "heard": None,
    }


def troubled(*, most: int, zone: str) -> list[dict[str, Any]]:
    """Posts that need a person, newest first."""
    return [row(post, zone=zone) for post in posts().filter(state__in=TROUBLED)[:most]]


def latest(*, most: int, zone: str, since: datetime) -> list[dict[str, Any]]:
    """The newest posts made since an instant."""
    return [row(post, zone=zone) for post in posts().filter(created_at__gte=since)[:most]]
