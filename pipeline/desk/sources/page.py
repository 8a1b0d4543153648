"""One source told whole: its ways and pushes, what the gates answered, what was not told, how it is watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article, GateCount
from pipeline.desk import frame, sign_in
from pipeline.desk.sources import words
from pipeline.desk.sources.terms import typed
from pipeline.desk.stories import articles
from pipeline.desk.words import BADGES, Badge, count, readable
from pipeline.kernel.config import config
from pipeline.sources import health, steer
from pipeline.sources.models import Channel, Observation, Push, Source
from pipeline.sources.pushes import owners
from pipeline.staff.models import JournalEntry

COUNTED_DAYS = 7
LOCAL = ("localhost", "127.0.0.1", "::1")
FEWEST_LOOKS = 2  #: as gates.screen asks
MOST_ARCHIVED, MOST_IGNORED, MOST_OBSERVATIONS, MOST_ACTS = 30, 15, 20, 15
VERBS: Mapping[str, str] = {
    "add": "added it",
    "pause": "paused it",
    "resume": "had it watched again",
    "look": "had it looked at",
    "end_caution": "ended the caution",
    "change": "changed how it is watched",
    "open_webhook": "made a webhook",
    "end_webhook": "ended a webhook",
}


@sign_in.required
@require_safe
def source(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """One source."""
    return shown(request, source_id=source_id)


def shown(
    request: sign_in.Guest,
    *,
    source_id: int,
    draft: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    secret: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a source; `draft` is what was typed and not taken, `secret` what is shown this once."""
    row = get_object_or_404(Source, id=source_id)
    now, zone = timezone.now(), frame.newsroom_zone()
    context = {
        **told(row, now=now, zone=zone),
        "now": now,
        "zone": zone,
        "may_edit": request.user.may_edit,
        "draft": draft or typed(steer.terms_of(row)),
        "wrong": wrong or {},
        "secret": secret,
    }
    return render(request, "desk/source.html", context, status=status)


def told(row: Source, *, now: datetime, zone: str) -> dict[str, Any]:
    """A source as plain data."""
    said = [words.told(one, zone=zone, now=now) for one in health.of(now=now, source_ids=[row.id])[row.id]]
    mine = articles.newest().filter(source=row)
    states = dict(Article.objects.filter(source=row).values_list("state").annotate(Count("id")))
    return {
        "source": {
            "id": row.id,
            "name": row.name,
            "home_url": row.home_url,
            "link": frame.safe_link(row.home_url),
            "generator": words.program(row.generator),
            "paused": row.state == Source.State.PAUSED,
            "badge": said[0].badge,
            "facts": [{"badge": one.badge, "words": one.words} for one in said],
            "caution": words.caution(row, zone=zone, now=now),
            "begun": _begun(row),
        },
        "ways": _ways(row, now=now),
        "pushes": _pushes(row),
        "ping_url": config().site_url.rstrip("/") + reverse("ping", kwargs={"token": row.ping_token}),
        "out_of_reach": urlsplit(config().site_url).hostname in LOCAL,
        "ping": Push.objects.filter(source=row, kind=Push.Kind.PING).values_list("heard_at", flat=True).first(),
        "gates": _gates(row, now=now),
        "counts": _counts(states),
        "held": states.get(Article.State.HELD, 0),
        "archived": _brief(mine.filter(state=Article.State.ARCHIVED), most=MOST_ARCHIVED, zone=zone),
        "archived_all": states.get(Article.State.ARCHIVED, 0),
        "ignored": _brief(mine.filter(state=Article.State.DUPLICATE), most=MOST_IGNORED, zone=zone),
        "observations": _observations(row),
        "history": _history(row),
    }


def _begun(row: Source) -> str:
    """Whether anything of it may be told yet."""
    if row.baseline_at is None:
        return "Nothing is told before its first look has seen what is there."
    if row.looks < FEWEST_LOOKS:
        return "Telling begins after its second good look."
    return ""


def _ways(row: Source, *, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "kind": words.WAYS.get(way.kind, way.kind),
            "url": way.url,
            "badge": words.way_badge(way),
            "answer": words.answer(way, now=now),
            "next_at": way.next_due_at
            if way.state != Channel.State.GONE and row.state == Source.State.ACTIVE
            else None,
            "looks": way.polls,
            "found_at": way.last_found_at,
            "moved_to": way.moved_to,
        }
        for way in row.channels.order_by("id")
    ]


def _pushes(row: Source) -> list[dict[str, Any]]:
    """Hubs and webhooks; the ping has its own place on the page."""
    found = row.pushes.exclude(kind=Push.Kind.PING).exclude(state=Push.State.ENDED).order_by("id")
    return [
        {
            "id": push.id,
            "kind": words.PUSHES.get(push.kind, push.kind),
            "badge": words.PUSH_BADGES[Push.State(push.state)],
            "is_hook": push.kind in owners.HEADERS,
            "address": owners.address(push) if push.kind in owners.HEADERS else push.hub_url,
            "header": owners.HEADERS.get(Push.Kind(push.kind), ""),
            "heard_at": push.heard_at,
            "until": push.lease_until,
            "missed": count(push.missed, "story", "stories") if push.missed else "",
        }
        for push in found
    ]


def _gates(row: Source, *, now: datetime) -> list[dict[str, Any]]:
    """What the gates answered in the last days, by reason, most often first within what became of the story."""
    since = (now.astimezone(UTC) - timedelta(days=COUNTED_DAYS - 1)).date()
    rows = GateCount.objects.filter(source=row, day__gte=since).values("state", "code").annotate(n=Sum("count"))
    order = list(words.GATES)
    found = sorted(rows, key=lambda one: order.index(one["code"]) if one["code"] in order else len(order))
    return [{"badge": _badge(one["state"]), "count": one["n"], "words": words.gate(one["code"])} for one in found]


def _badge(state: str) -> Badge:
    return BADGES["article"].get(state, Badge(readable(state), "waiting"))


def _counts(states: Mapping[str, int]) -> list[dict[str, Any]]:
    """How many of its stories are in each state."""
    return [
        {"state": state, "badge": _badge(state), "count": states[state]}
        for state in BADGES["article"]
        if state in states
    ]


def _brief(found: QuerySet[Article], *, most: int, zone: str) -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "headline": row.headline,
            "published_at": row.published_at,
            "seen_at": row.first_seen_at,
            "why": articles.why(row, zone=zone),
        }
        for row in found[:most]
    ]


def _observations(row: Source) -> list[dict[str, Any]]:
    found = Observation.objects.filter(channel__source=row).select_related("channel").order_by("-at", "-id")
    return [
        {
            "at": seen.at,
            "kind": words.WAYS.get(seen.channel.kind, seen.channel.kind),
            "status": seen.status or "no answer",
            "entries": seen.entries,
            "fresh": seen.fresh,
            "note": seen.note,
        }
        for seen in found[:MOST_OBSERVATIONS]
    ]


def _history(row: Source) -> list[dict[str, Any]]:
    acts = JournalEntry.objects.filter(subject="source", subject_id=row.id).select_related("actor").order_by("-id")
    return [
        {"at": act.at, "who": str(act.actor or "Dateline"), "what": VERBS.get(act.verb, readable(act.verb)), "reason": act.reason}
        for act in acts[:MOST_ACTS]
    ]  # fmt: skip
