"""What was done here, by whom, when and why: the journal, newest first."""

from __future__ import annotations

import json

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone, pages
from pipeline.staff.models import JournalEntry

A_PAGE = 50


@sign_in.required
@require_safe
def journal(request: sign_in.Guest) -> HttpResponse:
    """Filtered by person, by verb, or by what it was done to; `people=yes` leaves out what Dateline did by rule."""
    asked = {name: request.GET.get(name, "").strip()[:80] for name in ("who", "verb", "subject", "people")}
    page = Paginator(_found(asked), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "entries": [_told(entry) for entry in page],
        "pages": pages(page),
        "asked": asked,
        "zone": newsroom_zone(),
        "now": timezone.now(),
        "verbs": list(JournalEntry.objects.order_by("verb").values_list("verb", flat=True).distinct()),
    }
    return render(request, "desk/people/journal.html", context)


def _found(asked: dict[str, str]) -> QuerySet[JournalEntry]:
    rows = JournalEntry.objects.select_related("actor").order_by("-at", "-id")
    if asked["who"]:
        rows = rows.filter(actor__email=asked["who"].lower())
    if asked["verb"]:
        rows = rows.filter(verb=asked["verb"])
    if asked["people"]:
        rows = rows.exclude(actor=None)
    name, _, number = asked["subject"].partition(" ")
    if name:
        rows = rows.filter(subject=name)
    if number.isascii() and number.isdigit() and len(number) < 18:
        rows = rows.filter(subject_id=int(number))
    return rows


def _told(entry: JournalEntry) -> dict[str, object]:
    detail = ", ".join(f"{key}: {_short(value)}" for key, value in sorted(entry.detail.items()))
    return {
        "at": entry.at,
        "who": str(entry.actor or "Dateline"),
        "verb": entry.verb,
        "subject": f"{entry.subject} {entry.subject_id}",
        "reason": entry.reason,
        "detail": detail[:500],
    }


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
