"""A reader's choices, without signing in: the link is the authority. Saved as a whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.audience import choices, sunset
from pipeline.audience.choices import Choice, Choices
from pipeline.audience.models import Subscriber, Subscription, Topic
from pipeline.audience.words import Words, catalogue, is_offered, words
from pipeline.editions.models import Newsletter
from pipeline.editions.render import dated
from pipeline.public.readers import rates, visitors
from pipeline.public.readers.doors import Door, door_of


class Unreadable(ValueError):
    """A field of the form that cannot be used; named by the sentence that labels it."""


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def prefer(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows, POST saves."""
    door, now = door_of(token), timezone.now()
    if door is None:
        return render(request, "public/leave.html", {"say": visitors.language_of(request), "letter": None}, status=404)
    if request.method != "POST":
        return _page(request, door, now=now)
    say = visitors.language_of(request, known=door.reader.language)
    try:
        chosen = _chosen(request, choices.choices_of(door.reader.id), now=now)
        changed = choices.choose(
            subscriber_id=door.reader.id, chosen=chosen, seen=request.POST.get("seen", ""),
            last=rates.last_had(door.reader.id), origin=visitors.origin_of(request),
            network=visitors.network_of(request), now=now,
        )  # fmt: skip
    except Unreadable as error:
        return _page(request, door, now=now, said=say("prefer.wrong", field=say(str(error))), status=422)
    except choices.Outdated:
        return _page(request, door, now=now, said=say("prefer.stale"), status=409)
    say = words(chosen.language)
    return _page(request, door, now=now, said=say("prefer.saved" if changed else "prefer.same"), say=say)


def _page(
    request: HttpRequest, door: Door, *, now: datetime, said: str = "", status: int = 200, say: Words | None = None
) -> HttpResponse:
    stand, reader = choices.choices_of(door.reader.id), Subscriber.objects.get(id=door.reader.id)
    resting = _resting(stand, reader, now=now)
    say = say or visitors.language_of(request, known=stand.language)
    topics = choices.topics_for(door.reader.id)
    rate = rates.per_week(topics)
    by_id = {choice.topic_id: choice for choice in stand.topics}
    rows = [_row(topic, by_id[topic.id], rate[topic.id], say, zone=_zone(stand.zone), now=now) for topic in topics]
    coming = [c for c in stand.topics if c.topic_id not in resting and not _is_paused(c, now=now)]
    total = sum(choices.a_week(rate[c.topic_id] or 0, c) for c in coming)
    values = {
        "say": say, "publisher": door.publisher, "address": door.reader.address, "token": door.token, "said": said,
        "is_wrong": status != 200, "rows": rows, "seen": stand.version, "total": f"{total:g}",
        "wants_at": f"{stand.wants_at:%H:%M}" if stand.wants_at else "", "zone": stand.zone,
        "zones": _zones(), "languages": list(catalogue().values()),
        "tracking": stand.tracking, "trackings": list(Subscriber.Tracking.values),
        "resting": _why_resting(resting.values(), reader, say),
        "today": now.astimezone(_zone(stand.zone)).date().isoformat(),
    }  # fmt: skip
    return render(request, "public/prefer.html", values, status=status)


def _resting(stand: Choices, reader: Subscriber, *, now: datetime) -> dict[int, str]:
    """Names by topic of what does not come because the reader was asked and did not answer."""
    if not sunset.is_silent(reader.id, now=now):
        return {}
    followed = [choice.topic_id for choice in stand.topics if choice.follows]
    rows = Newsletter.objects.filter(topic_id__in=followed, asks_again=True).order_by("name")
    return {row.topic_id: row.name for row in rows if row.judges_silence}


def _why_resting(names: Iterable[str], reader: Subscriber, say: Words) -> str:
    if reader.asked_again_at is None or not (told := ", ".join(names)):
        return ""
    return say("still.resting", names=told, date=dated(reader.asked_again_at, say.language))


def _row(
    topic: Topic, choice: Choice, rate: float | None, say: Words, *, zone: ZoneInfo, now: datetime
) -> dict[str, Any]:
    until = choice.paused_until if choice.paused_until and choice.paused_until > now else None
    return {
        "id": topic.id, "name": topic.name, "about": topic.about, "kind": topic.kind, "follows": choice.follows,
        "pace": choice.pace, "paces": [(pace, _effect(pace, rate, say)) for pace in Subscription.Pace.values],
        "until": until.astimezone(zone).date().isoformat() if until else "",
    }  # fmt: skip


def _effect(pace: str, rate: float | None, say: Words) -> str:
    name = say(f"prefer.{pace}")
    if rate is None:
        return say("prefer.rate_unknown", choice=name)
    count = choices.a_week(rate, Choice(0, follows=True, pace=pace))
    return say("prefer.rate", choice=name, count=f"{count:g}")


def _is_paused(choice: Choice, *, now: datetime) -> bool:
    return choice.paused_until is not None and choice.paused_until > now


def _chosen(request: HttpRequest, stand: Choices, *, now: datetime) -> Choices:
    """What the form says; a field it lacks stays as it stands. Raises Unreadable."""
    said = request.POST
    zone, language, tracking = (said.get(name, getattr(stand, name)) for name in ("zone", "language", "tracking"))
    if zone not in _zones() and zone != stand.zone:
        raise Unreadable("prefer.zone")
    if not is_offered(language) and language != stand.language:
        raise Unreadable("prefer.language")
    if tracking not in Subscriber.Tracking.values:
        raise Unreadable("prefer.tracking")
    return Choices(
        topics=tuple(_choice(request, choice, zone=_zone(zone), now=now) for choice in stand.topics),
        wants_at=_time(said.get("wants_at", ""), stand.wants_at), zone=zone, language=language, tracking=tracking,
    )  # fmt: skip


def _choice(request: HttpRequest, stand: Choice, *, zone: ZoneInfo, now: datetime) -> Choice:
    """A topic that was not on the page is not changed by it."""
    said, number = request.POST, stand.topic_id
    if f"shown-{number}" not in said:
        return stand
    if f"topic-{number}" not in said:
        return Choice(number, follows=False)
    pace = said.get(f"pace-{number}", stand.pace)
    if pace not in Subscription.Pace.values:
        raise Unreadable("prefer.pace")
    until = _until(said.get(f"pause-{number}", ""), zone=zone)
    is_over = stand.paused_until is not None and stand.paused_until <= now
    return replace(
        stand, follows=True, pace=pace, paused_until=stand.paused_until if until is None and is_over else until
    )


def _until(text: str, *, zone: ZoneInfo) -> datetime | None:
    if not text.strip():
        return None
    try:
        there = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=zone)
        return there.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("prefer.pause") from error


def _time(text: str, stand: time | None) -> time | None:
    """The minute of a clock; seconds an import brought are kept where the minute is the same."""
    if not text.strip():
        return None
    try:
        found = time.fromisoformat(text.strip()[:5])
    except ValueError as error:
        raise Unreadable("prefer.time") from error
    return stand if stand and found == stand.replace(second=0, microsecond=0) else found


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _zone(name: str) -> ZoneInfo:
    """A reader's zone; UTC where an import brought one that is none."""
    return ZoneInfo(name if name in _zones() else "UTC")
