"""One newsletter in sentences, and its next five runs with what each would carry today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.audience.counts import lately
from pipeline.desk import frame, sign_in, words
from pipeline.desk.reasons import standing
from pipeline.editions.choosing.pool import rules_of
from pipeline.editions.choosing.rules import UnusableRule
from pipeline.editions.models import Newsletter
from pipeline.schedule.newsletters import sentences
from pipeline.schedule.newsletters.changing import may_change
from pipeline.schedule.newsletters.trying import Run, ahead
from pipeline.schedule.slots import CadenceError
from pipeline.staff.models import JournalEntry
from pipeline.staff.people import may_edit


@sign_in.required
@require_safe
def newsletter(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Settings as sentences, what is ahead, and the acts on it."""
    row, now = get_object_or_404(Newsletter, id=newsletter_id), timezone.now()
    runs, trouble = runs_of(row, now=now)
    slot_at = runs[0]["at"] if runs else now.replace(minute=0, second=0, microsecond=0)
    counted = lately(topic_id=row.topic_id, segment=row.segment, slot_at=slot_at, now=now, rests=row.judges_silence)
    context = {
        "newsletter": row,
        "settings": sentences.settings(row),
        "blocks": _blocks(row),
        "runs": runs,
        "trouble": trouble,
        "readers": counted.found.due,
        "reach": sentences.reach(row, counted.found) + words.counted_at(counted.at, frame.zone_of(row)),
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
        return [run_told(run, now=now) for run in ahead(row, now=now)], ""
    except CadenceError as error:
        return [], unreadable(str(error))


def unreadable(why: str) -> str:
    """Times that cannot be read, in a sentence."""
    return f"Its times cannot be read ({why}): nothing leaves until that is mended."


def run_told(run: Run, *, now: datetime) -> dict[str, Any]:
    """A run as pages show it."""
    edition = run.edition
    state = edition.state if edition is not None else "planned" if run.off is None else "skipped"
    return {
        "at": run.slot.at,
        "day": run.slot.local_date,
        "badge": words.badge("edition", state),
        "why": standing.edition(edition, now=now) if edition is not None else run.slot.note,
        "edition_id": edition.id if edition is not None else None,
        "stories": run.stories,
        "is_off": run.off is not None,
    }


def _history(row: Newsletter) -> list[JournalEntry]:
    entries = JournalEntry.objects.filter(subject="newsletter", subject_id=row.id).select_related("actor")
    return list(entries.order_by("-at", "-id")[:10])
