"""Standings from the tallies: read the integers, rank, shape, and replace a chart only when it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from pipeline.articles.models import Article
from pipeline.ranking.models import Chart, Pin, Standing
from pipeline.ranking.score import Board, Count, Ranked, Window, minute_of
from pipeline.ranking.shape import Ban, Facts, Placed, shape
from pipeline.ranking.shape import Pin as Pinned

WINDOWS = tuple(window.value for window in Window)
#: Opens never rank. A click is a click wherever it was made; newsrooms may weigh channels later.
WEIGHTS = {"email": 1, "social": 1, "site": 1}
SIZE = 10
POOL = 60
LOCK = 0x72_61_6E_6B
#: With nothing counted yet the newest stories fill the list, and it says so.
COLD_START = timedelta(days=30)
KEPT = timedelta(days=7, hours=1)  #: older counts can no longer stand in any list
SHOWN_STATES = (Article.State.ELIGIBLE, Article.State.BASELINE, Article.State.ARCHIVED)


@transaction.atomic
def refresh(*, now: datetime) -> list[str]:
    """Compute every chart of the whole site; the windows that changed. One refresher at a time, others leave."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return []
    tops = tops_of(_counts(now=now), now=now, published=_published(now=now))
    pins, bans = _hands(now=now)
    facts = _facts({one.article_id for ranked in tops.values() for one in ranked}, now=now, bans=bans)
    changed = []
    for window in Window:
        places = shape(tops, articles=facts, at=now, size=SIZE, window=window, pins=pins, bans=bans)
        if _keep(window.value, "", places, now=now):
            changed.append(window.value)
    return changed


def tops_of(
    counts: Iterable[Count], *, now: datetime, published: Mapping[int, datetime] | None = None
) -> dict[Window, list[Ranked]]:
    """The best of each window from plain counts; what the tests compare with a recount. `published` breaks ties."""
    board = Board(weights=WEIGHTS)
    board.move(minute_of(now))
    board.add(counts)
    return {window: board.top(window, limit=POOL, published=published) for window in Window}


def _counts(*, now: datetime) -> list[Count]:
    """A week of minutes."""
    oldest = minute_of(now - KEPT)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT article_id, minute, channel, n FROM dateline_tally WHERE minute >= %s AND n <> 0", [oldest]
        )
        return [Count(*row) for row in cursor.fetchall()]


def _published(*, now: datetime) -> dict[int, datetime]:
    """When each counted article came out, as `_fact` has it."""
    oldest = minute_of(now - KEPT)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, least(published_at, first_seen_at) FROM dateline_article
                WHERE id IN (SELECT article_id FROM dateline_tally WHERE minute >= %s AND n <> 0)""",
            [oldest],
        )
        return dict(cursor.fetchall())


def _facts(ranked: set[int], *, now: datetime, bans: list[Ban]) -> dict[int, Facts]:
    """What shaping asks of the ranked, the pinned, and as many of the newest as a list without counts needs."""
    newest = Article.objects.filter(
        state__in=SHOWN_STATES, killed_at=None, first_seen_at__gte=now - COLD_START, first_seen_at__lte=now
    ).exclude(id__in=[ban.article_id for ban in bans])
    wanted = ranked | set(newest.order_by("-first_seen_at", "id").values_list("id", flat=True)[:SIZE])
    wanted |= set(Pin.objects.values_list("article_id", flat=True))
    return {article.id: _fact(article) for article in Article.objects.filter(id__in=wanted)}


def _fact(article: Article) -> Facts:
    return Facts(
        published_at=min(article.published_at or article.first_seen_at, article.first_seen_at),
        section=article.section_path[-1] if article.section_path else "",
        live=article.state in SHOWN_STATES and article.killed_at is None,
    )


def _hands(*, now: datetime) -> tuple[list[Pinned], list[Ban]]:
    rows = [row for row in Pin.objects.all() if row.until is None or row.until > now]
    pins = [Pinned(article_id=r.article_id, place=r.place, until=r.until) for r in rows if r.kind == Pin.Kind.PIN]
    return pins, [Ban(article_id=r.article_id, until=r.until) for r in rows if r.kind == Pin.Kind.BAN]


def _keep(window: str, section: str, places: list[Placed], *, now: datetime) -> bool:
    version = _version(places)
    chart, _ = Chart.objects.get_or_create(
        window=window, section=section,
        defaults={"version": "", "computed_at": now, "changed_at": datetime.fromtimestamp(0, tz=UTC)},
    )  # fmt: skip
    if chart.version == version:
        Chart.objects.filter(id=chart.id).update(computed_at=now)
        return False
    chart.standings.all().delete()
    Standing.objects.bulk_create(
        Standing(
            chart=chart, place=p.place, article_id=p.article_id, value=p.value, label=p.label, code=p.code,
            counted_in=p.counted_in,
        )
        for p in places
    )  # fmt: skip
    Chart.objects.filter(id=chart.id).update(version=version, computed_at=now, changed_at=now)
    return True


def _version(places: list[Placed]) -> str:
    said = "|".join(f"{p.place},{p.article_id},{p.value},{p.label},{p.code},{p.counted_in}" for p in places)
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()
