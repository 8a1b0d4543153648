"""Most Popular from whole numbers: four windows that equal a brute-force recount to the last tie.

Definitions (the engagement reference 3.2, 3.3; everything in UTC, m = floor(seconds / 60), H = floor(m / 60)):

- now: minutes (m - 60, m]. today: minutes (m - 1440, m]. week: hours (H - 168, H], up to minute m.
- value = sum over channels of weight * count, weights whole numbers.
- order: value, then the latest minute with a count, then the publication instant, all descending, then the id.
- trending compares x, a count in which every 20 minutes halve a click's worth, with what the article's own last
  day leads us to expect, e; its value is 1000 * z, z = 2 * sqrt(2) * (sqrt(x + 3/8) - sqrt(e + 3/8)).

Halving is done in whole numbers, too: minute t weighs G(t) = round(2**(t % h / h) * 2**24) << (t // h), so sums can
be added to and taken from for ever without rounding, and x = sum / G(m). No floating point is ever accumulated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import nlargest
from math import inf, sqrt
from typing import NamedTuple

HOUR, DAY = 60, 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REBUILD_AFTER = 3 * HOUR  #: minutes; stepping further than this costs more than counting again

TREND_HALF_LIFE, TREND_SPAN = 20, 400  #: minutes; after 20 half-lives a click weighs a millionth
USUAL_HALF_LIFE, USUAL_SPAN = 360, DAY
TREND_LEAST, TREND_EXPECTED_LEAST = 5, 2.0


class Window(StrEnum):
    """The four lists."""

    NOW = "now"
    TODAY = "today"
    WEEK = "week"
    TRENDING = "trending"


class Count(NamedTuple):
    """`n` counted events of one article, minute (since 1970) and channel; negative to take back."""

    article_id: int
    minute: int
    channel: str
    n: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place in a list. `value` is a weighted count, for trending thousandths of z. `minute` is the latest counted."""

    article_id: int
    value: int
    minute: int


def minute_of(at: datetime) -> int:
    """Whole minutes since 1970 of an aware instant, rounded down."""
    return (at - _EPOCH) // timedelta(minutes=1)


def instant_of(minute: int) -> datetime:
    """When a minute begins."""
    return _EPOCH + timedelta(minutes=minute)


def rank(
    counts: Iterable[Count],
    *,
    at: datetime,
    window: Window,
    weights: Mapping[str, int],
    published: Mapping[int, datetime] | None = None,
    limit: int | None = None,
) -> list[Ranked]:
    """One list from scratch; channels without a weight do not count."""
    board = Board(weights=weights)
    board.move(minute_of(at))
    board.add(counts)
    return board.top(window, limit=limit, published=published or {})


class _Halving:
    """Sums in which a count halves every `half_life` minutes, over the last `span` minutes, in whole numbers."""

    def __init__(self, *, half_life: int, span: int) -> None:
        self.half_life, self.span = half_life, span
        self.sums: defaultdict[int, int] = defaultdict(int)
        self._steps = [round(2 ** (step / half_life) * 2**24) for step in range(half_life)]
        self._base = 0

    def start(self, minute: int) -> None:
        """Forget everything; `minute` becomes the present."""
        self.sums.clear()
        self._base = (minute - self.span + 1) // self.half_life

    def weight(self, minute: int) -> int:
        """What one count of that minute weighs on the present scale."""
        whole, step = divmod(minute, self.half_life)
        return self._steps[step] << (whole - self._base)

    def rebase(self, minute: int) -> None:
        """Keep numbers small: once the oldest minutes have left, every sum divides exactly."""
        shift = (minute - self.span + 1) // self.half_life - self._base
        if shift:
            for article in self.sums:
                self.sums[article] >>= shift
            self._base += shift


