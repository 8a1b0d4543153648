"""What an edition chooses from: rows made into candidates, and what a person has already placed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.db.models.query import QuerySet

from pipeline.articles.addresses import comparable
from pipeline.articles.models import Alias, Article
from pipeline.editions.choosing.bars import Candidate, Frame
from pipeline.editions.choosing.departures import first_departure
from pipeline.editions.choosing.rules import POPULAR, RELATED, Rule
from pipeline.editions.choosing.select import Placed
from pipeline.editions.models import Edition, Item, Newsletter
from pipeline.ranking.models import Standing

MOST_CANDIDATES = 500
MOST_EVERGREENS = 50
MOST_RELATED = 10  #: of one story's own links
#: Editions whose stories readers have, or are about to have.
GONE = (Edition.State.APPROVED, Edition.State.SENDING, Edition.State.SENT)
ALERTED_FOR = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class _Known:
    """What other rows say of the articles of a pool, by article id."""

    sent: dict[int, tuple[datetime, int]]
    places: dict[int, tuple[int, str, str]]
    waiting: dict[int, int]
    alerted: dict[int, datetime]
    related: dict[int, tuple[int, ...]]


def rules_of(newsletter: Newsletter) -> list[Rule]:
    """The newsletter's blocks as rules. Raises UnusableRule."""
    return [Rule.of(position=b.position, kind=b.kind, title=b.title, rule=b.rule) for b in newsletter.blocks.all()]


def cutoff_of(edition: Edition) -> datetime:
    """From when on nothing changes by itself: counted from when its first readers get it.

    The first edition's is never before its newsletter began.
    """
    newsletter = edition.newsletter
    return max(first_departure(edition) - timedelta(seconds=newsletter.cutoff_before_s), newsletter.created_at)


def frame_of(edition: Edition) -> Frame:
    """From the first edition's window, or the end of a pause, until the cut-off; what left before is in the ledger."""
    newsletter = edition.newsletter
    first = newsletter.created_at - timedelta(hours=newsletter.first_window_h)
    resumed = newsletter.cadence.get("collects_from")
    return Frame(
        since=max(first, datetime.fromisoformat(resumed)) if resumed else first,
        cutoff_at=cutoff_of(edition),
        most_age_h=newsletter.max_age_h,
        carry_editions=newsletter.carry_editions,
    )


def candidates(edition: Edition, *, rules: Iterable[Rule]) -> list[Candidate]:
    """Articles that could be considered: told ones young enough, those that wait for room, what readers liked, what
    an editor marked as evergreen, what a person placed, and what the others point to."""
    places, waiting = _places(), _waiting(edition)
    ids = {*places, *waiting, *(pin.article_id for pin in placed_in(edition))}
    articles = list(_considered(edition, ids=ids))
    kinds = {rule.kind for rule in rules}
    related = _related(articles) if RELATED in kinds else {}
    pointed = {n for found in related.values() for n in found} - {article.id for article in articles}
    articles += _light(Article.objects.filter(id__in=pointed).exclude(state=Article.State.KILLED))
    known = _Known(_sent_before(edition), places, waiting, _alerted(edition, articles), related)
    return [_candidate(article, known) for article in articles]


def placed_in(edition: Edition) -> list[Placed]:
    """What people placed or took out by hand."""
    rows = edition.items.filter(pinned=True).select_related("block").order_by("position", "id")
    return [
        Placed(row.article_id, row.block.position if row.picked and row.block else None, max(row.position, 1))
        for row in rows
    ]


def _light(articles: QuerySet[Article]) -> QuerySet[Article]:
    return articles.defer("markers", "likeness")


def _considered(edition: Edition, *, ids: Iterable[int]) -> QuerySet[Article]:
    """Archived and baseline stories may be popular, evergreen or pointed to, and only that: they were never told."""
    since = edition.slot_at - timedelta(hours=2 * edition.newsletter.max_age_h)
    fresh = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at__isnull=False, first_seen_at__gte=since)
    newest = fresh.order_by("-first_seen_at", "id").values("id")[:MOST_CANDIDATES]
    good = Article.objects.filter(is_evergreen=True).order_by("first_seen_at", "id").values("id")[:MOST_EVERGREENS]
    wanted = Article.objects.filter(Q(id__in=newest) | Q(id__in=list(ids)) | Q(id__in=good))
    return _light(wanted.exclude(state=Article.State.KILLED)).order_by("-first_seen_at", "id")


