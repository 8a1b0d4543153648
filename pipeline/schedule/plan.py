"""A row for every slot, before it comes and, after an outage, for those that went by."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from pipeline.editions.choosing.departures import FARTHEST
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule.slots import LIMIT, Cadence, CadenceError, Slot, skips, slots

log = logging.getLogger("dateline.schedule")

#: Rows are made this far ahead, so that a desk sees tomorrow's editions today.
AHEAD = timedelta(hours=26)
#: After a long outage a fast cadence has thousands of missed slots; these newest ones get rows of their own.
MOST_MISSED = 200
#: A cadence of minutes needs no day of empty rows ahead of it.
MOST_AHEAD = 3


def plan(*, now: datetime) -> int:
    """Make the editions that do not exist yet; how many. Any number of planners make one row a slot."""
    return sum(plan_one(newsletter, now=now) for newsletter in Newsletter.objects.filter(state=Newsletter.State.ACTIVE))


def plan_one(newsletter: Newsletter, *, now: datetime) -> int:
    try:
        cadence = Cadence.from_json(newsletter.cadence)
    except CadenceError as error:
        log.warning("%s has no usable cadence: %s", newsletter.slug, error)
        return 0
    reach = AHEAD + (FARTHEST if newsletter.at_readers_clock else timedelta(0))
    known = set(newsletter.editions.filter(slot_at__gt=now - AHEAD).values_list("slot_at", flat=True))
    last = newsletter.editions.order_by("-slot_at").values_list("slot_at", flat=True).first()
    after = min(max(last or newsletter.created_at, newsletter.created_at), now)
    missed = _rows(
        newsletter,
        going=_newest(slots, cadence, after=after, until=now),
        off=_newest(skips, cadence, after=after, until=now),
    )
    ahead = _rows(
        newsletter,
        going=slots(cadence, after=now, until=now + reach),
        off=skips(cadence, after=now, until=now + reach),
    )
    rows = [row for row in missed[-MOST_MISSED:] + ahead[:MOST_AHEAD] if row.slot_at not in known]
    return _kept(newsletter, rows) if rows else 0


@transaction.atomic
def _kept(newsletter: Newsletter, rows: list[Edition]) -> int:
    """How many are new: none where somebody gave it other times, or stopped it, since it was read.

    A row of the old times would be an edition beside that of the new ones, and both would leave.
    """
    row = Newsletter.objects.select_for_update(no_key=True).filter(id=newsletter.id)
    if row.values_list("state", "cadence").first() != (newsletter.state, newsletter.cadence):
        return 0
    return len(Edition.objects.bulk_create(rows, ignore_conflicts=True))


def _rows(newsletter: Newsletter, *, going: list[Slot], off: list[Slot]) -> list[Edition]:
    """Departures and days off in one order of time: a day off made too early would hide what is missed before it."""
    rows = [_edition(newsletter, slot) for slot in going] + [_skipped(newsletter, slot) for slot in off]
    return sorted(rows, key=lambda row: row.slot_at)


def _newest(ask: Callable[..., list[Slot]], cadence: Cadence, *, after: datetime, until: datetime) -> list[Slot]:
    """All of a stretch, or its last LIMIT where one answer does not hold it."""
    found = part = ask(cadence, after=after, until=until)
    while len(part) == LIMIT:
        part = ask(cadence, after=part[-1].at, until=until)
        found = (found + part)[-LIMIT:]
    return found


def _edition(newsletter: Newsletter, slot: Slot) -> Edition:
    return Edition(newsletter=newsletter, slot_at=slot.at, params={"note": slot.note} if slot.note else {})


def _skipped(newsletter: Newsletter, slot: Slot) -> Edition:
    return Edition(
        newsletter=newsletter, slot_at=slot.at, state=Edition.State.SKIPPED, code="holiday",
        params={"why": slot.note}, ended_at=slot.at,
    )  # fmt: skip
