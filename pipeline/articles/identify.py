"""One article, however many names its site gives it. Observing may repeat for ever; nothing here announces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from pipeline.articles.addresses import comparable, normalise
from pipeline.articles.models import Alias, Article
from pipeline.articles.page import witnesses
from pipeline.kernel.queue import Job, wake

LONGEST_NAME = 2000


class Told(witnesses.Told, Protocol):
    """What a channel says of one story: what helps to read it, and the names it goes by."""

    @property
    def id(self) -> str: ...
    @property
    def link(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look brought: ids of articles new to us, and of known ones that changed."""

    fresh: tuple[int, ...]
    changed: tuple[int, ...]


def observe(*, source_id: int, told: Iterable[Told], now: datetime, baseline: bool) -> Seen:
    """Take in what a channel tells. With `baseline`, everything new was there before us and is never announced.

    Each story is its own transaction: a bad one costs itself.
    """
    fresh, changed = [], []
    for story in told:
        if not story.link:
            continue
        article_id, is_new, is_changed = _observe_one(source_id, story, now=now, baseline=baseline)
        if is_new:
            fresh.append(article_id)
        elif is_changed:
            changed.append(article_id)
    return Seen(fresh=tuple(fresh), changed=tuple(changed))


@transaction.atomic
def _observe_one(source_id: int, story: Told, *, now: datetime, baseline: bool) -> tuple[int, bool, bool]:
    names = names_of(story)
    known = _known(source_id, names)
    if known:
        article = merge(known) if len(known) > 1 else known[0]
        add_names(article, names)
        return article.id, False, _note_change(article, story)
    article = Article.objects.create(source_id=source_id, first_seen_at=now, **_told_fields(story, baseline=baseline))
    if not add_names(article, names):  # another worker made it between our look and our insert
        article.delete()
        return _known(source_id, names)[0].id, False, False
    if not baseline:
        wake(Job.ARTICLES_READ, article_id=article.id)
    return article.id, True, False


def names_of(story: Told) -> list[tuple[str, str]]:
    """(kind, value) of every name a story goes by, the strongest first."""
    names = [("guid", story.id[:LONGEST_NAME])] if story.id else []
    return [*names, ("url", comparable(story.link)[:LONGEST_NAME])] if story.link else names


def _known(source_id: int, names: Sequence[tuple[str, str]]) -> list[Article]:
    found: dict[int, Article] = {}
    for kind, value in names:
        alias = Alias.objects.select_related("article").filter(source_id=source_id, kind=kind, value=value).first()
        if alias:
            found.setdefault(alias.article_id, alias.article)
    return sorted(found.values(), key=lambda article: article.id)


def add_names(article: Article, names: Iterable[tuple[str, str]]) -> bool:
    """Give an article names it does not have yet; False if any of them is another article's."""
    Alias.objects.bulk_create(
        [Alias(source_id=article.source_id, kind=kind, value=value, article=article) for kind, value in names],
        ignore_conflicts=True,
    )
    return not any(
        Alias.objects.filter(source_id=article.source_id, kind=kind, value=value).exclude(article=article).exists()
        for kind, value in names
    )


def merge(articles: Sequence[Article]) -> Article:
    """Two names turned out to be one story: the older keeps them all, the younger becomes its duplicate.

    A merge never announces: the older article's state stays as it is.
    """
    oldest = articles[0]
    for younger in articles[1:]:
        Alias.objects.filter(article=younger).update(article=oldest)
        Article.objects.filter(id=younger.id).update(
            state=Article.State.DUPLICATE, code="same_story", params={"article": oldest.id}
        )
    return oldest


def _note_change(article: Article, story: Told) -> bool:
    """A later `updated`, or another headline, is a reason to read the page again; that decides what changed."""
    moved = story.updated is not None and article.read_at is not None and story.updated > article.read_at
    renamed = bool(story.title) and story.title[:500] != article.headline and article.read_at is None
    if moved and article.state not in {Article.State.BASELINE, Article.State.DUPLICATE}:
        wake(Job.ARTICLES_READ, article_id=article.id)
    if renamed:
        Article.objects.filter(id=article.id).update(headline=story.title[:500])
    return moved or renamed


def _told_fields(story: Told, *, baseline: bool) -> dict[str, object]:
    fields: dict[str, object] = {
        "url": normalise(story.link or "")[:LONGEST_NAME],
        "headline": story.title[:500],
        "standfirst": story.summary or "",
        "authors": [story.author] if story.author else [],
        "published_at": story.published or story.updated,  # an Atom entry may know only the latter
        "modified_at": story.updated,
        "section_path": list(story.categories[:1]),
        "picture": {"url": story.image} if story.image else {},
    }
    if baseline:
        fields |= {"state": Article.State.BASELINE, "code": "first_look"}
    return fields
