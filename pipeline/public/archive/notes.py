"""What was corrected or withdrawn in an edition since its readers got it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.articles.models import Article, Bulletin
from pipeline.editions.models import Edition, Item
from pipeline.public.archive.shelves import CARRIED
from pipeline.public.social.notes import Change, changes, is_withdrawn, last_word, link


@dataclass(frozen=True, slots=True)
class Note:
    """One story that is not as it was sent. Of what was killed or is gone, neither words nor link are given.

    `how` is correction, retraction, kill or gone; `said` are the site's own words.
    """

    how: str
    article_id: int
    at: datetime | None
    headline: str = ""
    link: str = ""
    said: str = ""
    changes: tuple[Change, ...] = ()


def notes_of(edition: Edition) -> tuple[Note, ...]:
    """In the order the stories stand."""
    rows = edition.items.filter(CARRIED).select_related("article").prefetch_related("article__bulletins")
    return tuple(note for item in rows.order_by("block__position", "position", "id") if (note := _note(item)))


def withdrawn(notes: Iterable[Note]) -> frozenset[int]:
    """The articles of which nothing may be shown."""
    return frozenset(note.article_id for note in notes if note.how != "correction")


def _note(item: Item) -> Note | None:
    article = item.article
    told = sorted(article.bulletins.all(), key=lambda one: (one.at, one.id))
    if is_withdrawn(article) or article.killed_at:
        return _withdrawn(article, told)
    later = [one for one in told if one.kind == Bulletin.Kind.CORRECTION and one.version > item.version]
    if not later:
        return None
    return Note(
        how="correction", article_id=article.id, at=later[-1].at, headline=article.headline, link=link(article.url),
        changes=tuple(changes(article, later)),
    )  # fmt: skip


def _withdrawn(article: Article, told: list[Bulletin]) -> Note:
    last = last_word(told)
    how, at = (last.kind, last.at) if last else (Bulletin.Kind.GONE, article.killed_at)
    if how != Bulletin.Kind.RETRACTION:
        return Note(how=how, article_id=article.id, at=at)
    return Note(
        how=how, article_id=article.id, at=at, headline=article.headline, link=link(article.url),
        said=last.said.strip() if last else "",
    )  # fmt: skip
