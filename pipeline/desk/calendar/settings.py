"""Changing a newsletter's settings: what it would mean is said first, by doing it and taking it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.desk import frame, sign_in
from pipeline.desk.calendar.newsletter import run_told, unreadable
from pipeline.desk.calendar.settings_form import SettingsForm, typed
from pipeline.desk.sources.terms import faults
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Newsletter
from pipeline.schedule.newsletters import changing, trying

_LONGEST_BASE = 20_000


@dataclass(frozen=True, slots=True)
class Typed:
    """A form on its way: what stands in it, what is wrong with it, what somebody else made of it meanwhile."""

    draft: Mapping[str, Any]
    wrong: Mapping[str, str]
    since: Mapping[str, str]
    reason: str = ""


@sign_in.required
@require_safe
def settings(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """The form, as it is kept."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    return _shown(request, row, Typed(typed(row), {}, {}))


@sign_in.required
@require_POST
def try_settings(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """What the form would mean: a piece of the page. Nothing is kept."""
    row, form = get_object_or_404(Newsletter, id=newsletter_id), SettingsForm(request.POST)
    if not form.is_valid():
        return _effect(request, row, wrong=_named(faults(form)))
    return tried(
        request, row,
        lambda: changing.change(newsletter_id=row.id, wanted=form.wanted(row), seen="", actor=request.user, now=timezone.now()),
    )  # fmt: skip


@sign_in.required
@require_POST
def keep_settings(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """Keep what differs, if nobody changed it meanwhile; else both are shown."""
    row, form = get_object_or_404(Newsletter, id=newsletter_id), SettingsForm(request.POST)
    draft, reason = _draft(request), request.POST.get("reason", "")[:200]
    if not form.is_valid():
        return _shown(request, row, Typed(draft, faults(form), {}, reason), status=422)
    try:
        said = changing.change(
            newsletter_id=row.id, wanted=form.wanted(row), seen=request.POST.get("seen", ""), actor=request.user,
            now=timezone.now(), reason=reason,
        )  # fmt: skip
    except changing.Overtaken as error:
        messages.error(request, str(error))
        return _shown(request, row, _merged(request, draft, typed(row), reason), status=409)
    except Refused as error:
        messages.error(request, str(error))
        return _shown(request, row, Typed(draft, {}, {}, reason), status=422)
    messages.success(request, said)
    return redirect("desk:newsletter", newsletter_id=row.id)


def tried(request: sign_in.Guest, row: Newsletter, act: Callable[[], object]) -> HttpResponse:
    """What an act would mean, as a piece of the page."""
    now = timezone.now()
    told = trying.tried(row, act, now=now)
    return _effect(
        request, told.newsletter, refused=told.refused, changes=told.changes,
        runs=[run_told(run, now=now) for run in told.runs], trouble=unreadable(told.trouble) if told.trouble else "",
    )  # fmt: skip


def _effect(request: sign_in.Guest, row: Newsletter, **more: Any) -> HttpResponse:
    nothing: dict[str, Any] = {"wrong": {}, "refused": "", "changes": [], "runs": [], "trouble": ""}
    context = {"zone": frame.zone_of(row), "now": timezone.now(), **nothing, **more}
    return render(request, "desk/calendar/effect.html", context)


def _draft(request: sign_in.Guest) -> dict[str, Any]:
    """The form as it was typed."""
    given = request.POST
    draft: dict[str, Any] = {name: given.get(name, "") for name in SettingsForm.base_fields}
    return {**draft, "weekdays": given.getlist("weekdays")}


def _merged(request: sign_in.Guest, draft: dict[str, Any], kept: dict[str, Any], reason: str) -> Typed:
    """A field this person left alone takes what is kept now; one both changed keeps theirs, and says the other."""
    base = _base(request)
    mine = {name: value for name, value in draft.items() if not _same(value, base.get(name))}
    since = {
        name: "yes" if kept[name] is True else str(kept[name] or "nothing")
        for name in mine
        if not _same(kept[name], base.get(name)) and not _same(kept[name], mine[name])
    }
    return Typed({**kept, **mine}, {}, since, reason)


def _same(one: Any, other: Any) -> bool:
    """A box that is not ticked sends nothing; lines end as browsers end them."""
    flat = [
        "\n".join(str(value).split("\r\n")) if isinstance(value, str) else "yes" if value is True else value or ""
        for value in (one, other)
    ]
    return bool(flat[0] == flat[1])


def _base(request: sign_in.Guest) -> dict[str, Any]:
    """What the form showed first; it only decides what is pointed out."""
    try:
        base = json.loads(request.POST.get("base", "")[:_LONGEST_BASE])
    except ValueError:
        return {}
    return base if isinstance(base, dict) else {}


def _named(wrong: Mapping[str, str]) -> dict[str, str]:
    return {name.removesuffix("_s").replace("_", " "): said for name, said in wrong.items()}


def _shown(request: sign_in.Guest, row: Newsletter, form: Typed, *, status: int = 200) -> HttpResponse:
    fields = SettingsForm()
    context = {
        "newsletter": row,
        "draft": form.draft,
        "wrong": form.wrong,
        "since": form.since,
        "reason": form.reason,
        "seen": changing.mark_of(row),
        "base": json.dumps(typed(row), ensure_ascii=False),
        "may": changing.may_change(request.user, row.id) and row.state != Newsletter.State.ENDED,
        "segments": [("", "all its readers"), *((str(one.pk), one.name) for one in fields.fields["segment"].queryset)],  # type: ignore[attr-defined]
        "people": [("", "nobody in particular"), *((str(one.pk), str(one)) for one in fields.fields["owner"].queryset)],  # type: ignore[attr-defined]
        "zone": frame.zone_of(row),
        "now": timezone.now(),
    }
    return render(request, "desk/calendar/settings.html", context, status=status)
