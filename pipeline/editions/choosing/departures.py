"""The slot's wall-clock time in each reader's zone.

An edition at its readers' clock is frozen and begins to leave when the first zone's time comes, which may be most of a
day before the newsroom's own; everything before it (draft, cut-off, approval) is counted from there. Readers without a
zone, with one nobody knows, or with plain "UTC" (the default, and no place) get it at the newsletter's own time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection

from pipeline.audience.recipients import RECIPIENTS
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.clocks import resolved, zone_named

NO_PLACE = frozenset({"", "UTC"})
#: Readers of a million live in some dozens of zones, and move seldom.
ASK_AGAIN_S = 300.0
#: UTC-12 to UTC+14, and an hour for clocks that change in between.
FARTHEST = timedelta(hours=27)
_ZONES = f"""
SELECT DISTINCT person.zone FROM ({RECIPIENTS}) AS reader JOIN dateline_subscriber person ON person.id = reader.id
"""  # noqa: S608 - our own constant
_known: dict[int, tuple[float, tuple[str, ...]]] = {}


def zone_of(newsletter: Newsletter) -> str:
    """The zone its wall clock hangs in."""
    return str(newsletter.cadence.get("zone") or newsletter.masthead.get("zone") or "UTC")


def first_departure(edition: Edition) -> datetime:
    """When the first readers get it: the slot, but for newsletters at their readers' clock."""
    if not edition.newsletter.at_readers_clock:
        return edition.slot_at
    return min([edition.slot_at, *departures(edition).values()])


def departures(edition: Edition) -> dict[str, datetime]:
    """Every zone of its readers but the newsletter's own, with the instant of the slot's wall-clock time there."""
    if not edition.newsletter.at_readers_clock:
        return {}
    return at_wall_clock(edition.slot_at, zone_of(edition.newsletter), _zones(edition.newsletter))


def at_wall_clock(slot_at: datetime, home: str, zones: Iterable[str]) -> dict[str, datetime]:
    """Where clocks change, the time is moved or repeated as everywhere: `kernel.clocks` states the rule."""
    wall = slot_at.astimezone(zone_named(home)).replace(tzinfo=None)
    found = {home: slot_at}
    for name in zones:
        try:
            found[name] = resolved(wall, zone_named(name))[0]
        except ValueError:
            found[name] = slot_at
    return found | dict.fromkeys(NO_PLACE, slot_at)


def _zones(newsletter: Newsletter) -> tuple[str, ...]:
    asked, zones = _known.get(newsletter.id, (None, ()))
    clock = time.monotonic()
    if asked is None or clock - asked >= ASK_AGAIN_S:
        with connection.cursor() as cursor:
            cursor.execute(_ZONES, {"topic": newsletter.topic_id})
            zones = tuple(sorted(row[0] for row in cursor.fetchall()))
        _known[newsletter.id] = clock, zones
    return tuple(zone for zone in zones if zone not in NO_PLACE)
