"""Readers by their address, or by a part of it: an index first, a scan with a limit in rows and in time after it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from pipeline.audience.care.patience import TookTooLong, within
from pipeline.audience.care.roughly import Roughly, readers_by_state
from pipeline.audience.models import Subscriber, Suppression
from pipeline.audience.subscribe import hash_of

MOST = 50
SHORTEST_PART = 3
PATIENCE_MS = 1_500


@dataclass(frozen=True, slots=True)
class Found:
    """`suppressed` speaks of the very address that was asked for, known or not."""

    readers: tuple[Subscriber, ...]
    has_more: bool = False
    is_cut_short: bool = False
    suppressed: Suppression | None = None


def find(*, asked: str, by_part: bool = True) -> Found:
    """Readers whose address is `asked`, else begins with it, else holds it; by_part=False finds whole addresses only."""
    spelled = asked.strip().lower()
    if not spelled or "\x00" in spelled:
        return Found(())
    everybody = Subscriber.objects.exclude(state=Subscriber.State.ERASED)
    suppressed = Suppression.objects.filter(address_hash=hash_of(spelled)).first() if "@" in spelled else None
    exact = tuple(everybody.filter(address=spelled))
    if exact or not by_part:
        return Found(exact, suppressed=suppressed)
    begins = _some(everybody.filter(address__startswith=spelled))
    if begins or len(spelled) < SHORTEST_PART:
        return _found(begins, suppressed)
    try:
        with within(PATIENCE_MS):
            return _found(_some(everybody.filter(address__contains=spelled)), suppressed)
    except TookTooLong:
        return Found((), is_cut_short=True, suppressed=suppressed)


def _some(rows: QuerySet[Subscriber]) -> list[Subscriber]:
    """Without an order of the database's: sorting by address would walk the wrong index."""
    return sorted(rows[: MOST + 1], key=lambda row: row.address)


def _found(rows: list[Subscriber], suppressed: Suppression | None) -> Found:
    return Found(tuple(rows[:MOST]), has_more=len(rows) > MOST, suppressed=suppressed)


def masked(address: str) -> str:
    """An address for whoever may not read it: its first letter and its domain."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"


def shown(given: str, *, whole: bool) -> str:
    """What stood in a list, as whoever looks may read it."""
    return given if whole or "@" not in given else masked(given)


def counts() -> Roughly:
    """Readers by state, and the suppressed. Three queries, none longer for a larger house but that of the suppressed."""
    found = readers_by_state()
    return Roughly({**found.by, "suppressed": Suppression.objects.count()}, is_sample=found.is_sample)
