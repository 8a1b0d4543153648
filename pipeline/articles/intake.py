"""From seen to eligible: read the story, fill the article in, pass the gates."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from pipeline.articles import visit
from pipeline.articles.gates import announce, bulletins, facts, holds
from pipeline.articles.gates.changes import Said
from pipeline.articles.gates.likeness import shares_page, sketch, title_key
from pipeline.articles.gates.screen import Decision, Facts, State, aged, screen
from pipeline.articles.identity import identify, telling
from pipeline.articles.identity.names import url_name
from pipeline.articles.models import Alias, Article, Section, Version
from pipeline.articles.page.witnesses import Step
from pipeline.articles.read import Reading
from pipeline.kernel.outbound.http import Client
from pipeline.kernel.queue import Job, ring

log = logging.getLogger("dateline.articles")

MOST_TRIES = 3
RING_AFTER = timedelta(seconds=5)
OPEN_STATES = (Article.State.SEEN, Article.State.READ)
#: Telling starts after the second good look at a source; what a push brings before that waits for it.
LOOKS_NEEDED = 2


def take_in(*, article_id: int, now: datetime, client: Client | None = None) -> str | None:
    """Read a new article and decide about it; its state afterwards, or None if it was decided already.

    A story that its channel told whole needs no page. A page that cannot be read costs nothing but its details:
    after three tries what the channel told must do.
    """
    article = Article.objects.select_related("source").filter(id=article_id, state__in=OPEN_STATES).first()
    if article is None:
        return None
    if _must_wait(article, now=now):
        return str(article.state)
    if (old := _old_by_its_entry(article, now=now)) is not None:
        return _shelve(article_id, old, now=now)
    reading = visit.told(article)
    if reading is None:
        found = visit.visit(article, client=client, is_first=True)
        reading = found.reading
        if reading is None and not found.is_missing and article.tries + 1 < MOST_TRIES:
            # The sweep rings every few seconds: others who went meanwhile met the same fault, and that is one try.
            Article.objects.filter(id=article_id, tries=article.tries).update(tries=F("tries") + 1)
            return str(article.state)
        if found.is_missing:
            return _missing(article_id, found.status, now=now)
    return _decide(article_id, reading, now=now)


def _must_wait(article: Article, *, now: datetime) -> bool:
    """For the source's second good look, or until no cache shows any more what the site has taken back."""
    if article.source.baseline_at is None or article.source.looks < LOOKS_NEEDED:
        return True
    return article.missing_at is not None and now - article.missing_at < telling.CACHES_FORGET


def _old_by_its_entry(article: Article, *, now: datetime) -> Decision | None:
    """What a channel itself dates too old is not read: an import must not keep today's news waiting."""
    entry = telling.entry_of(article)
    if entry is None or entry.published is None:
        return None
    return aged(
        Facts(
            now=now,
            first_seen=article.first_seen_at,
            baseline_at=article.source.baseline_at,
            published=entry.published,
        )
    )


@transaction.atomic
def _shelve(article_id: int, decision: Decision, *, now: datetime) -> str | None:
    article = _open(article_id)
    if article is None:
        return None
    holds.set_aside(article, decision, now=now)
    facts.count(article.source_id, decision, now=now)
    return str(article.state)


@transaction.atomic
def _missing(article_id: int, status: int, *, now: datetime) -> str | None:
    """Told by a channel and not there: taken back before we came, or not yet at every server of the site."""
    article = _open(article_id)
    if article is None:
        return None
    if article.tries + 1 < MOST_TRIES:
        Article.objects.filter(id=article_id).update(tries=F("tries") + 1)
        return str(article.state)
    return _shelve(article_id, Decision(State.ARCHIVED, "gone_before_told", {"status": status}), now=now)


def _open(article_id: int) -> Article | None:
    holds.lock_source_of(article_id)
    return Article.objects.select_related("source").filter(id=article_id, state__in=OPEN_STATES).first()


@transaction.atomic
def _decide(article_id: int, reading: Reading | None, *, now: datetime) -> str | None:
    article = _open(article_id)
    if article is None:
        return None
    if reading is not None:
        fill(article, reading)
        same = _same_story(article, reading)
        if same is not None:
            identify.merge([same, article])
            facts.count(article.source_id, Decision(State.DUPLICATE, "same_story"), now=now)
            return str(Article.State.DUPLICATE)
    article.read_at, article.missing_at = now, None
    decision = screen(facts.facts_of(article, now=now))
    facts.count(article.source_id, decision, now=now)
    _settle(article, decision, now=now)
    _first_version(article, now=now)
    return str(article.state)