def _candidate(article: Article, known: _Known) -> Candidate:
    sent_at, sent_version = known.sent.get(article.id, (None, 0))
    place, window, label = known.places.get(article.id, (None, "", ""))
    return Candidate(
        article_id=article.id,
        headline=article.headline,
        sections=tuple(article.section_path),
        authors=tuple(article.authors),
        published_at=article.published_at,
        first_seen_at=article.first_seen_at,
        eligible_at=article.announced_at if article.state == Article.State.ELIGIBLE else None,
        version=article.version,
        killed=article.killed_at is not None or article.state == Article.State.GONE,
        sent_at=sent_at,
        sent_version=sent_version,
        popular_place=place,
        popular_window=window,
        popular_label=label,
        tags=tuple((article.told.get("entry") or {}).get("categories", ())),
        source_id=article.source_id,
        words=len(article.text.split()),
        carried=known.waiting.get(article.id, 0),
        related=known.related.get(article.id, ()),
        is_evergreen=article.is_evergreen,
        alerted_at=known.alerted.get(article.id),
    )


def _sent_before(edition: Edition) -> dict[int, tuple[datetime, int]]:
    """What earlier editions of this newsletter carried as news: the ledger, append-only."""
    rows = (
        Item.objects.filter(picked=True, edition__newsletter_id=edition.newsletter_id, edition__state__in=GONE)
        .exclude(edition_id=edition.id)
        .exclude(block__kind=POPULAR)
        .values_list("article_id")
        .annotate(at=Max("edition__slot_at"), seen=Max("version"))
    )
    return {article_id: (at, seen) for article_id, at, seen in rows}


def _places() -> dict[int, tuple[int, str, str]]:
    """Where readers put each article today: place, window, label."""
    rows = Standing.objects.filter(chart__window="today", chart__section="", value__gt=0).exclude(
        article__state=Article.State.KILLED
    )
    return {row.article_id: (row.place, row.counted_in, getattr(row, "label", "") or "") for row in rows}


def _waiting(edition: Edition) -> dict[int, int]:
    """Stories the edition before had no room for, and how many editions they have waited."""
    before = Edition.objects.filter(newsletter_id=edition.newsletter_id, slot_at__lt=edition.slot_at, state__in=GONE)
    last = before.order_by("-slot_at").first()
    if last is None or not edition.newsletter.carry_editions:
        return {}
    return dict(last.items.filter(picked=False, code="no_room").values_list("article_id", "carried"))


def _alerted(edition: Edition, articles: Iterable[Article]) -> dict[int, datetime]:
    """When readers of any alert were told of these stories."""
    rows = Item.objects.filter(
        article__in=[article.id for article in articles], picked=True, edition__newsletter__kind=Newsletter.Kind.ALERT,
        edition__state__in=GONE, edition__slot_at__gte=edition.slot_at - ALERTED_FOR,
    )  # fmt: skip
    return dict(rows.values_list("article_id").annotate(at=Max("edition__slot_at")))


def _related(articles: Iterable[Article]) -> dict[int, tuple[int, ...]]:
    """The articles each story's own page points to, as far as we know them; addresses are names of articles."""
    wanted = {
        (article.source_id, comparable(link["url"])): None
        for article in articles
        for link in article.related[:MOST_RELATED]
    }
    rows = Alias.objects.filter(kind="url", value__in={value for _, value in wanted})
    known = {(row.source_id, row.value): row.article_id for row in rows}
    found = {}
    for article in articles:
        keys = [(article.source_id, comparable(link["url"])) for link in article.related[:MOST_RELATED]]
        ids = tuple(dict.fromkeys(known[key] for key in keys if key in known and known[key] != article.id))
        if ids:
            found[article.id] = ids
    return found
