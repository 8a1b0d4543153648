"""From a ranking to a list worth showing: age, variety, editors' pins and bans, and never an empty box.

Silent fallbacks are a known fault of such lists (the engagement reference 3.2): each place here says in which window
it was counted and, by a code, why it stands where it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.ranking.score import Ranked, Window

NEWEST = "newest"
CODES: Mapping[str, str] = {
    "counted": "Its count put it here.",
    "varied": "Its count put it here, after stories of a section that already had its share.",
    "relaxed": "Its section had its share, but nothing else was left in this window.",
    "fallback": "Too few stories were counted in the asked window, so a longer one filled up.",
    "newest": "Too few stories were counted at all, so the newest filled up.",
    "pinned": "An editor pinned it to this place.",
    "held": "It jumped, most of it from one network: it keeps its old place until it calms down or an editor pins it.",
}
_LONGER: Mapping[Window, tuple[Window, ...]] = {
    Window.TRENDING: (Window.TRENDING, Window.NOW, Window.TODAY, Window.WEEK),
    Window.NOW: (Window.NOW, Window.TODAY, Window.WEEK),
    Window.TODAY: (Window.TODAY, Window.WEEK),
    Window.WEEK: (Window.WEEK,),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What shaping needs of an article. `live` is False once killed, gone or under embargo.

    `section` "" belongs to none; `cluster` names the event or live blog it is part of, "" for none; `top` is the
    section at the top of its path, which has a list of its own.
    """

    published_at: datetime
    section: str = ""
    live: bool = True
    cluster: str = ""
    top: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """An article an editor wants at a place (1 is the top) until a moment; None is until further notice."""

    article_id: int
    place: int = 1
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ban:
    """An article an editor does not want in the list until a moment. Stronger than a pin."""

    article_id: int
    until: datetime | None = None


