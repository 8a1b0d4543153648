"""What is done for one reader: by POST, with a reason, in the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.audience.care import steering
from pipeline.delivery.privacy import erasing
from pipeline.delivery.privacy.held import held
from pipeline.desk import sign_in
from pipeline.desk.readers.listing import NOT_YOURS
from pipeline.desk.readers.reader import known
from pipeline.desk.stories.holds import reason_of
from pipeline.desk.words import count
from pipeline.staff.journal import note

NO_REASON = "Say why, in a few words: it is kept in the journal. Nothing was changed."


@sign_in.required
@require_POST
def suppress(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """Write to them no more."""
    return _done(
        request, subscriber_id,
        lambda how: steering.suppress(**how),
        said="Suppressed: no mail leaves to this address from now on, mail under way to it stops before its batch.",
        otherwise="It was suppressed already; the first reason stays.",
    )  # fmt: skip


@sign_in.required
@require_POST
def lift(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """Write to them again."""
    return _done(
        request, subscriber_id,
        lambda how: steering.lift(**how),
        said="Lifted: the next edition of what they follow is sent to them again.",
        otherwise="Nothing was suppressed.",
    )  # fmt: skip


@sign_in.required
@require_POST
def end(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """End one subscription, or all of them for good."""
    said = request.POST.get("topic", "")
    if said != "all" and not (said.isascii() and said.isdigit() and len(said) < 18):
        messages.error(request, "Choose what to end. Nothing was changed.")
        return _back(subscriber_id)
    return _done(
        request, subscriber_id,
        lambda how: steering.end(topic_id=None if said == "all" else int(said), **how),
        said="Ended. Only the reader can begin again; an import cannot.",
        otherwise="They did not follow it.",
    )  # fmt: skip


@sign_in.required
@require_POST
def export(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """All we hold about them, as JSON."""
    row = known(subscriber_id)
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
        return _back(subscriber_id)
    with transaction.atomic():
        note(
            verb="export reader", subject="subscriber", subject_id=row.id, now=timezone.now(), actor=request.user,
            reason=reason_of(request),
        )  # fmt: skip
        answer = JsonResponse(held(address=row.address), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer.headers["Content-Disposition"] = f'attachment; filename="reader-{row.id}.json"'
    return answer


@sign_in.required
@require_POST
def forget(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """Erase them."""
    row, reason = known(subscriber_id), reason_of(request)
    if not steering.may(request.user):
        messages.error(request, NOT_YOURS)
    elif not reason:
        messages.error(request, NO_REASON)
    else:
        found = erasing.erase(address=row.address, now=timezone.now(), actor=request.user, reason=reason)
        kept = count(found.deliveries, "mail stays as a number", "mails stay as numbers")
        messages.success(request, f"Erased. {kept.capitalize()}; no list brings the address back, only its owner can.")
        return redirect("desk:readers")
    return redirect("desk:erasing", subscriber_id=subscriber_id)


def _done(
    request: sign_in.Guest, subscriber_id: int, act: Callable[[dict[str, Any]], object], *, said: str, otherwise: str
) -> HttpResponse:  # fmt: skip
    known(subscriber_id)
    how: dict[str, Any] = {
        "subscriber_id": subscriber_id, "actor": request.user, "now": timezone.now(), "reason": reason_of(request),
    }  # fmt: skip
    try:
        if act(how):
            messages.success(request, said)
        else:
            messages.warning(request, f"{otherwise} Nothing was changed.")
    except steering.Refused as error:
        messages.error(request, str(error))
    return _back(subscriber_id)


def _back(subscriber_id: int) -> HttpResponse:
    return redirect("desk:reader", subscriber_id=subscriber_id)
