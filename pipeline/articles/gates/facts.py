"""What the gates need to know of an article and its source, from the rows; and what the gates have answered so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet

from pipeline.articles.gates.likeness import is_same, similarity
from pipeline.articles.gates.screen import COMPARED_FOR, MAX_AGE, MOST_COMPARED, Decision, Facts
from pipeline.articles.models import Article
from pipeline.staff.models import Stop

HOUR = timedelta(hours=1)
HISTORY = timedelta(days=28)
SHORTEST_HISTORY = timedelta(days=7)
FEWEST_HOURS, MOST_AT_FIRST = 2.0, 10  #: what a baseline may say of the usual hour

_COUNT = """
INSERT INTO dateline_gatecount (source_id, day, state, code, count) VALUES (%s, %s, %s, %s, 1)
ON CONFLICT (source_id, day, state, code) DO UPDATE SET count = dateline_gatecount.count + 1
"""


def facts_of(article: Article, *, now: datetime) -> Facts:
    """Everything known when an article is screened; the caller holds its source's row."""
    source = article.source
    marked = {marker["kind"]: marker["text"] for marker in article.markers}
    day = article.dateline.get("date")
    same, how_like = likest(article)
    return Facts(
        now=now,
        first_seen=article.first_seen_at,
        baseline_at=source.baseline_at,
        published=article.published_at,
        dateline_date=date.fromisoformat(day) if day else None,
        same_as=same.id if same else None,
        similarity=how_like,
        embargo=marked.get("embargo"),
        retraction=marked.get("retraction"),
        fresh_in_hour=new_in_hour(article.source_id, now=now).exclude(id=article.id).count() + 1,
        usual_per_hour=float(source.usual_per_hour),
        cautious_until=source.cautious_until,
        cautious_because=source.cautious_because,
        announced_today=told_today(article, now=now),
        daily_budget=source.daily_budget,
        stopped=Stop.objects.filter(kind=Stop.Kind.TELLING).exists(),
    )


def new_in_hour(source_id: int, *, now: datetime) -> QuerySet[Article]:
    """Stories of the last 60 minutes that would be news, whether decided already or not; what a person let go is out.

    Undecided ones count by what their entries claim, so that an import of old stories is no burst.
    """
    waiting = Q(state__in=[Article.State.SEEN, Article.State.READ]) & (
        Q(published_at=None) | Q(published_at__gte=now - MAX_AGE)
    )
    decided = Q(state=Article.State.ELIGIBLE) | Q(state=Article.State.HELD, code="burst")
    recent = Article.objects.filter(source_id=source_id, first_seen_at__gt=now - HOUR)
    return recent.filter(waiting | decided).exclude(code="released")


def likest(article: Article) -> tuple[Article | None, float]:
    """An earlier article of the same source with the same text, and how like it is; its text is fetched if asked.

    Under the same title .85 will do; under another the texts must be nearly one and name the same numbers.
    """
    if not article.likeness:
        return None, 0.0
    since = article.first_seen_at - COMPARED_FOR
    others = Article.objects.filter(source_id=article.source_id).exclude(id=article.id).exclude(likeness=b"")
    others = others.filter(Q(first_seen_at__gte=since) | Q(title_key=article.title_key))
    earlier = Q(id__lt=article.id) | Q(eligible_at__isnull=False)  # one that was read sooner may have been told
    others = others.exclude(state=Article.State.DUPLICATE).filter(earlier)
    rows = others.order_by("-id").only("id", "title_key", "likeness")[:MOST_COMPARED]
    scored = [(similarity(bytes(article.likeness), bytes(row.likeness)), row) for row in rows.iterator(chunk_size=100)]
    best = max(
        (pair for pair in scored if is_same(article, pair[1], how_like=pair[0])), key=lambda pair: pair[0], default=None
    )
    return (best[1], best[0]) if best else (None, 0.0)


def told_today(article: Article, *, now: datetime) -> int:
    """How many stories of the source were told, or wait to be, since midnight in its zone."""
    zone = ZoneInfo(article.source.zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    told = Article.objects.filter(source_id=article.source_id, state=Article.State.ELIGIBLE, eligible_at__gte=midnight)
    return told.exclude(id=article.id).count()


def count(source_id: int, decision: Decision, *, now: datetime) -> None:
    """One more answer of a gate."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [source_id, now.astimezone(UTC).date(), decision.state.value, decision.code])


def usual_per_hour(source: Mapping[str, Any], *, now: datetime) -> int:
    """The 99th percentile of new stories an hour over four weeks; in the first week, what its baseline's dates say.

    `source` holds id, baseline_at and the usual_per_hour known so far, which the first week does not lower.
    """
    since = max(now - HISTORY, source["baseline_at"])
    if now - since < SHORTEST_HISTORY:
        return max(int(source["usual_per_hour"]), _at_first(source))
    told = Article.objects.filter(source_id=source["id"], eligible_at__gt=since)
    counts = Counter(int((at - since) / HOUR) for at in told.values_list("eligible_at", flat=True) if at)
    hours = int((now - since) / HOUR)
    ordered = sorted([*counts.values(), *[0] * max(hours - len(counts), 0)])
    return ordered[min(math.ceil(0.99 * len(ordered)), len(ordered)) - 1]


def _at_first(source: Mapping[str, Any]) -> int:
    """The mean of the stories that were there before us, by their own dates: a busy newsroom is no burst from its
    first day on, and an import just before it does not open the gate wide."""
    began = source["baseline_at"]
    there = Article.objects.filter(source_id=source["id"], state=Article.State.BASELINE, published_at__lte=began)
    said = there.filter(published_at__gt=began - HISTORY).aggregate(oldest=Min("published_at"), count=Count("id"))
    if not said["count"]:
        return 0
    hours = max(float((began - said["oldest"]) / HOUR), FEWEST_HOURS)
    return min(math.ceil(float(said["count"]) / hours), MOST_AT_FIRST)
