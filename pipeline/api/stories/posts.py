"""Posts: what will go out and what was said, and what people decide about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Before, Done, Id, Size, WhyIfAny, among, once, part, told
from pipeline.api.bearer import Asked, poster, touch
from pipeline.posts.acts import review
from pipeline.posts.models import Post, Variant
from pipeline.staff.models import Grant

router = Router(tags=["posts"])
PostState = Annotated[Post.State, among(Post.State)]
POST = "/posts/{int:post_id}"


class PostRow(Schema):
    """A post: the intent, and what came of it. `code` with `params` is why it is in its state."""

    id: int
    article_id: int
    account_id: int
    account: str
    act: str
    purpose: str
    format: str
    state: str = Field(description="`unknown`: it may be live; the account is being read back")
    code: str
    params: dict[str, Any]
    text: str
    is_breaking: bool
    cost_usd: float
    due_at: datetime
    posted_at: datetime | None
    remote_url: str


class PostPage(Schema):
    """A page of posts, the newest first."""

    posts: list[PostRow]
    next: int | None


class VariantRow(Schema):
    """A way to say it."""

    id: int
    tone: str
    text: str
    length: int
    chosen: bool


class PostWhole(PostRow):
    """A post with its other ways to say it."""

    variants: list[VariantRow]


class PostDone(Done):
    """What came of an act on a post, and the post after it; for a deletion, the row that deletes."""

    post: PostRow


class ChooseBody(Schema):
    """Which of its ways."""

    variant_id: Id


class SettleBody(Schema):
    """What a person saw on the account."""

    is_live: bool


@router.get("/posts", response=told(PostPage), summary="List posts")
def list_posts(
    request: Asked,  # noqa: ARG001
    *,
    state: PostState | None = None,
    account_id: Id | None = None,
    article_id: Id | None = None,
    before: Before = None,
    size: Size = 25,
) -> PostPage:
    """Posts, the newest first; by state, account and story where asked."""
    asked = {"state": state, "account_id": account_id, "article_id": article_id}
    found = posts().filter(**{name: value for name, value in asked.items() if value is not None})
    rows, following = part(found, before=before, size=size)
    return PostPage(posts=[_row(row) for row in rows], next=following)


@router.get(POST, response=told(PostWhole), summary="One post")
def show_post(request: Asked, post_id: Id) -> PostWhole:  # noqa: ARG001
    """A post with every way it could be said."""
    row = get_object_or_404(posts(), id=post_id)
    variants = [VariantRow.from_orm(one) for one in row.variants.order_by("id")[:20]]
    return PostWhole(**_row(row).dict(), variants=variants)


@router.post(f"{POST}/approve", response=told(PostDone), summary="Approve a post")
def approve_post(request: Asked, post_id: Id) -> PostDone:
    """It leaves at the next instant its account's rules allow."""
    return _acted(request, post_id, review.approve, "Approved.", so={Post.State.DUE})


@router.post(f"{POST}/hold", response=told(PostDone), summary="Hold a post")
def hold_post(request: Asked, post_id: Id, body: WhyIfAny) -> PostDone:
    """It waits until somebody approves it."""
    return _acted(request, post_id, review.hold, "Held.", so={Post.State.HELD}, reason=body.reason)


@router.post(f"{POST}/cancel", response=told(PostDone), summary="Cancel a post")
def cancel_post(request: Asked, post_id: Id, body: WhyIfAny) -> PostDone:
    """It does not leave. Refused once it may have left."""
    return _acted(request, post_id, review.cancel, "Cancelled.", so={Post.State.CANCELLED}, reason=body.reason)


@router.post(f"{POST}/choose", response=told(PostDone), summary="Choose other words")
def choose_words(request: Asked, post_id: Id, body: ChooseBody) -> PostDone:
    """Say it in another of its ways."""
    return _acted(request, post_id, review.choose, "Kept.", variant_id=body.variant_id)


@router.post(f"{POST}/settle", response=told(PostDone), summary="Settle a post in doubt")
def settle_post(request: Asked, post_id: Id, body: SettleBody) -> PostDone:
    """A person looked at the account: it is live and kept as posted, or it goes out again."""
    return _acted(request, post_id, review.settle, "Settled.", is_live=body.is_live)


@router.post(f"{POST}/take-down", response=told(PostDone), summary="Take a live post down")
def take_down_post(request: Asked, post_id: Id, body: WhyIfAny) -> PostDone:
    """Delete it on the network; the answer is the row of the deletion, which tells what comes of it."""
    actor, account_id = poster(request), _account_of(post_id)
    touch(actor, Grant.Kind.ACCOUNT, account_id)
    row = review.take_down(post_id=post_id, actor=actor, now=timezone.now(), reason=body.reason)
    return PostDone(done=True, message="It is being deleted.", post=row_of(row.id))


def posts() -> QuerySet[Post]:
    """Posts with account and the chosen words. One query."""
    chosen = Variant.objects.filter(post=OuterRef("pk"), chosen=True).values("text")[:1]
    return Post.objects.select_related("account").annotate(words=Subquery(chosen))


def row_of(post_id: int) -> PostRow:
    """The post as it is now."""
    return _row(posts().get(id=post_id))


def _row(post: Post) -> PostRow:
    same = ("id", "article_id", "account_id", "act", "purpose", "format", "state", "code", "params", "is_breaking",
            "due_at", "posted_at", "remote_url")  # fmt: skip
    return PostRow(
        **{name: getattr(post, name) for name in same},
        account=str(post.account),
        text=getattr(post, "words", "") or "",
        cost_usd=float(post.cost_usd),
    )


def _account_of(post_id: int) -> int:
    return get_object_or_404(Post.objects.only("account_id"), id=post_id).account_id


def _acted(
    request: Asked, post_id: int, act: Callable[..., Post], said: str, *, so: set[Post.State] | None = None, **how: Any
) -> PostDone:
    """Do it; a post that is in the state `so` already is answered as a repeat."""
    actor, account_id = poster(request), _account_of(post_id)
    touch(actor, Grant.Kind.ACCOUNT, account_id)
    done, message = once(
        lambda: act(post_id=post_id, actor=actor, now=timezone.now(), **how),
        refused=review.Refused,
        already=lambda: Post.objects.filter(id=post_id, state__in=so or ()).exists(),
        said=said,
    )
    return PostDone(done=done, message=message, post=row_of(post_id))
