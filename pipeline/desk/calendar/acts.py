"""What people do to a newsletter's calendar, by POST; the answer is the sentence the act itself gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Newsletter
from pipeline.schedule import calendar

NO_DAY = "Choose a day. Nothing was changed."


@sign_in.required
@require_POST
def skip_day(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """No edition on one day."""
    day = _day(request)
    if day is None:
        return _refused(request, newsletter_id)
    return _acted(request, newsletter_id, calendar.skip_day, day=day, reason=request.POST.get("reason", ""))


@sign_in.required
@require_POST
def leave_after_all(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Give a day off back."""
    day = _day(request)
    if day is None:
        return _refused(request, newsletter_id)
    return _acted(request, newsletter_id, calendar.leave_after_all, day=day)


@sign_in.required
@require_POST
def pause(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """None until it is resumed."""
    return _acted(request, newsletter_id, calendar.pause, reason=request.POST.get("reason", ""))


@sign_in.required
@require_POST
def resume(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Run again, with or without the stories of the gap."""
    gap = calendar.Gap.CARRY if request.POST.get("gap") == "carry" else calendar.Gap.LEAVE
    return _acted(request, newsletter_id, calendar.resume, gap=gap)


@sign_in.required
@require_POST
def end(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Never again, from now or after a last day."""
    asked = request.POST.get("day", "").strip()
    last = _day(request)
    if asked and last is None:
        return _refused(request, newsletter_id)
    return _acted(request, newsletter_id, calendar.end, reason=request.POST.get("reason", ""), last_day=last)


def _day(request: sign_in.Guest) -> date | None:
    try:
        return date.fromisoformat(request.POST.get("day", "").strip())
    except ValueError:
        return None


def _refused(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    messages.error(request, NO_DAY)
    return redirect("desk:newsletter", newsletter_id=newsletter_id)


def _acted(request: sign_in.Guest, newsletter_id: int, act: Callable[..., str], **how: Any) -> HttpResponse:
    get_object_or_404(Newsletter.objects.only("id"), id=newsletter_id)
    try:
        said = act(newsletter_id=newsletter_id, actor=request.user, now=timezone.now(), **how)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("desk:newsletter", newsletter_id=newsletter_id)
