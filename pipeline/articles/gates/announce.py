"""Telling an eligible article, once: it settles, its page is looked at again, and the rooms downstream hear of it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from pipeline.articles import visit as visiting
from pipeline.articles.addresses import is_home
from pipeline.articles.gates import bulletins, holds
from pipeline.articles.gates.facts import count, told_today
from pipeline.articles.gates.likeness import SIMILAR, same_family, similarity, sketch
from pipeline.articles.gates.screen import MAX_AGE, QUICK_MOST, QUICK_WITHIN, SETTLE_OF_THE_QUICK, Decision, State
from pipeline.articles.identity import telling
from pipeline.articles.models import Article
from pipeline.articles.read import Reading
from pipeline.articles.visit import Visit
from pipeline.kernel.outbound.http import Client
from pipeline.kernel.queue import Job, ring
from pipeline.staff.models import Stop

log = logging.getLogger("dateline.articles")

AGAIN_AFTER = timedelta(seconds=60)
MOST_TRIES = 5
AT_MOST = 100


def settles_at(article: Article, *, now: datetime) -> datetime:
    """When an article that is eligible now may be told. `settle_s` 0 is breaking news: at once, but not in a row."""
    settle = timedelta(seconds=article.source.settle_s)
    if settle:
        return now + settle
    lately = Article.objects.filter(source_id=article.source_id, eligible_at__gt=now - QUICK_WITHIN)
    return now if lately.exclude(id=article.id).count() < QUICK_MOST else now + SETTLE_OF_THE_QUICK


def ring_due(*, now: datetime) -> int:
    """Ring for every article that has settled and was not told; how many."""
    due = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at=None, settles_at__lte=now)
    ids = list(due.order_by("settles_at").values_list("id", flat=True)[:AT_MOST])
    for article_id in ids:
        ring(Job.ARTICLES_TELL, article_id=article_id)
    return len(ids)


def tell(*, article_id: int, now: datetime, client: Client | None = None) -> str | None:
    """Look at a settled article's page once more and tell it; its state afterwards, None if there was nothing to do."""
    article = _settled(article_id, now=now)
    if article is None:
        return None
    found = visiting.visit(article, client=client)
    if found.is_unreachable and article.tries < MOST_TRIES:
        # The tick rings each second: others who went meanwhile met the same fault, and that is one try.
        tried = Article.objects.filter(id=article_id, tries=article.tries)
        tried.update(tries=F("tries") + 1, settles_at=now + AGAIN_AFTER)
        return str(article.state)
    return _told(article_id, _objection(article, found), now=now)


def _settled(article_id: int, *, now: datetime) -> Article | None:
    found = Article.objects.filter(id=article_id, state=Article.State.ELIGIBLE, announced_at=None, settles_at__lte=now)
    return found.select_related("source").first()


def _objection(article: Article, found: Visit) -> Decision | None:
    """Why an article must not be told after all (gate 7 of the reference), or None."""
    if found.is_missing or (found.final_url and is_home(found.final_url) and not is_home(article.url)):
        return Decision(State.ARCHIVED, "gone_before_told", {"status": found.status})
    reading = found.reading
    if reading is None:
        return None
    if reading.title and not same_family(article.headline, reading.title) and not _is_same_text(article, reading):
        return Decision(State.HELD, "another_story", {"headline": reading.title[:200]})
    marks = [mark.text for mark in reading.markers if mark.kind in {"embargo", "retraction"}]
    return Decision(State.HELD, "marked_since", {"text": marks[0][:300]}) if marks else None


def _is_same_text(article: Article, reading: Reading) -> bool:
    """A story told whole was never read from its page, whose headline may be one for search engines: the text tells."""
    entry = telling.entry_of(article)
    is_whole = entry is not None and entry.is_whole
    return is_whole and similarity(bytes(article.likeness), sketch(reading.text)) >= SIMILAR


@transaction.atomic
def _told(article_id: int, objection: Decision | None, *, now: datetime) -> str | None:
    holds.lock_source_of(article_id)
    article = _settled(article_id, now=now)
    if article is None:
        return None
    objection = objection or _brake(article, now=now)
    if objection:
        holds.set_aside(article, objection, now=now)
        count(article.source_id, objection, now=now)
        return str(article.state)
    bulletins.announce(article, now=now)
    return str(article.state)


def _brake(article: Article, *, now: datetime) -> Decision | None:
    """What may have changed while it settled."""
    if Stop.objects.filter(kind=Stop.Kind.TELLING).exists():
        return Decision(State.HELD, "stopped", {})
    if article.eligible_at and article.eligible_at < now - MAX_AGE:
        return Decision(State.ARCHIVED, "told_too_late", {})
    budget = article.source.daily_budget
    if budget is not None and told_today(article, now=now) >= budget:
        return Decision(State.HELD, "budget", {"announced": budget, "budget": budget})
    return None
