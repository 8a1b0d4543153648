"""Segments: listed, made and changed with conditions, counted while they are typed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.audience.care import steering
from pipeline.audience.models import Segment, Topic
from pipeline.audience.segments import keeping
from pipeline.audience.segments.rules import Rule, UnreadableRule, parsed
from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone
from pipeline.desk.readers import conditions
from pipeline.desk.readers.conditions import Row
from pipeline.desk.words import count
from pipeline.editions.models import Newsletter

NOT_YOURS = "Desk heads and administrators make and change segments. Nothing was kept."
UNREADABLE = "Its rule cannot be read, so it chooses nobody"


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """All of them, in sentences, with who uses them."""
    context = {
        "segments": [_told(row) for row in Segment.objects.order_by("name")],
        "may": steering.may(request.user),
        "zone": newsroom_zone(),
        "now": timezone.now(),
    }
    return render(request, "desk/readers/segments.html", context)


@sign_in.required
@require_safe
def new(request: sign_in.Guest) -> HttpResponse:
    """An empty form."""
    return _form(request, None, name="", match="all", rows=[Row()])


@sign_in.required
@require_safe
def segment(request: sign_in.Guest, segment_id: int) -> HttpResponse:
    """One of them, in its form where the form can say it."""
    row = get_object_or_404(Segment, id=segment_id)
    try:
        rule: Rule | None = parsed(row.rule)
    except UnreadableRule as error:
        return _form(request, row, name=row.name, match="all", rows=[Row()], fault=f"{UNREADABLE}: {error}.")
    shown = conditions.form_of(rule) if rule else None
    if shown is None:
        return _form(request, row, name=row.name, match="all", rows=None)
    return _form(request, row, name=row.name, match=shown[0], rows=shown[1])


@sign_in.required
@require_POST
def look(request: sign_in.Guest) -> HttpResponse:
    """The form as it is typed, with a line more or less, and whom it would choose. Nothing is kept."""
    match, rows = conditions.typed(request.POST)
    return _form(request, _named(request.POST), name=_name(request.POST), match=match, rows=rows)


@sign_in.required
@require_POST
def keep(request: sign_in.Guest) -> HttpResponse:
    """Keep what was typed."""
    row, name = _named(request.POST), _name(request.POST)
    match, rows = conditions.typed(request.POST)
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
        return redirect("desk:segments")
    try:
        kept = keeping.keep(
            segment_id=row.id if row else None, name=name, rule=conditions.rule_of(match, rows), actor=request.user,
            now=timezone.now(),
        )  # fmt: skip
    except (UnreadableRule, keeping.Refused) as error:
        fault = conditions.wrong(str(error)) if isinstance(error, UnreadableRule) else str(error)
        return _form(
            request, row, name=name, match=match, rows=rows, fault=f"{fault} What you typed is below.", status=422
        )
    many = "" if kept.counted is None else f": {count(kept.counted, 'reader')} now"
    messages.success(request, f"Kept{many}. Editions frozen from now on use it; those under way keep their readers.")
    return redirect("desk:segments")


def _form(
    request: sign_in.Guest, row: Segment | None, *, name: str, match: str, rows: list[Row] | None, fault: str = "",
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    rule = row.rule if rows is None and row else conditions.rule_of(match, rows or [])
    context = {
        "segment": row,
        "name": name,
        "match": match,
        "rows": rows,
        "kinds": conditions.KINDS,
        "topics": Topic.objects.order_by("kind", "name"),
        "whom": _whom(rule, kept=row if request.method == "GET" else None),
        "users": _users(row),
        "fault": fault,
        "full": rows is not None and len(rows) >= conditions.MOST_ROWS,
        "may": steering.may(request.user),
        "now": timezone.now(),
    }
    return render(request, "desk/readers/segment.html", context, status=status)


def _whom(rule: Any, *, kept: Segment | None) -> dict[str, Any]:
    """The sentence and the count, or what is missing; a segment only looked at tells the count it was kept with."""
    try:
        read = parsed(rule)
    except UnreadableRule as error:
        return {"sentence": "", "count": None, "at": None, "wrong": conditions.wrong(str(error))}
    told = {"sentence": conditions.sentence(read), "wrong": ""}
    if kept is not None and kept.counted is not None:
        return {**told, "count": kept.counted, "at": kept.counted_at}
    return {**told, "count": keeping.chosen(rule, now=timezone.now()), "at": None}


def _told(row: Segment) -> dict[str, Any]:
    try:
        said = conditions.sentence(parsed(row.rule))
    except UnreadableRule as error:
        said = f"{UNREADABLE}: {error}."
    return {
        "id": row.id, "name": row.name, "sentence": said, "counted": row.counted, "counted_at": row.counted_at,
        "users": _users(row),
    }  # fmt: skip


def _users(row: Segment | None) -> list[str]:
    return list(Newsletter.objects.filter(segment=row).values_list("name", flat=True)) if row else []


def _named(post: QueryDict) -> Segment | None:
    said = post.get("segment", "")
    if not (said.isascii() and said.isdigit() and len(said) < 18):
        return None
    return get_object_or_404(Segment, id=int(said))


def _name(post: QueryDict) -> str:
    return " ".join(post.get("name", "").split())[:120]