def _settle(article: Article, decision: Decision, *, now: datetime) -> None:
    article.save()
    if decision.state is not State.ELIGIBLE:
        holds.set_aside(article, decision, now=now)
        if decision.code in {"burst", "source_event"}:
            holds.pull_back(article, decision, now=now, since=now - facts.HOUR)
        return
    article.state, article.code, article.params = decision.state.value, decision.code, dict(decision.params)
    article.eligible_at, article.settles_at = now, announce.settles_at(article, now=now)
    article.save()
    if article.settles_at <= now:
        bulletins.announce(article, now=now)


def fill(article: Article, reading: Reading) -> None:
    """Put what the story says into the article; what it does not say stays as the channel told it."""
    told: dict[str, Any] = {
        "headline": (reading.title or "")[:500],
        "standfirst": reading.standfirst,
        "authors": list(reading.authors),
        "language": (reading.language or "")[:12],
        "text": reading.text,
        "published_at": reading.published,
        "modified_at": reading.modified,
        "section_path": list(reading.breadcrumbs) or ([reading.section] if reading.section else []),
        "related": [{"title": link.title, "url": link.url} for link in reading.related],
    }
    for name, value in told.items():
        if value:
            setattr(article, name, value)
    article.markers = [{"kind": marker.kind, "text": marker.text} for marker in reading.markers]
    if reading.image is not None:
        picture = reading.image
        article.picture = {"url": picture.url, "alt": picture.alt or "", "credit": picture.credit or ""}
    if reading.dateline is not None:
        day = reading.dateline.date
        article.dateline = {
            "place": reading.dateline.place,
            "date": day.isoformat() if day else None,
            "agency": reading.dateline.agency,
        }
    article.paywalled = bool(reading.paywalled)
    article.section = _section(article.source_id, _path(article, reading))
    article.title_key = title_key(article.headline)
    article.likeness = sketch(article.text)
    article.fingerprint = said_by(article).fingerprint


def said_by(article: Article) -> Said:
    """What a reader sees of an article, for comparing."""
    marks = ((marker["kind"], marker["text"]) for marker in article.markers)
    return Said(
        headline=article.headline,
        standfirst=article.standfirst,
        text=article.text,
        picture=article.picture.get("url", ""),
        markers=frozenset(mark for mark in marks if mark[0] in {"correction", "retraction"}),
    )


def _path(article: Article, reading: Reading) -> list[Step]:
    """The section path with its keys: the site's own slugs, else the labels made into slugs."""
    if reading.sections:
        return list(reading.sections)
    return [Step(name=name, slug=slugify(name, allow_unicode=True)) for name in article.section_path]


def _section(source_id: int, path: list[Step]) -> Section | None:
    """The deepest section of a path, making what is missing of the tree. A new label never makes a new section."""
    parent: Section | None = None
    for depth, step in enumerate(path):
        key = "/".join(each.slug for each in path[: depth + 1])[:200]
        told = {"name": step.name[:120], "parent": parent}
        known = Section.objects.filter(source_id=source_id, term_id=step.term_id).first() if step.term_id else None
        if known is None:
            known, _ = Section.objects.get_or_create(source_id=source_id, key=key, defaults=told)
        changed: dict[str, Any] = {name: value for name, value in told.items() if getattr(known, name) != value}
        if step.term_id and known.term_id is None:
            changed["term_id"] = step.term_id
        if changed:
            Section.objects.filter(id=known.id).update(**changed)
            known.refresh_from_db()
        parent = known
    return parent


def _same_story(article: Article, reading: Reading) -> Article | None:
    """The page's own canonical address may be one we know under another name; otherwise it becomes a name of ours."""
    if not reading.canonical:
        return None
    name = url_name(reading.canonical)
    alias = (
        Alias.objects.filter(source_id=article.source_id, kind=name[0], value=name[1]).exclude(article=article).first()
    )
    if alias is None:
        identify.add_names(article, [name])
        return None
    other = alias.article
    texts = (bytes(article.likeness), bytes(other.likeness))
    return other if shares_page(article.headline, other.headline, texts=texts) else None


def _first_version(article: Article, *, now: datetime) -> None:
    Version.objects.get_or_create(
        article=article,
        number=1,
        defaults={
            "kind": Version.Kind.FIRST, "at": now, "fingerprint": article.fingerprint, "headline": article.headline,
            "standfirst": article.standfirst, "text": article.text,
        },
    )  # fmt: skip


def sweep(*, now: datetime) -> int:
    """Ring again for articles that were seen and not decided; how many."""
    waiting = Article.objects.filter(state__in=OPEN_STATES, first_seen_at__lt=now - RING_AFTER)
    waiting = waiting.filter(source__looks__gte=LOOKS_NEEDED).exclude(source__baseline_at=None)
    ids = list(waiting.order_by("first_seen_at").values_list("id", flat=True)[:100])
    for article_id in ids:
        ring(Job.ARTICLES_READ, article_id=article_id)
    return len(ids)
