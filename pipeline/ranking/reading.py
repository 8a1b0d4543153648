"""What a refresh reads of the database: counts, stories, sections, editors' hands. Plain data comes out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from pipeline.articles.models import Article
from pipeline.ranking.bodies import Story
from pipeline.ranking.models import Pin
from pipeline.ranking.score import Count, minute_of
from pipeline.ranking.shape import Ban, Facts
from pipeline.ranking.shape import Pin as Pinned

SIZE = 10
MOST_SECTIONS = 40
#: With nothing counted yet the newest stories fill a list, and a section without a story this long has none.
COLD_START = timedelta(days=30)
KEPT = timedelta(days=7, hours=1)  #: older counts can no longer stand in any list
SHOWN_STATES = (Article.State.ELIGIBLE, Article.State.BASELINE, Article.State.ARCHIVED)
_NEWEST = """
SELECT id, section, of_section, place, overall FROM (
    SELECT id, coalesce(section_path->>0, '') AS section, count(*) OVER (PARTITION BY section_path->>0) AS of_section,
           row_number() OVER (PARTITION BY section_path->>0 ORDER BY first_seen_at DESC, id) AS place,
           row_number() OVER (ORDER BY first_seen_at DESC, id) AS overall
      FROM dateline_article
     WHERE state = ANY(%(states)s) AND killed_at IS NULL AND first_seen_at BETWEEN %(since)s AND %(now)s
       AND NOT id = ANY(%(banned)s)) AS seen
 WHERE place <= %(size)s OR overall <= %(size)s
"""


@dataclass(frozen=True, slots=True)
class Newest:
    """Who fills a list up: ids for the whole site, and by section (those with the most stories)."""

    site: frozenset[int]
    sections: Mapping[str, frozenset[int]]


def counts(*, now: datetime) -> list[Count]:
    """A week of minutes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT article_id, minute, channel, n FROM dateline_tally WHERE minute >= %s AND n <> 0",
            [minute_of(now - KEPT)],
        )
        return [Count(*row) for row in cursor.fetchall()]


def counted(*, now: datetime) -> dict[int, tuple[datetime, str]]:
    """When each counted article came out, and its top section."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, least(published_at, first_seen_at), coalesce(section_path->>0, '') FROM dateline_article
                WHERE id IN (SELECT article_id FROM dateline_tally WHERE minute >= %s AND n <> 0)""",
            [minute_of(now - KEPT)],
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def newest(*, now: datetime, banned: Collection[int]) -> Newest:
    """The newest of the last month; where there is none at all, the newest there ever was: no list stays empty."""
    rows = _newest(now=now, since=now - COLD_START, banned=banned)
    of_section = {row[1]: row[2] for row in rows if row[1]}
    shown = sorted(of_section, key=lambda name: (-of_section[name], name))[:MOST_SECTIONS]
    site = rows or _newest(now=now, since=now - timedelta(days=36_500), banned=banned)
    return Newest(
        site=frozenset(row[0] for row in site if row[4] <= SIZE),
        sections={name: frozenset(row[0] for row in rows if row[1] == name) for name in shown},
    )


def _newest(*, now: datetime, since: datetime, banned: Collection[int]) -> list[tuple[int, str, int, int, int]]:
    values: dict[str, Any] = {
        "states": list(SHOWN_STATES),
        "since": since,
        "now": now,
        "banned": list(banned),
        "size": SIZE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, values)
        return list(cursor.fetchall())


def stories(ids: Collection[int]) -> tuple[dict[int, Facts], dict[int, Story]]:
    """What shaping asks of articles, and what a list says of them."""
    rows = Article.objects.filter(id__in=ids).only(
        "id", "state", "killed_at", "published_at", "first_seen_at", "section_path", "headline", "url"
    )
    found = list(rows)
    told = {row.id: Story(row.headline, row.url, tuple(row.section_path), row.published_at) for row in found}
    return {row.id: _facts(row) for row in found}, told


def _facts(article: Article) -> Facts:
    return Facts(
        published_at=min(article.published_at or article.first_seen_at, article.first_seen_at),
        section=article.section_path[-1] if article.section_path else "",
        live=article.state in SHOWN_STATES and article.killed_at is None,
        top=str(article.section_path[0]) if article.section_path else "",
    )


def hands(*, now: datetime) -> tuple[list[Pinned], list[Ban]]:
    """Pins and bans in force."""
    rows = [row for row in Pin.objects.all() if row.until is None or row.until > now]
    pins = [Pinned(article_id=r.article_id, place=r.place, until=r.until) for r in rows if r.kind == Pin.Kind.PIN]
    return pins, [Ban(article_id=r.article_id, until=r.until) for r in rows if r.kind == Pin.Kind.BAN]
