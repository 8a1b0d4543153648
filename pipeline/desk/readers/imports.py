"""Lists of readers coming in: handed in, rehearsed, entered by a worker, with every refused row and its reason."""

from __future__ import annotations

import io
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.audience.care import finding, steering
from pipeline.audience.imports import arriving, exports
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.models import Import, ImportFault, Topic
from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone, pages
from pipeline.desk.readers import words
from pipeline.staff.journal import note

NOT_YOURS = "Desk heads and administrators enter lists of readers. Nothing was changed."
A_PAGE, MOST_FAULTS = 25, 20
LIVE = {Import.State.WAITING, Import.State.RUNNING}


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """Every list, newest first, and the form for another."""
    return _page(request)


@sign_in.required
@require_POST
def receive(request: sign_in.Guest) -> HttpResponse:
    """Take a file; rehearse it first unless the form says otherwise."""
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
        return redirect("desk:imports")
    file = request.FILES.get("file")
    topic = Topic.objects.filter(slug=request.POST.get("topic", "")[:80]).first()
    if file is None or topic is None:
        return _page(request, fault="Choose a file, and the newsletter it is for. Nothing was entered.", status=422)
    if request.POST.get("agreed") != "yes":
        return _page(request, fault="Say that these readers asked for it: the law asks us to know. Nothing was entered.", status=422)  # fmt: skip
    try:
        row = arriving.receive(
            portions=file.chunks(), name=file.name or "list", topic=topic,
            rehearse=request.POST.get("how") != "enter", actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except Unreadable as error:
        return _page(request, fault=f"{error}. Nothing was entered.", status=422)
    except arriving.TooLarge:
        most = arriving.LARGEST // (1024 * 1024)
        fault = (
            f"The file is larger than {most} MB. Nothing was entered: divide it, or use `dateline import-subscribers`."
        )
        return _page(request, fault=fault, status=413)
    return redirect("desk:reader_import", import_id=row.id)


@sign_in.required
@require_safe
def one(request: sign_in.Guest, import_id: int) -> HttpResponse:
    """One list: how far it is, what became of its rows. htmx asks for it again while it is being entered."""
    row = get_object_or_404(Import.objects.select_related("topic"), id=import_id)
    may = steering.may(request.user)
    context = {
        "it": _told(row),
        "here_still": arriving.is_here(row),
        "kept_days": arriving.FAULTS_KEPT.days,
        "faults": [_fault(fault, may=may) for fault in row.faults.order_by("row")[:MOST_FAULTS]],
        "may": may,
        "zone": newsroom_zone(),
        "now": timezone.now(),
    }
    return render(request, "desk/readers/import.html", context)


@sign_in.required
@require_POST
def stop(request: sign_in.Guest, import_id: int) -> HttpResponse:
    """Enter no more of it."""
    said = "Stopped after the rows under way. What is in stays in; it can go on later."
    return _turned(request, import_id, arriving.stop, said=said, otherwise="It was not being entered.")


@sign_in.required
@require_POST
def go_on(request: sign_in.Guest, import_id: int) -> HttpResponse:
    """Enter the rest."""
    said = "It goes on where it stopped."
    return _turned(request, import_id, arriving.go_on, said=said, otherwise="It was neither stopped nor failed.")


@sign_in.required
@require_POST
def enter(request: sign_in.Guest, import_id: int) -> HttpResponse:
    """Enter what was rehearsed."""
    get_object_or_404(Import, id=import_id, is_rehearsal=True, state=Import.State.DONE)
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
        return redirect("desk:reader_import", import_id=import_id)
    row = arriving.enter_after_all(import_id=import_id, actor=request.user, now=timezone.now())
    if row is None:
        messages.error(request, "The file is kept for a week only, and is gone. Hand it in again; nothing was entered.")
        return redirect("desk:reader_import", import_id=import_id)
    return redirect("desk:reader_import", import_id=row.id)


@sign_in.required
@require_POST
@transaction.atomic
def refusals(request: sign_in.Guest, import_id: int) -> HttpResponse:
    """Every refused row with its reason, as CSV."""
    row = get_object_or_404(Import, id=import_id)
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
        return redirect("desk:reader_import", import_id=row.id)
    out = io.StringIO(newline="")
    count = exports.refusals(out, made_in=row.id)
    note(
        verb="export refusals", subject="import", subject_id=row.id, now=timezone.now(), actor=request.user, rows=count
    )  # fmt: skip
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="refused-{row.id}.csv"'
    return answer


def _turned(request: sign_in.Guest, import_id: int, act: Any, *, said: str, otherwise: str) -> HttpResponse:
    row = get_object_or_404(Import, id=import_id)
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
    elif not arriving.is_here(row):
        messages.error(request, "Its file is not here: it came by the command line, or a week has passed. Nothing was changed.")  # fmt: skip
    elif act(import_id=row.id, actor=request.user, now=timezone.now()):
        messages.success(request, said)
    else:
        messages.warning(request, f"{otherwise} Nothing was changed.")
    return redirect("desk:reader_import", import_id=row.id)


def _page(request: sign_in.Guest, *, fault: str = "", status: int = 200) -> HttpResponse:
    page = Paginator(Import.objects.select_related("topic").order_by("-id"), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "imports": [_told(row) for row in page],
        "pages": pages(page),
        "topics": Topic.objects.order_by("kind", "name"),
        "asked_topic": request.POST.get("topic", ""),
        "fault": fault,
        "may": steering.may(request.user),
        "zone": newsroom_zone(),
        "now": timezone.now(),
    }
    return render(request, "desk/readers/imports.html", context, status=status)


def _told(row: Import) -> dict[str, Any]:
    seen = row.added + row.known + row.refused
    return {
        "id": row.id,
        "name": row.name,
        "topic": row.topic.name if row.topic else "a newsletter that is gone",
        "layout": row.layout,
        "is_rehearsal": row.is_rehearsal,
        "badge": words.IMPORTS[row.state],
        "state": row.state,
        "is_live": row.state in LIVE,
        "seen": seen,
        "rows": row.rows,
        "share": min(100, 100 * row.position // row.rows) if row.rows else None,
        "added": row.added,
        "known": row.known,
        "refused": row.refused,
        "error": row.error,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }


def _fault(row: ImportFault, *, may: bool) -> dict[str, Any]:
    return {"row": row.row, "given": finding.shown(row.given, whole=may), "why": exports.why(row)}
