"""The weeks ahead, day by day, across newsletters: what is planned, what has left, what is off and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.desk import frame, sign_in, words
from pipeline.desk.reasons import standing
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.config import config
from pipeline.schedule import calendar
from pipeline.schedule.slots import Cadence, CadenceError, Slot

BACK, AHEAD = timedelta(days=7), timedelta(days=28)
#: A newsletter every ten minutes would fill the page: of one newsletter and day this many stand in it.
MOST_A_DAY = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One departure, or a day without: `edition_id` None is one that has no row yet."""

    at: datetime
    newsletter_id: int
    name: str
    zone: str
    badge: words.Badge
    why: str
    edition_id: int | None


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """A week back and four ahead, in the newsroom's zone."""
    now, zone = timezone.now(), frame.newsroom_zone()
    newsletters = list(Newsletter.objects.exclude(state=Newsletter.State.ENDED).order_by("name"))
    found = [*_kept(now), *_ghosts(newsletters, now=now)]
    context = {
        "days": _by_day(found, zone=zone, now=now),
        "newsletters": [_row(newsletter) for newsletter in newsletters],
        "feed": config().site_url + reverse("desk:calendar_feed", kwargs={"token": "TOKEN"}),
        "zone": zone,
        "now": now,
    }
    return render(request, "desk/calendar/agenda.html", context)


def entries(*, now: datetime) -> list[Entry]:
    """Every departure and day off that stands in the agenda, in order."""
    newsletters = Newsletter.objects.exclude(state=Newsletter.State.ENDED).order_by("name")
    return sorted([*_kept(now), *_ghosts(newsletters, now=now)], key=lambda one: (one.at, one.name))


def _kept(now: datetime) -> list[Entry]:
    """Editions that have a row."""
    rows = (
        Edition.objects.filter(slot_at__gte=now - BACK, slot_at__lte=now + AHEAD)
        .select_related("newsletter")
        .order_by("slot_at", "id")
    )
    return [
        Entry(
            at=row.slot_at, newsletter_id=row.newsletter_id, name=row.newsletter.name,
            zone=frame.zone_of(row.newsletter), badge=words.badge("edition", row.state),
            why=standing.edition(row, now=now), edition_id=row.id,
        )
        for row in rows
    ]  # fmt: skip


def _ghosts(newsletters: Iterable[Newsletter], *, now: datetime) -> list[Entry]:
    """Departures ahead that no row stands for yet."""
    return [entry for newsletter in newsletters for entry in _ghosts_of(newsletter, now=now)]


def _ghosts_of(newsletter: Newsletter, *, now: datetime) -> list[Entry]:
    until, paused = now + AHEAD, newsletter.state == Newsletter.State.PAUSED
    known = set(newsletter.editions.filter(slot_at__gte=now, slot_at__lte=until).values_list("slot_at", flat=True))
    return [
        _ghost(newsletter, run, paused=paused)
        for run in _upcoming(newsletter, now=now)
        if run.at <= until and run.at not in known
    ]


def _upcoming(newsletter: Newsletter, *, now: datetime) -> list[Slot]:
    try:
        return calendar.upcoming(newsletter, now=now, most=AHEAD.days * MOST_A_DAY)
    except CadenceError:
        return []  # the newsletter's own page says what is wrong with it


def _ghost(newsletter: Newsletter, run: Slot, *, paused: bool) -> Entry:
    off = Cadence.from_json(newsletter.cadence).day_off(run.local_date)
    why = "The newsletter is paused: this passes without an edition." if paused else run.note
    shown = words.Badge("paused", "off") if paused else words.badge("edition", "skipped" if off else "planned")
    return Entry(run.at, newsletter.id, newsletter.name, frame.zone_of(newsletter), shown, why, None)


def _by_day(entries: Iterable[Entry], *, zone: str, now: datetime) -> list[dict[str, Any]]:
    """Days that have something, in order; `more` counts what one newsletter has beyond MOST_A_DAY."""
    days: defaultdict[date, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda one: (one.at, one.name)):
        days[entry.at.astimezone(ZoneInfo(zone)).date()].append(entry)
    today = now.astimezone(ZoneInfo(zone)).date()
    return [{"day": day, "is_today": day == today, **_trimmed(days[day])} for day in sorted(days)]


def _trimmed(entries: list[Entry]) -> dict[str, Any]:
    seen: defaultdict[int, int] = defaultdict(int)
    shown = []
    for entry in entries:
        seen[entry.newsletter_id] += 1
        if seen[entry.newsletter_id] <= MOST_A_DAY:
            shown.append(entry)
    return {"entries": shown, "more": len(entries) - len(shown)}


def _row(newsletter: Newsletter) -> dict[str, Any]:
    paused = newsletter.state == Newsletter.State.PAUSED
    return {
        "id": newsletter.id,
        "name": newsletter.name,
        "badge": words.Badge("paused", "off") if paused else words.Badge("running", "done"),
    }