class Board:
    """Counts of the last eight days, kept as running sums: adding is O(1), a minute costs what happened in it.

    Counts may arrive in any order, late or early (they wait for their minute), or be taken back. Not thread-safe.
    """

    def __init__(self, *, weights: Mapping[str, int]) -> None:
        self._weights = dict(weights)
        self._cells: dict[int, dict[int, int]] = {}  # minute -> article -> weighted count
        #: the latest minute with a count, by article; inf where it was taken back and has to be looked up
        self._latest: dict[int, float] = {}
        self._sums: dict[Window, defaultdict[int, int]] = {
            window: defaultdict(int) for window in (Window.NOW, Window.TODAY, Window.WEEK)
        }
        self._trend = _Halving(half_life=TREND_HALF_LIFE, span=TREND_SPAN)
        self._usual = _Halving(half_life=USUAL_HALF_LIFE, span=USUAL_SPAN)
        self.minute = 0
        self._restart(0)

    def add(self, counts: Iterable[Count]) -> None:
        """Take counts in; those older than the week's list are dropped."""
        oldest = _oldest(Window.WEEK, self.minute)
        for article, minute, channel, n in counts:
            value = n * self._weights.get(channel, 0)
            if not value or minute < oldest:
                continue
            cell = self._cells.setdefault(minute, {})
            cell[article] = cell.get(article, 0) + value
            if minute <= self.minute:
                self._count(article, minute, value)

    def move(self, minute: int) -> None:
        """Make `minute` the present. Forward is cheap; back, or far, recounts what is kept."""
        if not 0 <= minute - self.minute <= _REBUILD_AFTER:
            self._restart(minute)
            return
        for present in range(self.minute + 1, minute + 1):
            self._step(present)

    def top(
        self, window: Window, *, limit: int | None = None, published: Mapping[int, datetime] | None = None
    ) -> list[Ranked]:
        """The best `limit` articles with a positive value (all of them for None), in the one possible order."""
        return self._ordered(self._values(window), limit=limit, published=published or {})

    def top_of_each(
        self, window: Window, *, groups: Mapping[int, str], limit: int, published: Mapping[int, datetime] | None = None
    ) -> dict[str, list[Ranked]]:
        """`top` for each group of articles; those in no group stand in none."""
        parts: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for article, value in self._values(window).items():
            if group := groups.get(article):
                parts[group][article] = value
        known = published or {}
        return {group: self._ordered(part, limit=limit, published=known) for group, part in parts.items()}

    def _values(self, window: Window) -> Mapping[int, int]:
        return self._trending() if window is Window.TRENDING else self._sums[window]

    def _ordered(
        self, values: Mapping[int, int], *, limit: int | None, published: Mapping[int, datetime]
    ) -> list[Ranked]:
        least = _least(values, limit)
        found = [Ranked(article, value, self._last(article)) for article, value in values.items() if value >= least]
        found.sort(
            key=lambda one: (
                -one.value,
                -one.minute,
                _newest_first(published.get(one.article_id)),
                one.article_id,
            )
        )
        return found[:limit]

    def _restart(self, minute: int) -> None:
        self.minute = minute
        self._latest.clear()
        for sums in self._sums.values():
            sums.clear()
        self._trend.start(minute)
        self._usual.start(minute)
        self._forget_before(_oldest(Window.WEEK, minute))
        self._open_windows()
        for past, cell in self._cells.items():
            if past <= minute:
                for article, value in cell.items():
                    self._count(article, past, value)

    def _step(self, minute: int) -> None:
        """Let one minute in and those out that leave a window with it."""
        previous, self.minute = self.minute, minute
        for window, sums in self._sums.items():
            for gone in range(_oldest(window, previous), _oldest(window, minute)):
                _subtract(sums, self._cells.get(gone, {}), 1)
        for halving in (self._trend, self._usual):
            gone = minute - halving.span
            _subtract(halving.sums, self._cells.get(gone, {}), halving.weight(gone))
            halving.rebase(minute)
        self._open_windows()
        for article, value in self._cells.get(minute, {}).items():
            self._count(article, minute, value)
        if minute % HOUR == 0:
            self._forget_before(_oldest(Window.WEEK, minute))

    def _count(self, article: int, minute: int, value: int) -> None:
        for oldest, sums in self._open:
            if minute >= oldest:
                sums[article] += value
        for halving in (self._trend, self._usual):
            if minute > self.minute - halving.span:
                halving.sums[article] += value * halving.weight(minute)
        latest = self._latest.get(article, -1)
        if self._cells[minute][article] <= 0:
            if minute == latest:
                self._latest[article] = inf
        elif minute > latest:
            self._latest[article] = minute

    def _last(self, article: int) -> int:
        if self._latest.get(article, inf) == inf:
            kept = range(self.minute, _oldest(Window.WEEK, self.minute) - 1, -1)
            counted = (minute for minute in kept if self._cells.get(minute, {}).get(article, 0) > 0)
            self._latest[article] = next(counted)
        return int(self._latest[article])

    def _forget_before(self, oldest: int) -> None:
        for minute in [minute for minute in self._cells if minute < oldest]:
            del self._cells[minute]
        week = self._sums[Window.WEEK]
        self._latest = {article: latest for article, latest in self._latest.items() if article in week}

    def _open_windows(self) -> None:
        self._open = [(_oldest(window, self.minute), sums) for window, sums in self._sums.items()]

    def _trending(self) -> dict[int, int]:
        unit, usual_unit = self._trend.weight(self.minute), self._usual.weight(self.minute)
        floor = TREND_LEAST * unit
        rising = [(article, total / unit) for article, total in self._trend.sums.items() if total >= floor]
        expected = [self._usual.sums.get(article, 0) / usual_unit * _USUAL_TO_TREND for article, _ in rising]
        return {article: surprise(x, e) for (article, x), e in zip(rising, expected, strict=True)}


def _steady(half_life: int, span: int) -> float:
    """What one count a minute, for ever, sums up to: a geometric series of `span` terms."""
    return float((1 - 2 ** (-span / half_life)) / (1 - 2 ** (-1 / half_life)))


_USUAL_TO_TREND = _steady(TREND_HALF_LIFE, TREND_SPAN) / _steady(USUAL_HALF_LIFE, USUAL_SPAN)


def surprise(x: float, expected: float) -> int:
    """Thousandths of z: how many standard deviations x is above expectation (Anscombe's square roots)."""
    e = max(expected, TREND_EXPECTED_LEAST)
    return int(1000 * 2 * sqrt(2) * (sqrt(x + 0.375) - sqrt(e + 0.375)))


def _oldest(window: Window, minute: int) -> int:
    """The first minute a window still holds."""
    if window is Window.WEEK:
        return (minute // HOUR - 167) * HOUR
    return minute - (HOUR if window is Window.NOW else DAY) + 1


def _subtract(sums: defaultdict[int, int], cell: Mapping[int, int], weight: int) -> None:
    for article, value in cell.items():
        left = sums[article] - value * weight
        if left:
            sums[article] = left
        else:
            del sums[article]


def _least(values: Mapping[int, int], limit: int | None) -> int:
    """The smallest value that can reach the list; ties with it are still in the running."""
    best = [] if limit is None else nlargest(limit, values.values())
    return max(1, best[-1]) if limit is not None and len(best) == limit and best else 1


def _newest_first(published_at: datetime | None) -> float:
    return -published_at.timestamp() if published_at else inf
