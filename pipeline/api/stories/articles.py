"""Articles, what is held, and the kill."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Before, Done, Id, Refusing, Size, Why, WhyIfAny, Word, among, part, told, turned
from pipeline.api.bearer import Asked, editor
from pipeline.articles.gates import holds
from pipeline.articles.models import Article, Hold
from pipeline.editions.models import Item

router = Router(tags=["articles"])
ArticleState = Annotated[Article.State, among(Article.State)]
MOST_USES = 50
_UNSHOWN = ("text", "related", "likeness", "told")


class ArticleRow(Schema):
    """A story. `code` with `params` is why it is in its state."""

    id: int
    source_id: int
    state: str
    code: str
    params: dict[str, Any]
    url: str
    headline: str
    standfirst: str
    authors: list[Any]
    section_path: list[Any]
    language: str
    version: int
    is_evergreen: bool
    first_seen_at: datetime
    published_at: datetime | None
    modified_at: datetime | None
    announced_at: datetime | None
    killed_at: datetime | None


class ArticlePage(Schema):
    """A page of articles, the newest first."""

    articles: list[ArticleRow]
    next: int | None


class VersionRow(Schema):
    """What it said at some time, and how much changed."""

    number: int
    kind: str
    at: datetime
    headline: str


class Use(Schema):
    """An edition that considered the story."""

    edition_id: int
    picked: bool
    code: str
    params: dict[str, Any]


class ArticleWhole(ArticleRow):
    """A story with its versions, the hold it waits in, and the latest editions that considered it."""

    versions: list[VersionRow]
    hold_id: int | None
    editions: list[Use]


class ArticleDone(Done):
    """What came of an act on a story, and the story after it."""

    article: ArticleRow


class HoldRow(Schema):
    """A story that waits for a person. Holds of one `batch` have one cause and are decided together."""

    id: int
    article_id: int
    headline: str
    code: str
    params: dict[str, Any]
    batch: str
    at: datetime


class HoldPage(Schema):
    """A page of holds, the newest first."""

    holds: list[HoldRow]
    next: int | None


class BatchBody(WhyIfAny):
    """Which batch, and how many stories the program was shown: another number is a conflict."""

    batch: Annotated[Word, Field(min_length=1)]
    count: Annotated[int, Field(ge=1, le=100_000)]


@router.get("/articles", response=told(ArticlePage), summary="List articles")
def list_articles(
    request: Asked,  # noqa: ARG001
    *,
    state: ArticleState | None = None,
    source_id: Id | None = None,
    headline: Word = "",
    before: Before = None,
    size: Size = 25,
) -> ArticlePage:
    """Stories, the newest first; by state, source and words of the headline where asked."""
    found = articles().filter(headline__icontains=headline) if headline else articles()
    found = found.filter(state=state) if state else found
    found = found.filter(source_id=source_id) if source_id else found
    rows, following = part(found, before=before, size=size)
    return ArticlePage(articles=[ArticleRow.from_orm(row) for row in rows], next=following)


@router.get("/articles/{int:article_id}", response=told(ArticleWhole), summary="One article")
def show_article(request: Asked, article_id: Id) -> ArticleWhole:  # noqa: ARG001
    """A story with its versions and where it is used, or why not."""
    row = get_object_or_404(articles(), id=article_id)
    uses = Item.objects.filter(article_id=article_id).order_by("-edition_id")[:MOST_USES]
    hold = Hold.objects.filter(article_id=article_id, released_at=None).values_list("id", flat=True).first()
    return ArticleWhole(
        **ArticleRow.from_orm(row).dict(),
        versions=[VersionRow.from_orm(v) for v in row.versions.defer("text").order_by("-number")[:MOST_USES]],
        hold_id=hold,
        editions=[Use.from_orm(item) for item in uses],
    )


@router.post("/articles/{int:article_id}/kill", response=told(ArticleDone), summary="Kill a story")
def kill_article(request: Asked, article_id: Id, body: Why) -> ArticleDone:
    """Take it out of everything that has not left yet. What was sent stays sent."""
    actor = editor(request)
    get_object_or_404(Article.objects.only("id"), id=article_id)
    done = holds.kill(article_id=article_id, actor=actor, now=timezone.now(), reason=body.reason)
    return _told(article_id, *turned(done, said="Killed: it leaves everything that has not left yet."))


@router.get("/holds", response=told(HoldPage), summary="List held stories")
def list_holds(request: Asked, batch: Word = "", before: Before = None, size: Size = 25) -> HoldPage:  # noqa: ARG001
    """Stories that wait for a person, the newest first; of one batch where asked."""
    found = holds.open_batches().select_related("article").defer(*(f"article__{name}" for name in _UNSHOWN))
    rows, following = part(found.filter(batch=batch) if batch else found, before=before, size=size)
    return HoldPage(holds=[_hold(row) for row in rows], next=following)


@router.post("/holds/{int:hold_id}/release", response=told(ArticleDone), summary="Release a held story")
def release_hold(request: Asked, hold_id: Id) -> ArticleDone:
    """It is offered to every account and edition now."""
    actor = editor(request)
    hold = get_object_or_404(Hold, id=hold_id)
    done = holds.release(hold_id=hold_id, actor=actor, now=timezone.now())
    return _told(hold.article_id, *turned(done, said="Released."))


@router.post("/holds/release-batch", response=told(Done), summary="Release all that one event held")
def release_batch(request: Asked, body: BatchBody) -> Done:
    """Every story of the batch is offered now."""
    actor = editor(request)
    _as_seen(body)
    count = holds.release_batch(batch=body.batch, actor=actor, now=timezone.now())
    return Done(done=bool(count), message=f"Released: {count}.")


@router.post("/holds/discard-batch", response=told(Done), summary="Discard all that one event held")
def discard_batch(request: Asked, body: BatchBody) -> Done:
    """None of it is news: archived, to be found and never told."""
    actor = editor(request)
    _as_seen(body)
    count = holds.discard_batch(batch=body.batch, actor=actor, now=timezone.now(), reason=body.reason)
    return Done(done=bool(count), message=f"Filed as archive: {count}.")


def articles() -> QuerySet[Article]:
    """Articles without what no row shows."""
    return Article.objects.defer(*_UNSHOWN)


def article_row(article_id: int) -> ArticleRow:
    """The story as it is now."""
    return ArticleRow.from_orm(articles().get(id=article_id))


def _told(article_id: int, done: bool, message: str) -> ArticleDone:
    return ArticleDone(done=done, message=message, article=article_row(article_id))


def _hold(row: Hold) -> HoldRow:
    same = ("id", "article_id", "code", "params", "batch", "at")
    return HoldRow(**{name: getattr(row, name) for name in same}, headline=row.article.headline)


def _as_seen(body: BatchBody) -> None:
    """Refuse a batch that is not what the program was shown any more."""
    count = holds.open_batches().filter(batch=body.batch).count()
    if count != body.count:
        said = f"There are {count} stories in this batch now, not {body.count}."
        raise Refusing(409, "conflict", said, hint="List the holds of the batch again, and decide about them.")
