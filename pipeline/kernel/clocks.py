"""Wall-clock times and instants, through the nights when clocks change.

A time that does not exist is moved to the next valid minute; one that comes twice means the first. (A common
scheduler runs 02:30 at 03:30 in spring and skips an hour in autumn: the reliability reference 1.3.)
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOVED = "does not exist on this day, moved to"
FIRST = "comes twice on this day, the first"


def zone_named(name: str) -> ZoneInfo:
    """A zone of the IANA database. Raises ValueError for anything else, such as "GMT+2" or a path."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError, TypeError) as error:
        raise ValueError(f"{name!r} is not a time zone such as Europe/Brussels") from error


def resolved(wall: datetime, zone: ZoneInfo) -> tuple[datetime, str]:
    """The instant of a naive wall-clock time, and a note where the clocks made a choice necessary."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first < second:
        return first, f"{wall:%H:%M} {FIRST}"
    if first > second:  # RFC 5545 would add the gap's length; newsrooms want the earliest time that exists
        moved = change(second, first, zone) or first
        return moved, f"{wall:%H:%M} {MOVED} {moved.astimezone(zone):%H:%M}"
    return first, ""


def change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant in (low, high] with the offset of `high`, to the second; None when both agree."""
    wanted = high.astimezone(zone).utcoffset()
    if low.astimezone(zone).utcoffset() == wanted:
        return None
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == wanted:
            high = middle
        else:
            low = middle
    return high


def in_quiet_hours(at: datetime, *, zone: str, start: time, end: time) -> bool:
    """Whether the wall clock shows [start, end), over midnight where end is earlier. Equal times: never quiet."""
    wall = at.astimezone(zone_named(zone)).time()
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def next_allowed(at: datetime, *, zone: str, start: time, end: time) -> datetime:
    """`at` itself, or the first instant after it outside the quiet hours."""
    if not in_quiet_hours(at, zone=zone, start=start, end=end):
        return at
    known = zone_named(zone)
    today = at.astimezone(known).date()
    ends = [datetime.combine(today + timedelta(days=ahead), end) for ahead in range(3)]
    candidates = [wall.replace(tzinfo=known, fold=fold).astimezone(UTC) for wall in ends for fold in (0, 1)]
    candidates += [resolved(wall, known)[0] for wall in ends]
    if turn := change(at, at + timedelta(days=1), known):
        candidates.append(turn)
    return min(one for one in candidates if one > at and not in_quiet_hours(one, zone=zone, start=start, end=end))
