"""Deciding from the notice mail: its link shows the draft to whom it was written; a button decides, once, until it leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pipeline.desk import frame, today
from pipeline.desk.editions import page
from pipeline.desk.editions.acts import NO_REASON, reason_of, revision_of
from pipeline.editions.acts import review
from pipeline.editions.models import Edition
from pipeline.kernel.pages import local
from pipeline.schedule.alarms import seals
from pipeline.staff.models import User

LETTER = "notice mail"
ENDED = "It worked until the edition was to leave, at {at}. Nothing was changed: decide at the desk."
UNKNOWN = "It is damaged, was shortened, or was never ours. Nothing was changed: decide at the desk."
NOT_YOURS = "This letter was written to {to}, and you are signed in as {who}. Nothing was changed: decide at the desk."


class Refused(Exception):
    """Why a link does not work; the message is for whoever opened it."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the draft and changes nothing; POST approves or skips it as the one it was written to."""
    now = timezone.now()
    try:
        user, edition = _opened(request, token, now=now)
    except Refused as error:
        return render(request, "desk/edition_letter.html", {"refused": str(error)}, status=410)
    if user.totp_confirmed_at is not None and not request.user.is_authenticated:
        there = urlencode({"next": reverse("desk:edition", kwargs={"edition_id": edition.id})})
        return redirect(f"{reverse('desk:sign_in')}?{there}")
    if request.method == "POST":
        _decided(request, edition, user, now=now)
        return redirect("desk:decide", token=token)
    return render(request, "desk/edition_letter.html", _told(edition, user, now=now))


def _opened(request: HttpRequest, token: str, *, now: datetime) -> tuple[User, Edition]:
    """Whom a link was written to, and the edition. Raises Refused."""
    sealed = seals.opened(token)
    user = User.objects.filter(id=sealed.user_id, is_active=True).first() if sealed else None
    rows = today.counted().select_related("newsletter", "approved_by")
    edition = rows.filter(id=sealed.edition_id).first() if sealed else None
    if sealed is None or user is None or edition is None:
        raise Refused(UNKNOWN)
    if request.user.is_authenticated and request.user.pk != user.id:
        raise Refused(NOT_YOURS.format(to=user, who=request.user))
    if now >= sealed.until:
        raise Refused(ENDED.format(at=local(sealed.until, frame.zone_of(edition.newsletter))))
    return user, edition


def _decided(request: HttpRequest, edition: Edition, user: User, *, now: datetime) -> None:
    known: dict[str, Any] = {
        "edition_id": edition.id, "revision": revision_of(request), "actor": user, "now": now, "letter": LETTER
    }  # fmt: skip
    reason, skips = reason_of(request), request.POST.get("act") == "skip"
    if skips and not reason:
        messages.error(request, NO_REASON)
        return
    try:
        if skips:
            review.skip(reason=reason, **known)
            messages.success(request, "Skipped: nothing is sent, and its stories stay candidates for the next edition.")
        elif request.POST.get("act") == "approve":
            row = review.approve(**known)
            leaves = local(row.leaves_at, frame.zone_of(row.newsletter))
            messages.success(request, f"Approved. It leaves {leaves}; until then it can be taken back at the desk.")
    except review.Refused as error:
        messages.error(request, str(error))


def _told(edition: Edition, user: User, *, now: datetime) -> dict[str, Any]:
    """The draft as its page tells it, and what this person may do from here."""
    return {
        **page.told(edition, now=now, may_edit=user.may_edit),
        "now": now,
        "person": user,
        "lines": {"subject": edition.subject, "preheader": edition.preheader, "note": edition.note},
        "decided": review.decided_by_letter(edition.id, user),
        "may_edit": user.may_edit,
    }
