"""Hooks listed, and one of them with its last notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone
from pipeline.desk.words import Badge, count
from pipeline.hooks.deliver import WAITS_S
from pipeline.hooks.events import EVENTS
from pipeline.hooks.models import Hook, Notice
from pipeline.hooks.steer import PING
from pipeline.staff.models import Role

MOST_NOTICES = 40
STATES = {
    Hook.State.ACTIVE: Badge("awake", "done"),
    Hook.State.RESTING: Badge("rests: it failed for a day", "trouble"),
    Hook.State.OFF: Badge("paused", "off"),
}
NOTICES = {
    Notice.State.PENDING: Badge("on its way", "moving"),
    Notice.State.TOLD: Badge("taken", "done"),
    Notice.State.GIVEN_UP: Badge("given up", "trouble"),
}


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """All of them."""
    return shown(request)


@sign_in.required
@require_safe
def hook(request: sign_in.Guest, hook_id: int) -> HttpResponse:
    """One of them."""
    row = get_object_or_404(Hook, id=hook_id)
    notices = row.notices.order_by("-id")[:MOST_NOTICES]
    context = {
        **_frame(request),
        "hook": _told(row, whole=_is_admin(request)),
        "chosen": [(name, EVENTS[name].when) for name in row.events if name in EVENTS],
        "notices": [_notice(one) for one in notices],
        "most": MOST_NOTICES,
    }
    return render(request, "desk/hooks/hook.html", context)


def shown(
    request: sign_in.Guest, *, typed: Mapping[str, Any] | None = None, fault: str = "", secret: str = "", status: int = 200
) -> HttpResponse:  # fmt: skip
    """The list, with what was typed and why it was not taken, or with a new secret."""
    failed = Count("notices", filter=Q(notices__state=Notice.State.GIVEN_UP))
    rows = Hook.objects.annotate(failed=failed).order_by("name", "id")
    context = {
        **_frame(request),
        "hooks": [{**_told(row, whole=_is_admin(request)), "failed": row.failed} for row in rows],
        "events": [(name, event.when) for name, event in EVENTS.items()],
        "typed": typed or {"url": "", "name": "", "events": []},
        "fault": fault,
        "secret": secret,
    }
    return render(request, "desk/hooks/hooks.html", context, status=status)


def _frame(request: sign_in.Guest) -> dict[str, Any]:
    return {"may": _is_admin(request), "zone": newsroom_zone(), "now": timezone.now()}


def _is_admin(request: sign_in.Guest) -> bool:
    return request.user.role == Role.ADMIN


def _told(row: Hook, *, whole: bool) -> dict[str, Any]:
    """Addresses may hold a token of their own: who is no administrator sees where they lead only."""
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url if whole else (urlsplit(row.url).hostname or ""),
        "open": row.url.startswith("http://"),
        "badge": STATES[Hook.State(row.state)],
        "is_awake": row.state == Hook.State.ACTIVE,
        "is_paused": row.state == Hook.State.OFF,
        "failing_since": row.failing_since,
        "last_at": row.last_at,
        "last_said": row.last_said,
        "events": row.events,
    }


def _notice(row: Notice) -> dict[str, Any]:
    what = "a try from the desk" if row.event == PING else row.event
    return {
        "id": row.id, "event": what, "at": row.at, "badge": NOTICES[Notice.State(row.state)], "how": _how(row),
        "failed": row.state == Notice.State.GIVEN_UP,
    }  # fmt: skip


def _how(row: Notice) -> str:
    """How it went, with the attempts."""
    tries = count(row.tries, "attempt")
    said = row.said or "not tried yet"
    if row.state == Notice.State.TOLD:
        return f"{said} at the {_nth(row.tries)} attempt"
    if row.state == Notice.State.GIVEN_UP:
        return f"{said}, after {tries}" if row.tries else said
    left = max(0, len(WAITS_S) + 1 - row.tries)
    return f"{said}; {tries} so far, {left} left" if row.tries else said


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
