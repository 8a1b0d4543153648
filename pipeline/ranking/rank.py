"""Standings from the tallies: read the integers, rank, shape, and replace a chart only when it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from pipeline.hooks.tell import tell
from pipeline.ranking import bodies, jumps, method, reading
from pipeline.ranking.bodies import Story
from pipeline.ranking.models import Chart, Standing
from pipeline.ranking.reading import SIZE
from pipeline.ranking.score import Board, Count, Ranked, Window, minute_of
from pipeline.ranking.shape import Ban, Facts, Limits, Pin, Placed, shape

WINDOWS = tuple(window.value for window in Window)
POOL = 60
LOCK = 0x72_61_6E_6B
SKEW = timedelta(minutes=15)  #: the most that clocks of two workers are believed to differ
WHOLE = ""  #: the section of the list of the whole site
Tops = dict[Window, list[Ranked]]


@dataclass(frozen=True, slots=True)
class _Desk:
    """All that shaping a list needs beside its ranking."""

    facts: Mapping[int, Facts]
    stories: Mapping[int, Story]
    pins: list[Pin]
    bans: list[Ban]
    newest: reading.Newest
    limits: Limits
    now: datetime


@transaction.atomic
def refresh(*, now: datetime) -> list[str]:
    """Compute every chart; those that changed, as "today" or "today Africa". One refresher at a time, others leave."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return []
    now = _not_before_the_last(now)
    counting = method.current()
    pins, bans = reading.hands(now=now)
    newest = reading.newest(now=now, banned={ban.article_id for ban in bans})
    counts, counted = reading.counts(now=now), reading.counted(now=now)
    board = _board(counts, weights=counting.by_channel(), now=now)
    tops = {WHOLE: _site_tops(board, counted), **_section_tops(board, counted, newest.sections)}
    wanted = {one.article_id for each in tops.values() for ranked in each.values() for one in ranked}
    wanted.update(newest.site, *newest.sections.values(), (pin.article_id for pin in pins))
    facts, stories = reading.stories(wanted)
    desk = _Desk(facts, stories, pins, bans, newest, counting.limits(), now)
    held = jumps.held(counts, shown=[article for article, fact in facts.items() if fact.live], now=now)
    changed = [name for section in tops for name in _charts(section, tops[section], desk, held)]
    Chart.objects.exclude(section__in=list(tops)).delete()
    return changed


def _not_before_the_last(now: datetime) -> datetime:
    """The instant to rank at: a worker that was paused, or whose clock is behind another's, ranks at the last one's.

    Otherwise a list would go back and forth, and be told each time. A clock that was far ahead and was mended is not
    waited for.
    """
    last: datetime | None = Chart.objects.aggregate(last=Max("computed_at"))["last"]
    return last if last is not None and now < last <= now + SKEW else now


def tops_of(
    counts: Iterable[Count],
    *,
    now: datetime,
    weights: Mapping[str, int],
    published: Mapping[int, datetime] | None = None,
) -> Tops:
    """The best of each window from plain counts; what the tests compare with a recount. `published` breaks ties."""
    board = _board(counts, weights=weights, now=now)
    return {window: board.top(window, limit=POOL, published=published) for window in Window}


def _board(counts: Iterable[Count], *, weights: Mapping[str, int], now: datetime) -> Board:
    board = Board(weights=weights)
    board.move(minute_of(now))
    board.add(counts)
    return board


def _site_tops(board: Board, counted: Mapping[int, tuple[datetime, str]]) -> Tops:
    published = {article: known[0] for article, known in counted.items()}
    return {window: board.top(window, limit=POOL, published=published) for window in Window}


def _section_tops(
    board: Board, counted: Mapping[int, tuple[datetime, str]], sections: Iterable[str]
) -> dict[str, Tops]:
    """For every section with a list of its own, also where nothing of it was counted."""
    tops: dict[str, Tops] = {section: {} for section in sections}
    groups = {article: section for article, (_, section) in counted.items() if section in tops}
    published = {article: known[0] for article, known in counted.items()}
    for window in Window:
        for section, ranked in board.top_of_each(window, groups=groups, limit=POOL, published=published).items():
            tops[section][window] = ranked
    return tops


def _charts(section: str, tops: Tops, desk: _Desk, held: Mapping[Window, jumps.Suspects]) -> list[str]:
    """The four lists of a section; the names of those that changed."""
    facts = desk.facts if section == WHOLE else _within(section, desk.facts)
    changed = []
    for window in Window:
        chart, _ = Chart.objects.get_or_create(
            window=window.value, section=section,
            defaults={"version": "", "computed_at": desk.now, "changed_at": datetime.fromtimestamp(0, tz=UTC)},
        )  # fmt: skip
        down = jumps.places(chart, held[window])
        places = shape(
            tops, articles=facts, at=desk.now, size=SIZE, window=window, pins=desk.pins, bans=desk.bans,
            limits=desk.limits, held=down,
            newest=desk.newest.site if section == WHOLE else desk.newest.sections[section],
        )  # fmt: skip
        if _keep(chart, places, desk):
            changed.append(str(chart))
    return changed


def _within(section: str, facts: Mapping[int, Facts]) -> dict[int, Facts]:
    """The stories of one section; variety is then that of its subsections."""
    return {
        article: Facts(
            fact.published_at, "" if fact.section == section else fact.section, fact.live, fact.cluster, section
        )
        for article, fact in facts.items()
        if fact.top == section
    }


def _keep(chart: Chart, places: list[Placed], desk: _Desk) -> bool:
    told = bodies.board(window=chart.window, section=chart.section, places=places, stories=desk.stories)
    version = bodies.version_of(told)
    if chart.version == version:
        Chart.objects.filter(id=chart.id).update(computed_at=desk.now)
        return False
    before = list(chart.standings.order_by("place").values_list("article_id", flat=True))
    chart.standings.all().delete()
    Standing.objects.bulk_create(
        Standing(
            chart=chart, place=p.place, article_id=p.article_id, value=p.value, label=p.label, code=p.code,
            counted_in=p.counted_in,
        )
        for p in places
    )  # fmt: skip
    written = bodies.written(told, version=version, changed_at=desk.now)
    Chart.objects.filter(id=chart.id).update(version=version, computed_at=desk.now, changed_at=desk.now, bodies=written)
    if chart.section == WHOLE and before != [place.article_id for place in places]:
        tell(event="popular.changed", body=_told(told, places), now=desk.now)
    return True


def _told(told: Mapping[str, Any], places: list[Placed]) -> dict[str, Any]:
    """A list as hooks/events.py promises it."""
    items = [
        {"id": place.article_id, **{name: item[name] for name in ("place", "url", "title", "clicks")}}
        for place, item in zip(places, told["items"], strict=True)
    ]
    return {"window": told["window"], "note": told["note"], "items": items}
