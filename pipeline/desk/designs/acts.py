"""What is done to designs, by POST: told what is wrong, shown, kept, used, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in
from pipeline.desk.designs import looking, page
from pipeline.desk.designs.beginning import START
from pipeline.editions.acts import designs
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Design, DesignVersion, Newsletter
from pipeline.editions.own.design import lint
from pipeline.editions.own.problems import ERROR, sentence


@sign_in.required
@require_POST
def begin(request: sign_in.Guest) -> HttpResponse:
    """A design of one's own, from a short whole one."""
    name = request.POST.get("name", "")
    try:
        made = designs.begin(name=name, source=START, actor=request.user, now=timezone.now())
    except Refused as error:
        messages.error(request, str(error))
        return page.listed(request, name=name, status=422)
    messages.success(request, f"“{made.name}” is begun. No newsletter is set in it before you say so.")
    return redirect("desk:design", design_id=made.id)


@sign_in.required
@require_POST
def check(request: sign_in.Guest, design_id: int) -> HttpResponse:
    """What is wrong with the source as it stands: a piece of the page."""
    get_object_or_404(Design.objects.only("id"), id=design_id)
    if not designs.may_design(request.user):
        return HttpResponse(designs.NOT_YOURS, status=403, content_type="text/plain; charset=utf-8")
    found = [
        {"line": each.line, "column": each.column, "said": sentence(each), "is_error": each.level == ERROR}
        for each in lint(_source(request))
    ]
    errors = sum(each["is_error"] is True for each in found)
    return render(request, "desk/designs/problems.html", {"problems": found, "errors": errors})


@sign_in.required
@xframe_options_sameorigin
@require_POST
def show(request: sign_in.Guest, design_id: int) -> HttpResponse:
    """The letter this source makes, for the frame beside it."""
    get_object_or_404(Design.objects.only("id"), id=design_id)
    source = _source(request)
    if not designs.may_design(request.user):
        return looking.said(designs.NOT_YOURS)
    if not source.strip():
        return looking.said("There is nothing to show: the design is empty.")
    scheme = "dark" if request.POST.get("scheme") == "dark" else "light"
    row = looking.newsletter_of(request.POST.get("for", ""))
    return looking.letter(row, source=source, case=request.POST.get("case", ""), scheme=scheme)


@sign_in.required
@require_POST
def keep(request: sign_in.Guest, design_id: int) -> HttpResponse:
    """The source as the next version."""
    row, said = get_object_or_404(Design, id=design_id), request.POST.get("said", "")
    seen = request.POST.get("seen", "")
    try:
        made = designs.keep(
            design_id=row.id, seen=int(seen) if seen.isascii() and seen.isdecimal() else 0, source=_source(request),
            said=said, actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except Refused as error:
        messages.error(request, str(error))
        return page.shown(request, row, source=_source(request), at=None, said=said, status=422)
    messages.success(request, f"Kept as version {made.number}. Newsletters stay with the version they are set in.")
    return redirect("desk:design", design_id=row.id)


@sign_in.required
@require_POST
def use(request: sign_in.Guest, version_id: int) -> HttpResponse:
    """Set a newsletter in this version."""
    version = get_object_or_404(DesignVersion, id=version_id)
    row = get_object_or_404(Newsletter, id=_number(request.POST.get("newsletter", "")))
    _told(request, lambda now: designs.use(version_id=version.id, newsletter_id=row.id, actor=request.user, now=now))
    return redirect("desk:design", design_id=version.design_id)


@sign_in.required
@require_POST
def restore(request: sign_in.Guest, version_id: int) -> HttpResponse:
    """An older version as the newest."""
    version = get_object_or_404(DesignVersion, id=version_id)

    def act(now: datetime) -> str:
        made = designs.restore(version_id=version.id, actor=request.user, now=now)
        return f"Version {made.number} is as version {version.number} was. Newsletters stay as they are set."

    _told(request, act)
    return redirect("desk:design", design_id=version.design_id)


@sign_in.required
@require_POST
def use_shipped(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Back to the shipped design."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    _told(request, lambda now: designs.use_shipped(newsletter_id=row.id, actor=request.user, now=now))
    return redirect("desk:designs")


def _told(request: sign_in.Guest, act: Callable[[datetime], str]) -> None:
    try:
        messages.success(request, act(timezone.now()))
    except Refused as error:
        messages.error(request, str(error))


def _source(request: sign_in.Guest) -> str:
    return request.POST.get("source", "").replace("\r\n", "\n")


def _number(said: str) -> int:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0
