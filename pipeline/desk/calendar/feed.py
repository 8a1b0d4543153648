"""The calendar for other people's calendars (RFC 5545), at an address that is a token of somebody who works here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pipeline.desk.calendar.agenda import Entry, entries
from pipeline.kernel.config import config
from pipeline.staff.tokens import opened_by

#: A line is at most 75 octets with what folds it (RFC 5545 3.1).
_LINE = 73
_OFF = ("skipped", "off", "cancelled", "expired", "killed")


@never_cache
@require_safe
def feed(_request: HttpRequest, token: str) -> HttpResponse:
    """Departures of a week back and four ahead. Revoking the token ends the address."""
    now = timezone.now()
    if opened_by(token, now=now) is None:
        raise Http404
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Dateline//Calendar//EN", "X-WR-CALNAME:Dateline", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]  # fmt: skip
    for entry in entries(now=now):
        lines += _event(entry, now=now)
    body = "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _folded(line))
    return HttpResponse(body, content_type="text/calendar; charset=utf-8")


def _event(entry: Entry, *, now: datetime) -> list[str]:
    host = config().site_url.rpartition("//")[2].partition("/")[0].partition(":")[0]
    path = (
        reverse("desk:edition", kwargs={"edition_id": entry.edition_id})
        if entry.edition_id
        else reverse("desk:newsletter", kwargs={"newsletter_id": entry.newsletter_id})
    )
    off = entry.badge.label in _OFF
    return [
        "BEGIN:VEVENT",
        f"UID:{entry.newsletter_id}-{entry.at:%Y%m%dT%H%M%SZ}@{host}",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{entry.at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "DURATION:PT15M",
        f"SUMMARY:{_text(f'{entry.name}: {entry.badge.label}')}",
        *([f"DESCRIPTION:{_text(entry.why)}"] if entry.why else []),
        f"URL:{config().site_url}{path}",
        f"STATUS:{'CANCELLED' if off else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _text(said: str) -> str:
    """A value of type TEXT (RFC 5545 3.3.11)."""
    escaped = said.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(escaped.splitlines())


def _folded(line: str) -> Iterator[str]:
    """Pieces of a line that leave no character torn."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > _LINE:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + width
    yield piece
