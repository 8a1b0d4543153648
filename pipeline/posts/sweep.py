"""What was forgotten is rung for again: stories without posts, posts nobody took, corrections, measurements."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from django.db.models import Q

from pipeline.kernel.queue import Job, ring
from pipeline.posts import measuring, recycle
from pipeline.posts.acts import brake, corrections, review
from pipeline.posts.compose import unposted
from pipeline.posts.models import Account, Post

MOST_AT_ONCE = 50


def sweep(*, now: datetime) -> None:
    """Ring again for announced articles without posts, for due posts nobody took, and for posts in doubt.

    What nobody wants or an inactive account holds is passed over: it would stand in the way of the rest for ever.
    """
    for article_id in islice(unposted(now=now), MOST_AT_ONCE):
        ring(Job.POSTS_COMPOSE, article_id=article_id)
    _ring_for_posts(now=now)
    for article_id in corrections.waiting(now=now)[:MOST_AT_ONCE]:
        ring(Job.POSTS_CORRECT, article_id=article_id)
    for account_id in measuring.waiting(now=now)[:MOST_AT_ONCE]:
        ring(Job.POSTS_MEASURE, account_id=account_id)
    review.release_affordable(now=now)
    if not brake.is_pulled():
        recycle.recycle(now=now)


def _ring_for_posts(*, now: datetime) -> None:
    placeable = Q(state=Post.State.DUE, account__state=Account.State.ACTIVE)
    if brake.is_pulled():
        placeable &= Q(act=Post.Act.DELETE)
    in_doubt = Q(state__in=[Post.State.SENDING, Post.State.UNKNOWN])
    waiting = Post.objects.filter(placeable | in_doubt, due_at__lte=now).exclude(leased_until__gt=now)
    for post_id in waiting.order_by("due_at", "id").values_list("id", flat=True)[:MOST_AT_ONCE]:
        ring(Job.POSTS_PUBLISH, post_id=post_id)
