"""Reading a known story again: what changed, who must hear of it, and when it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from pipeline.articles import intake, visit
from pipeline.articles.gates import bulletins, facts, holds
from pipeline.articles.gates.changes import Kind, Said, kind_of
from pipeline.articles.gates.screen import Decision, State
from pipeline.articles.identity import identify
from pipeline.articles.identity.names import Name
from pipeline.articles.models import Alias, Article, Bulletin, Version
from pipeline.articles.read import Reading
from pipeline.articles.visit import Visit
from pipeline.kernel.outbound.http import Client
from pipeline.kernel.queue import Job, ring, wake

#: A page must be missing twice, this far apart, while its site is otherwise well.
GONE_AFTER = timedelta(minutes=10)
#: lemon24/reader's limit for entries that never stop changing.
MOST_VERSIONS = 24
REVISED = (Article.State.ELIGIBLE, Article.State.HELD, Article.State.GONE)
_BULLETINS = {
    Kind.MATERIAL: Bulletin.Kind.UPDATE,
    Kind.CORRECTION: Bulletin.Kind.CORRECTION,
    Kind.RETRACTION: Bulletin.Kind.RETRACTION,
}


def look_again(
    *, article_id: int, now: datetime, client: Client | None = None, unpublished: bool = False
) -> str | None:
    """Read a known article again and record what changed: the kind of change, "gone", "back", or None.

    `unpublished` says that the owner told us so by a signed push: then a page missing once is enough.
    """
    article = _watched(article_id)
    if article is None:
        return None
    found = visit.visit(article, client=client)
    if found.is_missing:
        return _missed(article_id, found, now=now, at_once=unpublished or article.params.get("unpublished") is True)
    reading = visit.told(article) or found.reading
    if reading is None or found.is_unreachable:
        return None
    return _reread(article_id, reading, read_at=article.read_at, now=now)


@transaction.atomic
def unpublished(*, source_id: int, names: Iterable[Name], now: datetime) -> bool:
    """The owner says by a signed push that a story was taken back. What was not told is not told; of what was, the page
    is looked at now, for a cache may still show it and only its absence takes a told story out."""
    article = identify.find(source_id=source_id, names=names)
    if article is None or article.state not in {*REVISED, *intake.OPEN_STATES}:
        return False
    holds.lock_source_of(article.id)
    article = Article.objects.get(id=article.id)
    if article.announced_at is None:
        holds.set_aside(article, Decision(State.ARCHIVED, "gone_before_told", {"by": "owner"}), now=now)
        return True
    marked = {**article.params, "unpublished": True}
    Article.objects.filter(id=article.id).update(missing_at=now, params=marked)
    wake(Job.ARTICLES_REVISE, article_id=article.id)
    return True


def suspect_gone(*, source_id: int, wp_ids: Iterable[int], now: datetime) -> int:
    """The site's list lacks posts it should have: their pages are looked at; how many articles."""
    values = [str(number) for number in wp_ids]
    held = Alias.objects.filter(source_id=source_id, kind="wp_id", value__in=values, article__state__in=REVISED)
    ids = list(
        held.filter(article__missing_at=None)
        .exclude(article__state=Article.State.GONE)
        .values_list("article_id", flat=True)
    )
    Article.objects.filter(id__in=ids).update(missing_at=now)
    for article_id in ids:
        wake(Job.ARTICLES_REVISE, article_id=article_id)
    return len(ids)


def sweep(*, now: datetime) -> int:
    """Ring for articles whose page was missing and must be looked at a second time; how many."""
    due = Article.objects.filter(missing_at__lte=now - GONE_AFTER).exclude(state=Article.State.GONE)
    ids = list(due.filter(state__in=REVISED).values_list("id", flat=True)[:100])
    for article_id in ids:
        ring(Job.ARTICLES_REVISE, article_id=article_id)
    return len(ids)


def _watched(article_id: int) -> Article | None:
    found = Article.objects.filter(id=article_id, state__in=[*REVISED, *intake.OPEN_STATES])
    return found.select_related("source").first()


