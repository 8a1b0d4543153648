"""One article, however many names its site gives it. Observing may repeat for ever; nothing here announces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from pipeline.articles.addresses import same_site
from pipeline.articles.gates.holds import lock_source_of
from pipeline.articles.gates.likeness import title_key
from pipeline.articles.gates.screen import identity_break
from pipeline.articles.identity import telling
from pipeline.articles.identity.names import LONGEST_NAME, Name, Named, names_of
from pipeline.articles.models import Alias, Article
from pipeline.kernel.queue import Job, wake

__all__ = ["Seen", "Told", "add_names", "find", "known_posts", "merge", "names_of", "note_change", "observe"]


class Told(telling.Told, Named, Protocol):
    """What a channel says of one story: what helps to read it, and the names it goes by."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look brought: ids of articles new to us, and of known ones that changed."""

    fresh: tuple[int, ...]
    changed: tuple[int, ...]


def observe(*, source_id: int, told: Iterable[Told], now: datetime, baseline: bool) -> Seen:
    """Take in what a channel tells. With `baseline`, everything new was there before us and is never announced.

    What is known and unchanged costs one query for the whole batch. Everything else is a transaction of its own: a
    bad story costs itself.
    """
    stories = _named(told)
    known = _articles(source_id, [name for _, names in stories for name in names])
    if not baseline and _renamed(source_id, stories, known):
        _add_new_names(source_id, stories, known)
        known = _articles(source_id, [name for _, names in stories for name in names])
    fresh, changed = [], []
    for story, names in stories:
        found = {known[name].id for name in names if name in known}
        if len(found) == 1 and all(name in known for name in names):
            article_id, is_new = found.pop(), False
            is_changed = note_change(known[names[0]], story, now=now, may_move=story.is_whole)
        else:
            article_id, is_new, is_changed = _observe_one(source_id, story, names, now=now, baseline=baseline)
        if is_new:
            fresh.append(article_id)
        elif is_changed:
            changed.append(article_id)
    return Seen(fresh=tuple(dict.fromkeys(fresh)), changed=tuple(dict.fromkeys(changed)))


def _named(told: Iterable[Told]) -> list[tuple[Told, list[Name]]]:
    """Stories with their names. A list of several sites' stories says nothing by WordPress's numbers: each site
    counts for itself, and only a list of one site's is sure to be the source's."""
    stories = [story for story in told if story.link]
    first = stories[0].link if stories else None
    is_one_site = all(same_site(story.link or "", first or "") for story in stories)
    found = [(story, names_of(story)) for story in stories]
    if is_one_site:
        return found
    return [(story, [n for n in names if n[0] != "wp_id" or story.wp_id]) for story, names in found]


def known_posts(*, source_id: int, wp_ids: Iterable[int]) -> set[int]:
    """Which of a site's WordPress numbers we have."""
    values = [str(number) for number in wp_ids]
    found = Alias.objects.filter(source_id=source_id, kind="wp_id", value__in=values)
    return {int(value) for value in found.values_list("value", flat=True)}


def find(*, source_id: int, names: Iterable[Name]) -> Article | None:
    """The article that goes by any of these names, the first name first."""
    names = list(names)
    known = _articles(source_id, names)
    return next((known[name] for name in names if name in known), None)


def _articles(source_id: int, names: Sequence[Name]) -> dict[Name, Article]:
    wanted = set(names)
    rows = Alias.objects.filter(source_id=source_id, value__in={value for _, value in wanted})
    light = rows.select_related("article").defer("article__text", "article__related", "article__likeness")
    return {(row.kind, row.value): row.article for row in light if (row.kind, row.value) in wanted}


def _renamed(source_id: int, stories: Sequence[tuple[Told, list[Name]]], known: Mapping[Name, Article]) -> bool:
    """Did the site give its stories new ids at once? Then a new id is no news (gate 3 of the reference)."""
    titles = _titles(source_id, stories)
    sightings = []
    for story, names in stories:
        otherwise = title_key(story.title) in titles or any(name in known for name in names if name[0] != "guid")
        sightings.append((("guid", story.id[:LONGEST_NAME]) in known, otherwise))
    return identity_break(sightings)


