"""Stopping all mail, and letting it go again: by POST, with a reason everybody sees."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.delivery.course import brake
from pipeline.desk import sign_in, words

NOT_YOURS = "Your role may not stop or start sending. Nothing was changed; call a desk head."
NO_REASON = "Say why, in a few words: everybody sees it while sending is stopped. Nothing was changed."


@sign_in.required
@require_POST
def stop(request: sign_in.Guest) -> HttpResponse:
    """Pull the brake."""
    reason = " ".join(request.POST.get("reason", "").split())[:500]
    if not request.user.may_edit:
        messages.error(request, NOT_YOURS)
    elif not reason:
        messages.error(request, NO_REASON)
    elif brake.pull(actor=request.user, now=timezone.now(), reason=reason):
        left = words.count(brake.waiting(), "mail")
        messages.success(request, f"Stopped: no batch is taken any more. {left} of editions under way are kept back.")
    else:
        messages.warning(request, "Sending was stopped already. Nothing was changed.")
    return redirect("desk:status")


@sign_in.required
@require_POST
def go_on(request: sign_in.Guest) -> HttpResponse:
    """Let go of the brake."""
    if not request.user.may_edit:
        messages.error(request, NOT_YOURS)
    elif brake.release(actor=request.user, now=timezone.now()):
        messages.success(request, "Sending goes on: what waited leaves now, at its newsletter’s pace.")
    else:
        messages.warning(request, "Sending was not stopped. Nothing was changed.")
    return redirect("desk:status")
