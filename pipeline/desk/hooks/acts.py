"""What administrators do to hooks: by POST, in the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in
from pipeline.desk.hooks import page
from pipeline.desk.stories.holds import reason_of
from pipeline.hooks import steer
from pipeline.hooks.events import UnknownEvent
from pipeline.hooks.models import Hook, Notice
from pipeline.hooks.tell import open_hook
from pipeline.staff.journal import note
from pipeline.staff.models import Role

NOT_YOURS = "Only an administrator decides which programs are told. Nothing was changed."


@sign_in.required
@require_POST
def add(request: sign_in.Guest) -> HttpResponse:
    """Tell one more; its secret is in this answer and nowhere else."""
    if not _may(request):
        return redirect("desk:hooks")
    url, name = request.POST.get("url", "").strip()[:2000], " ".join(request.POST.get("name", "").split())[:80]
    events, now = request.POST.getlist("events"), timezone.now()
    try:
        steer.judge(url)
        with transaction.atomic():
            row, secret = open_hook(url=url, events=events, name=name or url, now=now)
            note(verb="open_hook", subject="hook", subject_id=row.id, now=now, actor=request.user, events=row.events)
    except (steer.Refused, UnknownEvent, ValueError) as error:
        typed = {"url": url, "name": name, "events": events}
        return page.shown(request, typed=typed, fault=f"{str(error).rstrip('.')}. Nothing was added.", status=422)
    return page.shown(request, secret=secret)


@sign_in.required
@require_POST
def pause(request: sign_in.Guest, hook_id: int) -> HttpResponse:
    """Tell it nothing."""
    said = "Paused: it is told nothing, and will not hear later what happens meanwhile."
    return _done(
        request, hook_id, "pause_hook", lambda: steer.pause(hook_id), said=said, otherwise="It was paused already."
    )


@sign_in.required
@require_POST
def rouse(request: sign_in.Guest, hook_id: int) -> HttpResponse:
    """Tell it again."""
    said = "Awake: it hears what happens from now on."
    return _done(
        request, hook_id, "wake_hook", lambda: steer.rouse(hook_id), said=said, otherwise="It was awake already."
    )


@sign_in.required
@require_POST
def ping(request: sign_in.Guest, hook_id: int) -> HttpResponse:
    """Try it."""
    said = "A try is on its way; load this page again in a few seconds to see how it was answered."
    return _done(request, hook_id, "try_hook", lambda: steer.ping(hook_id, now=timezone.now()), said=said)


@sign_in.required
@require_POST
def remove(request: sign_in.Guest, hook_id: int) -> HttpResponse:
    """Forget it."""
    row = get_object_or_404(Hook, id=hook_id)
    if not _may(request):
        return redirect("desk:hook", hook_id=hook_id)
    with transaction.atomic():
        steer.remove(hook_id)
        note(
            verb="remove_hook", subject="hook", subject_id=hook_id, now=timezone.now(), actor=request.user,
            reason=reason_of(request), name=row.name,
        )  # fmt: skip
    messages.success(request, f"{row.name} is removed, with its secret and what still waited for it.")
    return redirect("desk:hooks")


@sign_in.required
@require_POST
def repeat(request: sign_in.Guest, notice_id: int) -> HttpResponse:
    """Tell a notice that was given up once more."""
    row = get_object_or_404(Notice.objects.only("hook_id"), id=notice_id)
    said = "It is told once more, under the id it had."
    return _done(
        request, row.hook_id, "repeat_notice", lambda: steer.repeat(notice_id, now=timezone.now()), said=said,
        notice=notice_id,
    )  # fmt: skip


def _may(request: sign_in.Guest) -> bool:
    if request.user.role != Role.ADMIN:
        messages.error(request, NOT_YOURS)
    return request.user.role == Role.ADMIN


def _done(
    request: sign_in.Guest, hook_id: int, verb: str, act: Callable[[], object], *, said: str, otherwise: str = "",
    **detail: Any,
) -> HttpResponse:  # fmt: skip
    get_object_or_404(Hook.objects.only("id"), id=hook_id)
    if not _may(request):
        return redirect("desk:hook", hook_id=hook_id)
    try:
        with transaction.atomic():
            done = act()
            if done:
                note(verb=verb, subject="hook", subject_id=hook_id, now=timezone.now(), actor=request.user, **detail)
    except steer.Refused as error:
        messages.error(request, str(error))
    else:
        tell, words = (messages.success, said) if done else (messages.warning, f"{otherwise} Nothing was changed.")
        tell(request, words)
    return redirect("desk:hook", hook_id=hook_id)