def _titles(source_id: int, stories: Sequence[tuple[Told, list[Name]]]) -> dict[str, int]:
    """Article id by title key, for the titles of these stories that we have; the oldest article wins."""
    keys = {title_key(story.title) for story, _ in stories} - {""}
    rows = Article.objects.filter(source_id=source_id, title_key__in=keys).order_by("-id")
    return dict(rows.values_list("title_key", "id"))


def _add_new_names(source_id: int, stories: Sequence[tuple[Told, list[Name]]], known: Mapping[Name, Article]) -> None:
    """In a renaming, a story whose title we have and whose names we have not is that article."""
    titles = _titles(source_id, stories)
    for story, names in stories:
        article_id = titles.get(title_key(story.title))
        if article_id and not any(name in known for name in names):
            add_names(Article.objects.get(id=article_id), names)


@transaction.atomic
def _observe_one(
    source_id: int, story: Told, names: list[Name], *, now: datetime, baseline: bool
) -> tuple[int, bool, bool]:
    known = sorted({a.id: a for a in _articles(source_id, names).values()}.values(), key=lambda a: a.id)
    if known:
        article = merge(known) if len(known) > 1 else known[0]
        is_new_address = not Alias.objects.filter(source_id=source_id, kind="url", value=names[-1][1]).exists()
        add_names(article, names)
        return article.id, False, note_change(article, story, now=now, may_move=story.is_whole or is_new_address)
    fields = telling.fields_of(story) | ({"state": Article.State.BASELINE, "code": "first_look"} if baseline else {})
    article = Article.objects.create(source_id=source_id, first_seen_at=now, **fields)
    if not add_names(article, names):  # another worker made it between our look and our insert
        article.delete()
        other = next(iter(_articles(source_id, names).values()))
        add_names(other, names)
        return other.id, False, False
    if not baseline:
        wake(Job.ARTICLES_READ, article_id=article.id)
    return article.id, True, False


def add_names(article: Article, names: Iterable[Name]) -> bool:
    """Give an article names it does not have yet; False if any of them is another article's."""
    names = list(names)
    Alias.objects.bulk_create(
        [Alias(source_id=article.source_id, kind=kind, value=value, article=article) for kind, value in names],
        ignore_conflicts=True,
    )
    return all(found.id == article.id for found in _articles(article.source_id, names).values())


def merge(articles: Sequence[Article]) -> Article:
    """Two names turned out to be one story: the older keeps them all, the younger becomes its duplicate. One that was
    told is kept before any that was not, or the story would be told twice.

    A merge never announces: the state of the article that is kept stays as it is.
    """
    lock_source_of(articles[0].id)
    told = set(
        Article.objects.filter(id__in=[each.id for each in articles], announced_at__isnull=False).values_list(
            "id", flat=True
        )
    )
    kept = next((article for article in articles if article.id in told), articles[0])
    for other in articles:
        if other is kept:
            continue
        Alias.objects.filter(article=other).update(article=kept)
        Article.objects.filter(id=other.id).update(
            state=Article.State.DUPLICATE, code="same_story", params={"article": kept.id}
        )
    return kept


def note_change(article: Article, story: Told, *, now: datetime, may_move: bool) -> bool:
    """Whether a channel now says something else of a known story; reading it again will tell what changed.

    `may_move` lets the article's address follow the story's: channels that spell it differently must not take turns.
    """
    if telling.is_back(article):
        _open_again(article)
        return True
    told = telling.retold(article.told, story)
    address = telling.moved(article, story) if may_move else ""
    if told is None and not address:
        return False
    Article.objects.filter(id=article.id).update(
        **({"told": told.record} if told else {}), **({"url": address} if address else {})
    )
    if told and told.is_news and telling.is_worth_rereading(article, now=now):
        wake(Job.ARTICLES_REVISE, article_id=article.id)
        return True
    return False


def _open_again(article: Article) -> None:
    """A story that was taken back before it was told is told of again: it may be news after all."""
    told = {**article.told, "reopened": int(article.told.get("reopened", 0)) + 1}
    opened = Article.objects.filter(id=article.id, state=article.state).update(
        state=Article.State.SEEN, code="", params={}, tries=0, told=told
    )
    if opened:
        wake(Job.ARTICLES_READ, article_id=article.id)