@transaction.atomic
def _missed(article_id: int, found: Visit, *, now: datetime, at_once: bool) -> str | None:
    """A page that answers 404 or 410. What was told is gone after the second time; what was not told, at once."""
    holds.lock_source_of(article_id)
    article = _watched(article_id)
    if article is None or article.state == Article.State.GONE:
        return None
    if article.announced_at is None:
        decision = Decision(State.ARCHIVED, "gone_before_told", {"status": found.status})
        holds.set_aside(article, decision, now=now)
        facts.count(article.source_id, decision, now=now)
        return "gone"
    if article.missing_at is None:
        Article.objects.filter(id=article_id).update(missing_at=now)
        return None
    if not at_once and (now - article.missing_at < GONE_AFTER or not _site_is_well(article)):
        return None
    gone = {"state": Article.State.GONE, "code": "gone", "params": {"status": found.status}, "killed_at": now}
    Article.objects.filter(id=article_id).update(**gone)
    bulletins.say(article, kind=Bulletin.Kind.GONE, now=now, said=f"the site answers {found.status}")
    return "gone"


def _site_is_well(article: Article) -> bool:
    """A site that fails as a whole tells nothing about one story."""
    answered = article.source.last_success_at
    return bool(answered and article.missing_at and answered >= article.missing_at)


@transaction.atomic
def _reread(article_id: int, reading: Reading, *, read_at: datetime | None, now: datetime) -> str | None:
    """`read_at` is what the article said of its last reading before this page was asked for. Where another worker has
    read it since, this page may be the older one, and its words would undo a correction: it is asked again."""
    holds.lock_source_of(article_id)
    article = _watched(article_id)
    if article is None or article.state in intake.OPEN_STATES:
        return None
    if article.read_at != read_at:
        wake(Job.ARTICLES_REVISE, article_id=article_id)
        return None
    before, was_gone = intake.said_by(article), article.state == Article.State.GONE
    kept = {name: getattr(article, name) for name in ("published_at", "likeness")}
    intake.fill(article, reading)
    kind = kind_of(before, intake.said_by(article))
    article.missing_at, article.read_at = None, now
    if was_gone and any(marker["kind"] == "retraction" for marker in article.markers):
        was_gone = False  # its page answers, to say that the story is taken back
    if was_gone:
        _bring_back(article)
    if kind and not _record(article, kind, now=now):
        return None
    for name, value in kept.items() if kind is None else ():
        setattr(article, name, value)  # a bulk edit may move dates; the story is what it was
    article.save()
    _act(article, kind, before, now=now)
    return "back" if was_gone else kind.value if kind else None


def _record(article: Article, kind: Kind, *, now: datetime) -> bool:
    """A new version; False once an article has had so many that another says nothing."""
    last = article.versions.aggregate(last=Max("number"))["last"] or 1
    if last >= MOST_VERSIONS and kind in {Kind.COSMETIC, Kind.MATERIAL}:
        return False
    if kind is not Kind.COSMETIC:
        article.version = last + 1  # a cosmetic change is no development
    Version.objects.create(
        article=article, number=last + 1, kind=kind.value, at=now, fingerprint=article.fingerprint,
        headline=article.headline, standfirst=article.standfirst, text=article.text,
    )  # fmt: skip
    return True


def _bring_back(article: Article) -> None:
    """A page that answers again: what was told is told, what was not may still be."""
    article.killed_at, article.params = None, {}
    article.state, article.code = Article.State.ELIGIBLE, "back"


def _act(article: Article, kind: Kind | None, before: Said, *, now: datetime) -> None:
    """A retraction takes a story out of what has not left; the others are told of what was announced."""
    if kind is Kind.RETRACTION:
        _retract(article, now=now)
    if kind in _BULLETINS and article.announced_at:
        new = sorted(intake.said_by(article).markers - before.markers)
        bulletins.say(article, kind=_BULLETINS[kind], now=now, said=new[0][1] if new else "")


def _retract(article: Article, *, now: datetime) -> None:
    if article.announced_at is None:
        if article.state == Article.State.ELIGIBLE:
            holds.set_aside(article, Decision(State.HELD, "retraction", {}), now=now)
        return
    Article.objects.filter(id=article.id).update(state=Article.State.GONE, code="retracted", params={}, killed_at=now)
