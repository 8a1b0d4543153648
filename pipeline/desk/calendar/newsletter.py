"""One newsletter in sentences, and its next five runs with what each would carry today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article
from pipeline.audience.counts import audience
from pipeline.desk import frame, sign_in, words
from pipeline.desk.calendar import sentences
from pipeline.editions.choosing.pool import rules_of
from pipeline.editions.choosing.rules import UnusableRule
from pipeline.editions.compose import OPEN_STATES, chosen_for
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule import calendar
from pipeline.schedule.newsletters.changing import may_change
from pipeline.schedule.slots import Cadence, CadenceError, Slot
from pipeline.staff.models import JournalEntry
from pipeline.staff.people import may_edit

RUNS = 5


@sign_in.required
@require_safe
def newsletter(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Settings as sentences, what is ahead, and the acts on it."""
    row, now = get_object_or_404(Newsletter, id=newsletter_id), timezone.now()
    runs, trouble = runs_of(row, now=now)
    slot_at = runs[0]["at"] if runs else now
    found = audience(topic_id=row.topic_id, segment=row.segment, slot_at=slot_at, now=now, rests=row.judges_silence)
    context = {
        "newsletter": row,
        "settings": sentences.settings(row),
        "blocks": _blocks(row),
        "runs": runs,
        "trouble": trouble,
        "readers": found.due,
        "reach": sentences.reach(row, found),
        "is_paused": row.state == Newsletter.State.PAUSED,
        "is_ended": row.state == Newsletter.State.ENDED,
        "may_edit": may_edit(request.user, row.id),
        "may_change": may_change(request.user, row.id),
        "history": _history(row),
        "zone": frame.zone_of(row),
        "now": now,
    }
    return render(request, "desk/calendar/newsletter.html", context)


def _blocks(row: Newsletter) -> list[str]:
    try:
        return [rule.sentence() for rule in rules_of(row)]
    except UnusableRule as error:
        return [f"A block cannot be read: {error}. Editions are held until it is mended."]


def runs_of(row: Newsletter, *, now: datetime) -> tuple[list[dict[str, Any]], str]:
    """The next runs, and why there are none where the cadence cannot be read."""
    try:
        ahead = calendar.upcoming(row, now=now, most=RUNS)
    except CadenceError as error:
        return [], f"Its times cannot be read ({error}): nothing leaves until that is mended."
    known = {edition.slot_at: edition for edition in row.editions.filter(slot_at__in=[slot.at for slot in ahead])}
    return [_run(row, slot, known.get(slot.at), now=now) for slot in ahead], ""


def _run(row: Newsletter, slot: Slot, edition: Edition | None, *, now: datetime) -> dict[str, Any]:
    off = Cadence.from_json(row.cadence).day_off(slot.local_date)
    told = words.edition(edition, now=now) if edition is not None else slot.note
    return {
        "at": slot.at,
        "day": slot.local_date,
        "badge": words.badge("edition", edition.state if edition is not None else "skipped" if off else "planned"),
        "why": told,
        "edition_id": edition.id if edition is not None else None,
        "stories": _stories(edition if edition is not None else Edition(newsletter=row, slot_at=slot.at)),
        "is_off": off is not None,
    }


def _stories(edition: Edition) -> list[str]:
    """Headlines it would carry if it were composed now. Of an edition no row stands for yet nothing is kept."""
    if edition.id is None or edition.state not in OPEN_STATES:
        return []
    try:
        picked = [choice.article_id for choice in chosen_for(edition).choices if choice.picked]
    except UnusableRule:
        return []
    headlines = dict(Article.objects.filter(id__in=picked).values_list("id", "headline"))
    return [headlines[article_id] for article_id in dict.fromkeys(picked) if article_id in headlines]


def _history(row: Newsletter) -> list[JournalEntry]:
    entries = JournalEntry.objects.filter(subject="newsletter", subject_id=row.id).select_related("actor")
    return list(entries.order_by("-at", "-id")[:10])
