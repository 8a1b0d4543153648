"""From seen to eligible: read the page, fill the article in, pass the gates, tell the rooms downstream."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from pipeline.articles import identify
from pipeline.articles.addresses import comparable
from pipeline.articles.models import Alias, Article, Hold, Section, Version
from pipeline.articles.read import Reading, UnusableInput, read
from pipeline.articles.gates.screen import Decision, Facts, State, screen
from pipeline.kernel.outbound.client import client as our_client
from pipeline.kernel.outbound.http import Client, FetchError
from pipeline.kernel.queue import Job, ring, wake
from pipeline.staff.journal import note
from pipeline.staff.models import User

log = logging.getLogger("dateline.articles")

PAGE_BYTES = 5_000_000
MOST_TRIES = 3
RING_AFTER = timedelta(seconds=5)
HOUR = timedelta(hours=1)
OPEN_STATES = (Article.State.SEEN, Article.State.READ)


def take_in(*, article_id: int, now: datetime, client: Client | None = None) -> str | None:
    """Read a new article's page and decide about it; its state afterwards, or None if it was decided already.

    A page that cannot be read costs nothing but its details: after three tries what the feed told must do.
    """
    article = Article.objects.filter(id=article_id, state__in=OPEN_STATES).first()
    if article is None:
        return None
    reading = _reading(article, client or our_client())
    if reading is None and article.tries + 1 < MOST_TRIES:
        Article.objects.filter(id=article_id).update(tries=F("tries") + 1)
        return str(article.state)
    return _decide(article_id, reading, now=now)


def _reading(article: Article, client: Client) -> Reading | None:
    try:
        answer = client.get(article.url, limit_bytes=PAGE_BYTES)
    except FetchError as error:
        log.info("%s could not be read: %s", article.url, error)
        return None
    if answer.status != 200:
        log.info("%s answered %s", article.url, answer.status)
        return None
    try:
        return read(answer.body, url=answer.final_url, headers=answer.headers)
    except UnusableInput as error:
        log.info("%s: %s", article.url, error)
        return None


@transaction.atomic
def _decide(article_id: int, reading: Reading | None, *, now: datetime) -> str | None:
    article = (
        Article.objects.select_for_update(of=("self",))
        .select_related("source")
        .filter(id=article_id, state__in=OPEN_STATES)
        .first()
    )
    if article is None:
        return None
    if reading is not None:
        fill(article, reading)
        same = _same_story(article, reading)
        if same is not None:
            identify.merge([same, article])
            return str(Article.State.DUPLICATE)
    article.read_at = now
    article.fingerprint = fingerprint(article)
    _settle(article, screen(_facts(article, now=now)), now=now)
    _first_version(article, now=now)
    return str(article.state)


def _settle(article: Article, decision: Decision, *, now: datetime) -> None:
    article.state, article.code, article.params = decision.state.value, decision.code, dict(decision.params)
    if decision.state is State.ELIGIBLE:
        article.eligible_at = now
        wake(Job.POSTS_COMPOSE, article_id=article.id)
    article.save()
    if decision.state is State.HELD:
        Hold.objects.create(article=article, code=decision.code, params=dict(decision.params), at=now)


@transaction.atomic
def release(*, hold_id: int, actor: User, now: datetime) -> bool:
    """A person lets a held article go on: it may be announced from now. True if it was still held."""
    hold = Hold.objects.select_for_update().select_related("article").get(id=hold_id)
    if hold.released_at is not None or hold.article.state != Article.State.HELD:
        return False
    Hold.objects.filter(id=hold_id).update(released_at=now, released_by=actor)
    Article.objects.filter(id=hold.article_id).update(state=Article.State.ELIGIBLE, code="released", eligible_at=now)
    note(
        verb="release",
        subject="article",
        subject_id=hold.article_id,
        now=now,
        actor=actor,
        held_for=hold.code,
    )
    wake(Job.POSTS_COMPOSE, article_id=hold.article_id)
    return True


def fill(article: Article, reading: Reading) -> None:
    """Put what the page says into the article; what it does not say stays as the feed told it."""
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
        "markers": [{"kind": marker.kind, "text": marker.text} for marker in reading.markers],
    }
    for name, value in told.items():
        if value:
            setattr(article, name, value)
    if reading.image is not None:
        article.picture = {
            "url": reading.image.url,
            "alt": reading.image.alt or "",
            "credit": reading.image.credit or "",
        }
    if reading.dateline is not None:
        day = reading.dateline.date
        article.dateline = {
            "place": reading.dateline.place,
            "date": day.isoformat() if day else None,
            "agency": reading.dateline.agency,
        }
    article.paywalled = bool(reading.paywalled)
    article.section = _section(article)


def _section(article: Article) -> Section | None:
    """The deepest section of the path, making what is missing of the tree."""
    parent: Section | None = None
    for depth, name in enumerate(article.section_path):
        key = "/".join(slugify(part, allow_unicode=True) for part in article.section_path[: depth + 1])[:200]
        parent, _ = Section.objects.get_or_create(
            source_id=article.source_id, key=key, defaults={"name": name[:120], "parent": parent}
        )
    return parent


def _same_story(article: Article, reading: Reading) -> Article | None:
    """The page's own canonical address may be one we know under another name; otherwise it becomes a name of ours."""
    if not reading.canonical:
        return None
    name = ("url", comparable(reading.canonical)[: identify.LONGEST_NAME])
    alias = (
        Alias.objects.filter(source_id=article.source_id, kind=name[0], value=name[1]).exclude(article=article).first()
    )
    if alias is None:
        identify.add_names(article, [name])
        return None
    return alias.article


def fingerprint(article: Article) -> str:
    """What the story says, without its furniture: equal while nothing a reader would notice has changed."""
    said = "\n".join(
        (article.headline, article.standfirst, " ".join(article.text.split()), article.picture.get("url", ""))
    )
    return hashlib.sha256(said.encode()).hexdigest()


def _facts(article: Article, *, now: datetime) -> Facts:
    source = article.source
    recent = Article.objects.filter(
        source_id=article.source_id, state=Article.State.ELIGIBLE, eligible_at__gt=now - HOUR
    )
    marked = {marker["kind"]: marker["text"] for marker in article.markers}
    day = article.dateline.get("date")
    return Facts(
        now=now,
        first_seen=article.first_seen_at,
        baseline_at=source.baseline_at,
        published=article.published_at,
        dateline_date=datetime.fromisoformat(day).date() if day else None,
        embargo=marked.get("embargo"),
        retraction=marked.get("retraction"),
        fresh_in_hour=recent.count() + 1,
        usual_per_hour=float(source.usual_per_hour),
        cautious_until=source.cautious_until,
    )


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
    ids = list(waiting.order_by("first_seen_at").values_list("id", flat=True)[:100])
    for article_id in ids:
        ring(Job.ARTICLES_READ, article_id=article_id)
    return len(ids)
