"""How fast readers came: the share of all clicks by time since the start, and when half of them had come. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Minutes after the start, evenly apart in the drawing: most of a newsletter's life is its first hours.
STOPS: tuple[tuple[int, str], ...] = (
    (0, "0"), (10, "10 min"), (30, "30 min"), (60, "1 h"), (120, "2 h"), (180, "3 h"), (360, "6 h"), (720, "12 h"), (1440, "1 d"), (2880, "2 d"),
)  # fmt: skip
ENOUGH = 20  #: clicks; fewer make no curve
LEFT, TOP, WIDTH, HEIGHT = 34, 8, 300, 130


@dataclass(frozen=True, slots=True)
class Point:
    """`n` clicks had come after so long; `x` and `y` place it in the drawing."""

    after: str
    n: int
    share: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Curve:
    """`half_min` is when half of all clicks had come, and `half_x` where that is drawn."""

    points: tuple[Point, ...]
    half_min: int
    half_x: int
    line: str
    area: str

    @property
    def half(self) -> str:
        """In words."""
        hours, minutes = divmod(self.half_min, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def of(clicks: Sequence[tuple[int, int]], *, start: int) -> Curve | None:
    """From (UNIX minute, clicks) and the UNIX minute of the start; None where there are too few to draw."""
    total = sum(n for _, n in clicks)
    if total < ENOUGH:
        return None
    points = [_point(at, total, clicks, start) for at in range(len(STOPS))]
    half, so_far = STOPS[-1][0], 0
    for minute, n in sorted(clicks):
        so_far += n
        if 2 * so_far >= total:
            half = max(0, minute - start) + 1
            break
    line = " ".join(f"{point.x},{point.y}" for point in points)
    floor = TOP + HEIGHT
    return Curve(tuple(points), half, _x(half), line, f"{points[0].x},{floor} {line} {points[-1].x},{floor}")


def _point(at: int, total: int, clicks: Sequence[tuple[int, int]], start: int) -> Point:
    minutes, after = STOPS[at]
    n = sum(n for minute, n in clicks if minute - start < minutes)
    return Point(after, n, round(100 * n / total), _step(at), round(TOP + HEIGHT * (1 - n / total)))


def _step(at: float) -> int:
    return round(LEFT + WIDTH * at / (len(STOPS) - 1))


def _x(minutes: int) -> int:
    """Where so many minutes lie between the stops around them."""
    for at, ((before, _), (after, _)) in enumerate(pairwise(STOPS)):
        if minutes <= after:
            return _step(at + (minutes - before) / (after - before))
    return _step(len(STOPS) - 1)
