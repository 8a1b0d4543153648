"""What people do to Most Popular, by POST, with a reason and an end."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import frame, sign_in
from pipeline.desk.stories.holds import reason_of
from pipeline.ranking import hands, method
from pipeline.ranking.models import Pin

NO_END = "Say until when, as a day and a time, or leave it empty for until further notice. Nothing was changed."
NO_NUMBER = "Numbers are whole and not negative. Nothing was changed."
DONE = {
    Pin.Kind.PIN: "Pinned: it stands at its place within seconds.",
    Pin.Kind.BAN: "Banned: it leaves every list within seconds.",
}


@sign_in.required
@require_POST
def lay(request: sign_in.Guest, article_id: int) -> HttpResponse:
    """Pin or ban a story."""
    kind = Pin.Kind.BAN if request.POST.get("kind") == "ban" else Pin.Kind.PIN
    try:
        hands.lay(
            kind=kind, article_id=article_id, actor=request.user, now=timezone.now(), reason=reason_of(request),
            until=_until(request), place=_number(request, "place", empty=1) or 1,
        )  # fmt: skip
    except (hands.Refused, ValueError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, DONE[kind])
    return redirect("desk:popular")


@sign_in.required
@require_POST
def lift(request: sign_in.Guest, pin_id: int) -> HttpResponse:
    """End a pin or a ban."""
    try:
        ended = hands.lift(pin_id=pin_id, actor=request.user, now=timezone.now(), reason=reason_of(request))
    except hands.Refused as error:
        messages.error(request, str(error))
    else:
        if ended:
            messages.success(request, f"Ended: “{ended.article.headline}” stands where its count puts it.")
        else:
            messages.warning(request, "It had ended already. Nothing was changed.")
    return redirect("desk:popular")


@sign_in.required
@require_POST
def change_method(request: sign_in.Guest) -> HttpResponse:
    """Count otherwise."""
    try:
        wanted = method.Counting(
            weights={name: _number(request, f"weight-{name}") or 0 for name in method.CHANNELS},
            box_weight=_number(request, "box_weight") or 0,
            age_cap_days=_number(request, "age_cap_days", empty=None),
            per_section=_number(request, "per_section") or 0,
            network_cap=_number(request, "network_cap") or 0,
        )
        said = method.change(to=wanted, actor=request.user, now=timezone.now(), reason=reason_of(request))
    except (method.Refused, ValueError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("desk:popular")


def _until(request: sign_in.Guest) -> datetime | None:
    """The end a person gave on the newsroom's clock. Raises ValueError."""
    given = request.POST.get("until", "").strip()
    if not given:
        return None
    try:
        return datetime.fromisoformat(given).replace(tzinfo=ZoneInfo(frame.newsroom_zone()))
    except (ValueError, OverflowError):
        raise ValueError(NO_END) from None


def _number(request: sign_in.Guest, name: str, *, empty: int | None = 0) -> int | None:
    """A whole number of the form. Raises ValueError."""
    given = request.POST.get(name, "").strip()
    if not given:
        return empty
    if not (given.isascii() and given.isdigit() and len(given) < 6):
        raise ValueError(NO_NUMBER)
    return int(given)
