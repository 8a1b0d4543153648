"""A source's health, its ways and what the gates answered, in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.desk.words import Badge, count, duration, readable
from pipeline.kernel.pages import ago, local
from pipeline.sources.health import Code, Health
from pipeline.sources.models import Channel, Push, Source

TODAY = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Said:
    """What is so of a source: a badge, and a sentence that says since when and why."""

    badge: Badge
    words: str


WAYS: Mapping[str, str] = {"feed": "feed", "rest": "REST interface", "sitemap": "sitemap", "websub": "WebSub hub"}
PUSHES: Mapping[str, str] = {
    "ping": "ping",
    "websub": "WebSub hub",
    "ghost": "Ghost webhook",
    "webhook": "signed webhook",
}
PUSH_BADGES: Mapping[str, Badge] = {
    Push.State.PENDING: Badge("waiting", "waiting"),
    Push.State.ACTIVE: Badge("works", "done"),
    Push.State.BROKEN: Badge("missed stories", "needs"),
    Push.State.ENDED: Badge("ended", "off"),
}
WAY_BADGES: Mapping[str, Badge] = {
    Channel.State.ACTIVE: Badge("open", "done"),
    Channel.State.GONE: Badge("gone", "trouble"),
    Channel.State.ASKING: Badge("refused", "trouble"),
}
FAILING, NOT_YET = Badge("failing", "trouble"), Badge("not asked yet", "waiting")
BADGES: Mapping[Code, Badge] = {
    Code.GONE: Badge("gone", "trouble"),
    Code.REFUSED: Badge("refused", "trouble"),
    Code.STALE: Badge("stale", "trouble"),
    Code.UNANSWERED: Badge("not answering yet", "trouble"),
    Code.SILENT: Badge("silent", "needs"),
    Code.PUSH_BROKEN: Badge("push broken", "needs"),
    Code.FIRST_LOOK: Badge("first look", "waiting"),
    Code.PAUSED: Badge("paused", "off"),
    Code.FRESH: Badge("fresh", "done"),
}
_HEALTH: Mapping[Code, str] = {
    Code.GONE: "Its {way} at {url} answered 410: gone for good, so it is asked no more.",
    Code.REFUSED: "Its {way} at {url} refuses us{status}. It is tried once a day; ask the site’s owner to let Dateline in.",
    Code.STALE: "Stale since {since}: {because}",
    Code.UNANSWERED: "It has never answered well: {because}",
    Code.SILENT: "It answers, but has told nothing new since {since}; usually a story comes every {usual}.",
    Code.PUSH_BROKEN: (
        "Its {push} missed {missed} that our looks found. It is looked at more often until it tells again."
    ),
    Code.FIRST_LOOK: "It waits for its first look. What is there then is known and never told.",
    Code.PAUSED: "A person paused it: nobody looks until someone has it watched again.",
    Code.FRESH: "It answered at {since} ({ago}).",
}
CAUTION: Mapping[str, str] = {
    "generator changed": "the program that makes the site has changed",
    "address changed": "its address has changed",
    "first answer after an outage": "it answered again after more than a day",
    "more posts than the site lists": "it has many more stories than it lists: an import?",
    "many known articles changed at once": "many known stories changed at once",
}
#: What the gates answered, without the figures of one story; the order is the one they are shown in.
GATES: Mapping[str, str] = {
    "news": "news, told or about to be",
    "released": "let go by a person",
    "first_look": "there before we began to watch",
    "same_story": "the same story again under another address",
    "renamed_by_site": "an old story under a new name, after the site renamed its stories",
    "old": "old-dated: too old when it came",
    "before_baseline": "old-dated: from before we began to watch",
    "republished": "an old story published again",
    "embargo": "held: an embargo",
    "retraction": "held: marked as withdrawn",
    "burst": "held: more new stories in an hour than this site ever publishes",
    "source_event": "held: the site was under caution",
    "stopped": "held: telling was stopped",
    "budget": "held: the day’s number was used up",
}


def told(found: Health, *, zone: str, now: datetime) -> Said:
    """One fact of a source's health."""
    params = dict(found.params)
    at = params.get("since")
    values = {
        "url": params.get("url", ""),
        "way": WAYS.get(kind := str(params.get("kind", "")), readable(kind)),
        "push": PUSHES.get(kind, readable(kind)),
        "status": f" (it answers {params['status']})" if int(str(params.get("status", 0))) >= 400 else "",
        "since": since(at, zone, now) if isinstance(at, datetime) else "",
        "ago": ago(at, now) if isinstance(at, datetime) else "",
        "because": _because(str(params.get("why", ""))),
        "usual": duration(float(str(params.get("usual_s", 0)))),
        "missed": count(int(str(params.get("missed", 0))), "story", "stories"),
    }
    return Said(BADGES[found.code], _HEALTH[found.code].format_map(values))


def caution(row: Source, *, zone: str, now: datetime) -> str:
    """Until when a source is treated with caution, and why; "" where it is not."""
    if row.cautious_until is None or row.cautious_until <= now:
        return ""
    why = CAUTION.get(row.cautious_because, readable(row.cautious_because)) or "it changed in a way that asks for care"
    return f"Cautious until {since(row.cautious_until, zone, now)}: {why}. Everything new is held for a person."


def gate(code: str) -> str:
    """What a gate's code stands for in a list of counts."""
    return GATES.get(code, readable(code))


def program(generator: str) -> str:
    """The program that makes a site, as people name it; its feed may give an address: https://wordpress.org/?v=6.8.7."""
    found = re.fullmatch(r"https?://(?:www\.)?wordpress\.(?:org|com)/(?:\?v=([\w.\-]+))?", generator.strip())
    return f"WordPress {found[1] or ''}".strip() if found else generator.strip()


def since(at: datetime, zone: str, now: datetime) -> str:
    """The time of day; with its day where that is not today's."""
    form = "%H:%M" if abs(now - at) < TODAY else "%a %-d %b, %H:%M"
    return local(at, zone, form)


def answer(row: Channel, *, now: datetime) -> str:
    """What a way said last."""
    if row.last_checked_at is None:
        return "not asked yet"
    said = f"answered {row.last_status}" if row.last_status else "did not answer"
    again = " (nothing new)" if row.last_status == 304 else ""
    return f"{said}{again}, {ago(row.last_checked_at, now)}"


def way_badge(row: Channel) -> Badge:
    """How a way stands: refused and gone before failing."""
    if row.state != Channel.State.ACTIVE:
        return WAY_BADGES[Channel.State(row.state)]
    if row.last_checked_at is None:
        return NOT_YET
    return WAY_BADGES[Channel.State.ACTIVE] if row.last_status in (200, 304) else FAILING


def _because(why: str) -> str:
    """What the look kept, as the end of a sentence: "the site answered 503" is "it answered 503."."""
    said = why.strip().replace("the site answered", "it answered", 1)
    return said if said.endswith((".", "?", "!")) else f"{said}."
