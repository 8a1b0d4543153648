"""Every source with its health in words, those in trouble first; and the brake on telling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article
from pipeline.desk import frame, sign_in
from pipeline.desk.sources import words
from pipeline.desk.sources.words import Said
from pipeline.desk.words import Badge, count
from pipeline.kernel.pages import ago
from pipeline.sources import health
from pipeline.sources.models import Channel, Push, Source
from pipeline.staff.models import Stop

PAGE, MOST = 50, 2000
OLD = (Article.State.ARCHIVED, Article.State.DUPLICATE)  #: not what an editor means by the last story
ASKING = ("trouble", "needs")
TONES = ("trouble", "needs", "waiting", "moving", "done", "off")
CHOICES = {
    "trouble": Badge("needs a look", "needs"),
    "cautious": Badge("under caution", "needs"),
    "paused": Badge("paused", "off"),
}


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """Every source."""
    now, zone = timezone.now(), frame.newsroom_zone()
    state = request.GET.get("state", "")
    state = state if state in CHOICES else ""
    every = rows(now=now, zone=zone)
    part = Paginator([row for row in every if _is(row, state)], PAGE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "zone": zone,
        "may_edit": request.user.may_edit,
        "rows": list(part),
        "all": len(every),
        "pages": frame.pages(part),
        "state": state,
        "states": list(CHOICES.items()),
        "line": line(every),
        "telling": Stop.objects.filter(kind=Stop.Kind.TELLING).exists(),
    }
    return render(request, "desk/sources.html", context)


def _is(row: dict[str, Any], state: str) -> bool:
    is_so: dict[str, bool] = {
        "trouble": row["badge"].tone in ASKING or bool(row["caution"]),
        "cautious": bool(row["caution"]),
        "paused": row["paused"],
    }
    return is_so.get(state, True)


def line(every: Sequence[dict[str, Any]]) -> str:
    """How the sources are, in a line."""
    if not every:
        return "No site is watched yet."
    asks, paused = (sum(_is(row, state) for row in every) for state in ("trouble", "paused"))
    named = f"{count(len(every) - paused, 'site')} watched"
    parts = [named, f"{asks} needing a look" if asks else "all well", *([f"{paused} paused"] if paused else [])]
    return " · ".join(parts)


def rows(*, now: datetime, zone: str) -> list[dict[str, Any]]:
    """Every source as plain data, the worst first, then by name. Seven queries, however many there are."""
    found = list(_with_last_story(Source.objects.all()).order_by("name", "id")[:MOST])
    ids = [row.id for row in found]
    healths = health.of(now=now, source_ids=ids)
    ways = _by_source(Channel.objects.filter(source_id__in=ids).order_by("id"))
    pushes = _by_source(Push.objects.filter(source_id__in=ids).exclude(state=Push.State.ENDED).order_by("id"))
    made = [
        _row(
            row,
            [words.told(one, zone=zone, now=now) for one in healths.get(row.id, ())],
            ways.get(row.id, []),
            pushes.get(row.id, []),
            zone=zone,
            now=now,
        )
        for row in found
    ]
    return sorted(made, key=_urgency)


def _urgency(row: dict[str, Any]) -> int:
    tone = row["badge"].tone
    return TONES.index("needs" if row["caution"] and tone not in ASKING else tone)


def _with_last_story(found: QuerySet[Source]) -> QuerySet[Source]:
    newest = Article.objects.filter(source=OuterRef("pk")).exclude(state__in=OLD).order_by("-first_seen_at")
    return found.annotate(
        last_headline=Subquery(newest.values("headline")[:1]),
        last_story_at=Subquery(newest.values("first_seen_at")[:1]),
        last_story_id=Subquery(newest.values("id")[:1]),
    )


def _by_source(found: QuerySet[Any]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = {}
    for row in found:
        grouped.setdefault(row.source_id, []).append(row)
    return grouped


def _row(
    row: Any, said: list[Said], ways: list[Channel], pushes: list[Push], *, zone: str, now: datetime
) -> dict[str, Any]:
    due = [way.next_due_at for way in ways if way.state != Channel.State.GONE]
    return {
        "id": row.id,
        "name": row.name,
        "home_url": row.home_url,
        "badge": said[0].badge,
        "facts": [{"badge": one.badge, "words": one.words} for one in said],
        "caution": words.caution(row, zone=zone, now=now),
        "paused": row.state == Source.State.PAUSED,
        "is_ours": row.is_ours,
        "headline": row.last_headline,
        "story_at": row.last_story_at,
        "story_id": row.last_story_id,
        "looks": sum(way.polls for way in ways),
        "next_at": min(due, default=None) if row.state == Source.State.ACTIVE else None,
        "ways": ", ".join(dict.fromkeys(words.WAYS.get(way.kind, way.kind) for way in ways)) or "no way at all",
        "pushes": ", ".join(_push(push, now=now) for push in pushes),
    }


def _push(push: Push, *, now: datetime) -> str:
    name = words.PUSHES.get(push.kind, push.kind)
    return f"{name} heard {ago(push.heard_at, now)}" if push.heard_at else f"{name} never heard"