class _Counted(Protocol):
    """A line that knows which window its value was counted in: one of ours, or a row."""

    @property
    def counted_in(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A line of the list. `counted_in` is the window `value` was counted in, or "newest"; `code` is in CODES."""

    place: int
    article_id: int
    value: int
    label: str
    code: str
    counted_in: str


def _ages() -> Mapping[Window, timedelta]:
    days = {Window.NOW: 14, Window.TRENDING: 14, Window.TODAY: 30, Window.WEEK: 60}
    return {window: timedelta(days=number) for window, number in days.items()}


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_age` per window; `shares` as (first places, most of one section among them).

    An older article stays out unless it leads its window by `surge` times the next: then it is news again that
    people read it, and it is labelled. Anything older than `label_after` is labelled. Past `age_cap`, where there is
    one, nothing but a pin stands.
    """

    max_age: Mapping[Window, timedelta] = field(default_factory=_ages)
    shares: tuple[tuple[int, int], ...] = ((5, 2), (10, 3))
    surge: int = 2
    label_after: timedelta = timedelta(days=60)
    age_cap: timedelta | None = None


STANDARD = Limits()


def shape(
    ranked: Mapping[Window, Sequence[Ranked]],
    *,
    articles: Mapping[int, Facts],
    at: datetime,
    size: int,
    window: Window,
    pins: Iterable[Pin] = (),
    bans: Iterable[Ban] = (),
    limits: Limits = STANDARD,
    held: Mapping[int, int | None] | None = None,
    newest: Collection[int] | None = None,
) -> list[Placed]:
    """At most `size` places, fewer only when fewer articles may be shown at all. `at` decides what has expired.

    `held` has the best place an article may stand at by its count, None for nowhere. `newest` are those that may fill
    up without one (all, where it is not given): a story too old for its count must not come in by that door.
    """
    banned = frozenset(ban.article_id for ban in bans if _active(ban.until, at))
    building = _List(size=size, articles=articles, banned=banned, at=at, limits=limits, held=held or {})
    building.pin([pin for pin in pins if _active(pin.until, at)], ranked.get(window, ()), window)
    for longer in _LONGER[window]:
        code = "counted" if longer is window else "fallback"
        candidates = [(one.article_id, one.value) for one in _of_age(ranked.get(longer, ()), longer, building)]
        building.fill(candidates, counted_in=longer, code=code)
    if len(building.taken) < size:
        building.fill(
            ((article, 0) for article in building.newest() if newest is None or article in newest),
            counted_in=NEWEST,
            code=NEWEST,
        )
    return building.places()


def fell_back_to(places: Iterable[_Counted], *, window: str) -> str:
    """The last resort any place came from: a longer window or "newest"; the asked window when none was needed."""
    order = [*_LONGER[Window(window)], NEWEST]
    return str(max((place.counted_in for place in places), key=order.index, default=window))


def _active(until: datetime | None, at: datetime) -> bool:
    return until is None or at < until


def _of_age(ranked: Sequence[Ranked], window: Window, building: _List) -> Iterator[Ranked]:
    """Those young enough for the window, and an old one that truly surges."""
    shown = [one for one in ranked if building.showable(one.article_id)]
    for index, one in enumerate(shown):
        young = building.age(one.article_id) <= building.limits.max_age[window]
        following = shown[1].value if len(shown) > 1 else 0
        if young or (index == 0 and one.value >= building.limits.surge * max(following, 1)):
            yield one


@dataclass(slots=True)
class _List:
    """The list while it is being built: who stands where, and what that uses up."""

    size: int
    articles: Mapping[int, Facts]
    banned: frozenset[int]
    at: datetime
    limits: Limits
    held: Mapping[int, int | None]
    taken: dict[int, Placed] = field(default_factory=dict)  #: by place
    used: set[int] = field(default_factory=set)
    clusters: set[str] = field(default_factory=set)

    def showable(self, article: int) -> bool:
        """Known, live, published by now, not banned."""
        facts = self.articles.get(article)
        return facts is not None and facts.live and facts.published_at <= self.at and article not in self.banned

    def age(self, article: int) -> timedelta:
        return self.at - self.articles[article].published_at

    def places(self) -> list[Placed]:
        """In order, closed up where a pin stands further down than the list reaches."""
        ordered = [self.taken[place] for place in sorted(self.taken)]
        return [_moved(one, place) for place, one in enumerate(ordered, start=1)]

    def newest(self) -> list[int]:
        return sorted(filter(self.showable, self.articles), key=lambda article: (self.age(article), article))

    def pin(self, pins: Iterable[Pin], ranked: Sequence[Ranked], window: Window) -> None:
        """Pins first, top down; where two want one place, the second takes the next free one."""
        values = {one.article_id: one.value for one in ranked}
        for pin in sorted(pins, key=lambda pin: (pin.place, pin.article_id)):
            free = (place for place in range(max(1, pin.place), self.size + 1) if place not in self.taken)
            place = next(free, None)
            if place is not None and self._available(pin.article_id):
                self._take(place, pin.article_id, values.get(pin.article_id, 0), "pinned", window)

    def fill(self, candidates: Iterable[tuple[int, int]], *, counted_in: str, code: str) -> None:
        """Give free places to candidates in their order, as far as variety allows; then as if it did not matter."""
        waiting = list(candidates)
        for place in range(1, self.size + 1):
            if place in self.taken:
                continue
            waiting = [one for one in waiting if self._available(one[0]) and not self._too_old(one[0])]
            if not waiting:
                return
            standing = [one for one in waiting if self._may_stand(one[0], place)]
            if not standing:
                continue
            index = next((i for i, (article, _) in enumerate(standing) if self._varied(article, place)), None)
            article, value = standing[index or 0]
            waiting.remove((article, value))
            nuance = "held" if article in self.held else "relaxed" if index is None else "varied" if index else code
            self._take(place, article, value, nuance if nuance == "held" or code == "counted" else code, counted_in)

    def _available(self, article: int) -> bool:
        used = article in self.used or not self.showable(article)
        return not used and self.articles[article].cluster not in self.clusters

    def _too_old(self, article: int) -> bool:
        return self.limits.age_cap is not None and self.age(article) > self.limits.age_cap

    def _may_stand(self, article: int, place: int) -> bool:
        """Whether a held article's own place has been reached; others may stand anywhere."""
        if article not in self.held:
            return True
        best = self.held[article]
        return best is not None and place >= best

    def _varied(self, article: int, place: int) -> bool:
        """Whether the article's section may have one more place, in each of the stretches this place is in."""
        section = self.articles[article].section
        if not section:
            return True
        for first, most in self.limits.shares:
            above = Counter(self.articles[one.article_id].section for at, one in self.taken.items() if at <= first)
            if place <= first and above[section] >= most:
                return False
        return True

    def _take(self, place: int, article: int, value: int, code: str, counted_in: str) -> None:
        self.used.add(article)
        if cluster := self.articles[article].cluster:
            self.clusters.add(cluster)
        self.taken[place] = Placed(place, article, value, self._label(article), code, str(counted_in))

    def _label(self, article: int) -> str:
        published_at = self.articles[article].published_at
        if self.age(article) <= self.limits.label_after:
            return ""
        return f"from {published_at.year}" if published_at.year != self.at.year else f"from {published_at:%B}"


def _moved(one: Placed, place: int) -> Placed:
    return Placed(place, one.article_id, one.value, one.label, one.code, one.counted_in)
