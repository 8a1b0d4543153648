"""Readers looked for by address, counted, and written out as a file."""

from __future__ import annotations

import io
import tempfile
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.audience.care import finding, steering
from pipeline.audience.care.roughly import followers_by_topic
from pipeline.audience.imports import exports
from pipeline.audience.models import Segment, Subscriber, Topic
from pipeline.audience.segments.compiling import segment_clause
from pipeline.audience.segments.rules import UnreadableRule, parsed
from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone
from pipeline.desk.readers import words
from pipeline.staff.journal import note

NOT_YOURS = "Desk heads and administrators see addresses and act for readers. Nothing was changed."
LONGEST_SEARCH = 254


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """The search and what it found; without one, how many there are."""
    asked, may = request.GET.get("q", "").strip()[:LONGEST_SEARCH], steering.may(request.user)
    found = finding.find(asked=asked, by_part=may) if asked else None
    context = {
        "asked": asked,
        "found": found,
        "rows": [row(one, may=may) for one in found.readers] if found else [],
        "suppressed": found.suppressed and words.SUPPRESSED[found.suppressed.reason] if found else "",  # type: ignore[index]
        "counts": None if asked else finding.counts(),
        "topics": [] if asked else _topics(),
        "segments": Segment.objects.order_by("name"),
        "may": may,
        "zone": newsroom_zone(),
        "now": timezone.now(),
    }
    return render(request, "desk/readers/readers.html", context)


def row(reader: Subscriber, *, may: bool) -> dict[str, Any]:
    """A reader as lists show them."""
    return {
        "id": reader.id,
        "address": reader.address if may else finding.masked(reader.address),
        "name": reader.name if may else "",
        "badge": words.STATES[Subscriber.State(reader.state)],
        "joined": reader.joined_at,
    }


@sign_in.required
@require_POST
def export(request: sign_in.Guest) -> HttpResponseBase:
    """Whom a newsletter reaches, as a CSV file no spreadsheet runs. It stands in the journal."""
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
        return redirect("desk:readers")
    topic = Topic.objects.filter(slug=request.POST.get("topic", "")[:80]).first()
    if topic is None:
        messages.error(request, "Choose a newsletter from the list. Nothing was written.")
        return redirect("desk:readers")
    segment = Segment.objects.filter(slug=request.POST.get("segment", "")[:80]).first()
    try:
        only, values = segment_clause(parsed(segment.rule), now=timezone.now()) if segment else ("TRUE", {})
    except UnreadableRule as error:
        messages.error(request, f"The rule of {segment} cannot be read: {error}. Nothing was written.")
        return redirect("desk:readers")
    return _file(request, topic, segment, only=only, values=values)


@transaction.atomic
def _file(
    request: sign_in.Guest, topic: Topic, segment: Segment | None, *, only: str, values: dict[str, Any]
) -> HttpResponseBase:
    raw = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    out = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)
    count = exports.readers(out, topic=topic, only=only, values=values)
    note(
        verb="export readers", subject="topic", subject_id=topic.id, now=timezone.now(), actor=request.user,
        readers=count, segment=segment.slug if segment else "",
    )  # fmt: skip
    out.detach()
    raw.seek(0)
    name = "-".join(filter(None, (topic.slug, segment.slug if segment else "")))
    return FileResponse(raw, as_attachment=True, filename=f"{name}.csv", content_type="text/csv; charset=utf-8")


def _topics() -> list[dict[str, Any]]:
    """Followers of each. Three queries."""
    found = followers_by_topic()
    return [
        {"slug": one.slug, "name": one.name, "kind": one.kind, "followers": found.by.get(str(one.id), 0), "about": found.is_sample}
        for one in Topic.objects.order_by("kind", "name")
    ]  # fmt: skip
