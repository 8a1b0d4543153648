"""What a channel told us of a story, kept beside the article: to read it later, and to notice when it is told anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipeline.articles.addresses import comparable, normalise
from pipeline.articles.gates.likeness import title_key
from pipeline.articles.models import Article
from pipeline.articles.page import witnesses
from pipeline.articles.page.witnesses import Entry, Step

LONGEST_URL = 2000
#: Entries that carry the current time change at every look (lemon24/reader stops at 24 too).
MOST_RETELLINGS = 24
WATCHED_FOR = timedelta(days=14)
CACHES_FORGET = timedelta(seconds=60)  #: a page cache may list a story for a while after it was taken back
MOST_RETURNS = 5
_INSTANTS = ("published", "updated")


class Told(witnesses.Told, Protocol):
    """An entry, as far as reading needs it."""

    @property
    def link(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Retold:
    """The record to keep now; `is_news` says that the story is told differently than this channel told it before."""

    record: dict[str, Any]
    is_news: bool


def fields_of(story: Told) -> dict[str, Any]:
    """What an article starts with."""
    return {
        "url": normalise(story.link or "")[:LONGEST_URL],
        "headline": story.title[:500],
        "title_key": title_key(story.title),
        "standfirst": story.summary or "",
        "authors": [story.author] if story.author else [],
        "published_at": story.published or story.updated,  # an Atom entry may know only the latter
        "modified_at": story.updated,
        "section_path": [step.name for step in story.sections] or list(story.categories[:1]),
        "picture": {"url": story.image} if story.image else {},
        "told": {"entry": _dumped(story), "seen": {_shape(story): _digest(story)}, "retold": 0},
    }


def retold(record: Mapping[str, Any], story: Told) -> Retold | None:
    """The record after another telling, or None when this kind of channel says what it said before.

    Channels differ in what they tell, so each shape of entry is compared with its own last telling only. A moved
    `updated` counts unless the entry is the whole story: then its words decide (bulk edits move dates only).
    """
    shape, digest = _shape(story), _digest(story)
    before = record.get("seen", {}).get(shape)
    if before == digest:
        return None
    kept = record.get("entry") or {}
    entry = kept if kept.get("is_whole") and not story.is_whole else _dumped(story)
    count = int(record.get("retold", 0)) + (before is not None)
    seen = {**record.get("seen", {}), shape: digest}
    return Retold(
        {**record, "entry": entry, "seen": seen, "retold": count}, before is not None and count <= MOST_RETELLINGS
    )


def moved(article: Article, story: Told) -> str:
    """The article's new address after a change of slug, "" where it is the old one."""
    now = normalise(story.link or "")[:LONGEST_URL]
    return now if comparable(now) != comparable(article.url) else ""


def is_back(article: Article) -> bool:
    """Was it taken back before it was told, and does a channel tell of it all the same? It may be cached, or the
    story may be out again and nothing else change for hours: intake reads it once CACHES_FORGET is over."""
    if article.state != Article.State.ARCHIVED or article.code != "gone_before_told" or article.missing_at is None:
        return False
    return int(article.told.get("reopened", 0)) < MOST_RETURNS


def is_worth_rereading(article: Article, *, now: datetime) -> bool:
    """Only what was told or may be told is read again, and only while it is recent."""
    watched = {Article.State.ELIGIBLE, Article.State.HELD, Article.State.GONE}
    return article.state in watched and article.first_seen_at > now - WATCHED_FOR


def entry_of(article: Article) -> Entry | None:
    """The best telling of an article, or None where none was kept."""
    kept = article.told.get("entry")
    if not kept:
        return None
    known = {field.name for field in fields(Entry)}
    values = {name: value for name, value in kept.items() if name in known and value is not None}
    for name in _INSTANTS:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    values["categories"] = tuple(values.get("categories", ()))
    values["sections"] = tuple(Step(**step) for step in values.get("sections", ()))
    return Entry(**values)


def _dumped(story: Told) -> dict[str, Any]:
    found = {field.name: getattr(story, field.name) for field in fields(Entry)}
    found["sections"] = [asdict(Step(name=step.name, slug=step.slug, term_id=step.term_id)) for step in story.sections]
    found["categories"] = list(story.categories)
    for name in _INSTANTS:
        found[name] = found[name].isoformat() if found[name] else None
    return {name: value for name, value in found.items() if value}


def _shape(story: Told) -> str:
    return "whole" if story.is_whole else f"{'s' if story.summary else '-'}{'c' if story.content_html else '-'}"


def _digest(story: Told) -> str:
    said = [story.title, story.summary or "", story.content_html or "", story.image or ""]
    if story.updated and not story.is_whole:
        said.append(story.updated.isoformat())
    return hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()[:24]
