"""What every desk page shares: whose clock it tells, where a list goes on, which links may be followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.paginator import Page
from django.http import HttpRequest

from pipeline.editions.models import Newsletter
from pipeline.sources.models import Source
from pipeline.staff.models import Stop

WORLD = "UTC"
_STOPPED = {
    Stop.Kind.TELLING: "Telling is stopped: no new story is announced.",
    Stop.Kind.POSTING: "Posting is stopped: no post leaves.",
    Stop.Kind.SENDING: "Sending is stopped: no mail leaves.",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """One of the desk's: the name of its route, what it is called, and the letter after g that leads to it."""

    name: str
    label: str
    key: str = ""


#: What a morning needs stands in the open; the rest is below More.
SCREENS = (
    Screen("today", "Today", "h"),
    Screen("editions", "Editions", "e"),
    Screen("queue", "Queue", "q"),
    Screen("all_results", "Results", "r"),
    Screen("calendar", "Calendar", "c"),
    Screen("articles", "Articles", "a"),
    Screen("posts", "Posts", "p"),
    Screen("popular", "Popular", "m"),
    Screen("readers", "Readers", "b"),
)
MORE = (
    Screen("sources", "Sources", "s"),
    Screen("designs", "Designs", "d"),
    Screen("hooks", "Hooks"),
    Screen("people", "People"),
    Screen("journal", "Journal", "j"),
    Screen("status", "Status", "t"),
    Screen("guide", "First steps"),
)


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a list stands: numbers from 1, None where there is no page."""

    number: int
    last: int
    total: int
    newer: int | None
    older: int | None


def pages(page: Page[Any]) -> Pages:
    """A paginator's page as templates show it."""
    return Pages(
        number=page.number,
        last=page.paginator.num_pages,
        total=page.paginator.count,
        newer=page.previous_page_number() if page.has_previous() else None,
        older=page.next_page_number() if page.has_next() else None,
    )


def zone_of(newsletter: Newsletter) -> str:
    """The clock a newsletter lives by, as an IANA name."""
    return _known(newsletter.cadence.get("zone") or newsletter.masthead.get("zone"))


def clock_of(newsletter: Newsletter) -> ZoneInfo:
    """`zone_of`, to tell times by."""
    return ZoneInfo(zone_of(newsletter))


def newsroom_zone() -> str:
    """The clock of the desk: that of the oldest active newsletter, else of the first site. One or two queries."""
    first = Newsletter.objects.filter(state=Newsletter.State.ACTIVE).order_by("id").first()
    if first is not None:
        return zone_of(first)
    return _known(Source.objects.order_by("id").values_list("zone", flat=True).first())


def _known(name: Any) -> str:
    try:
        return ZoneInfo(name).key if name else WORLD
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return WORLD


@dataclass(frozen=True, slots=True)
class Brake:
    """One that somebody pulled, for the banner."""

    kind: str
    words: str
    who: str
    at: datetime
    reason: str


def brakes() -> list[Brake]:
    """Those that are pulled. One query."""
    return [
        Brake(stop.kind, _STOPPED[Stop.Kind(stop.kind)], str(stop.by or "Dateline"), stop.at, stop.reason)
        for stop in Stop.objects.select_related("by").order_by("at")
    ]


def banner(_request: HttpRequest) -> dict[str, Any]:
    """What settings give every page: nothing is asked of the database before a page calls it."""
    return {"brakes": brakes, "screens": SCREENS, "more_screens": MORE}


def safe_link(url: str) -> str:
    """An address of someone else's that a page may link to, or nothing."""
    return url if url.lower().startswith(("https://", "http://")) else ""
