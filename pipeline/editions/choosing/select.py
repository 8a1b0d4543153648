"""Which article goes where, and why; and why not, for every one that was left out.

What a person placed stands where it was put. Blocks then choose in the order they are read, except that More on this
and Most Popular choose last: they fill with what the edition does not carry already. Reasons are codes with
parameters; words are found at display.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.editions.choosing import bars
from pipeline.editions.choosing.bars import Candidate, Frame, iso
from pipeline.editions.choosing.rules import GIVEN, LAST, POPULAR, RELATED, Fallback, Order, Rule

__all__ = ["POPULAR", "Candidate", "Choice", "Frame", "Placed", "Rule", "Selection", "Shortfall", "choose", "select"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One article's fate. `position` is 0 where it was left out."""

    article_id: int
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    block: int | None = None
    position: int = 0
    label: str = ""
    pinned: bool = False
    carried: int = 0  #: editions it has waited for room, this one included

    @property
    def picked(self) -> bool:
        """Whether it is in."""
        return self.position > 0

    @property
    def is_news(self) -> bool:
        """Whether it is in because it is new, rather than because readers liked it or a story points to it."""
        return self.picked and self.code not in {"popular", "related", "evergreen", "filled_by_popular"}


@dataclass(frozen=True, slots=True)
class Placed:
    """What a person decided of one article: a place (from 1) in a block, or, with `block` None, to leave it out."""

    article_id: int
    block: int | None
    position: int = 1


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A block that found fewer than its minimum, and what was done about it."""

    block: int
    title: str
    found: int
    minimum: int
    fallback: Fallback


@dataclass(frozen=True, slots=True)
class Selection:
    """All choices, placed ones first in reading order, and the blocks that came up short."""

    choices: tuple[Choice, ...]
    shortfalls: tuple[Shortfall, ...] = ()

    @property
    def news(self) -> int:
        """How many stories are in because they are new."""
        return sum(choice.is_news for choice in self.choices)


def select(
    candidates: Sequence[Candidate], *, rules: Sequence[Rule], frame: Frame, placed: Sequence[Placed] = ()
) -> list[Choice]:
    """The choices of `choose`."""
    return list(choose(candidates, rules=rules, frame=frame, placed=placed).choices)


def choose(
    candidates: Sequence[Candidate],
    *,
    rules: Sequence[Rule],
    frame: Frame,
    placed: Sequence[Placed] = (),
    at_least: int = 0,
) -> Selection:
    """Choose. Every candidate is answered exactly once: placed with a reason, or left out with one.

    With `at_least`, evergreens and then what readers liked make up the number in the last block of news.
    """
    edition = _Edition(candidates, rules=rules, frame=frame, placed=placed)
    for rule in sorted(edition.rules, key=lambda rule: LAST.index(rule.kind) + 1 if rule.kind in LAST else 0):
        edition.fill(rule)
    edition.make_up(at_least)
    chosen = sorted(edition.chosen, key=lambda c: (c.block or 0, c.position))
    left = [edition.why_not(candidate) for candidate in edition.open.values()]
    return Selection((*chosen, *edition.left_out, *left), tuple(edition.shortfalls))


class _Edition:
    """An edition while it is being filled."""

    def __init__(
        self, candidates: Sequence[Candidate], *, rules: Sequence[Rule], frame: Frame, placed: Sequence[Placed]
    ) -> None:
        self.open = {c.article_id: c for c in sorted(candidates, key=_newest_first)}
        self.rules = [rule for rule in sorted(rules, key=lambda rule: rule.position) if rule.kind not in GIVEN]
        self.frame = frame
        self.chosen: list[Choice] = []
        self.left_out: list[Choice] = []
        self.shortfalls: list[Shortfall] = []
        self._pins: dict[int, list[Placed]] = {}
        self._heed(placed)

    def _heed(self, placed: Sequence[Placed]) -> None:
        """A person's word comes first; only a killed story cannot be placed."""
        blocks = {rule.position for rule in self.rules}
        for pin in sorted({pin.article_id: pin for pin in placed}.values(), key=lambda pin: pin.position):
            candidate = self.open.get(pin.article_id)
            if candidate is None or candidate.killed:
                continue
            if pin.block is None:
                self.left_out.append(Choice(article_id=pin.article_id, code="left_out", pinned=True))
                del self.open[pin.article_id]
            elif pin.block in blocks:
                self._pins.setdefault(pin.block, []).append(pin)

    def fill(self, rule: Rule) -> None:
        """Choose a block's stories: those a person placed where they were put, the rest round them by rule."""
        pins = [pin for pin in self._pins.get(rule.position, []) if pin.article_id in self.open]
        held = {pin.article_id for pins in self._pins.values() for pin in pins}
        free = [c for c in self.open.values() if c.article_id not in held]
        room = max(rule.count - len(pins), 0)
        found = self._found(rule, free, room=room)
        short = rule.minimum - len(found) - len(pins)
        if short > 0:
            found = self._made_up(rule, free, found, short=short)
        if short > 0 and rule.fallback is Fallback.SKIP and not pins:
            found = []
        self._place(rule, pins, found)

    def _found(self, rule: Rule, free: Sequence[Candidate], *, room: int) -> list[Choice]:
        if rule.kind == POPULAR:
            return _popular(free, room=room)
        if rule.kind == RELATED:
            return _related(free, room=room, to=self._related())
        return _fitting(free, rule, self.frame, room=room)

    def _related(self) -> tuple[int, ...]:
        """What the first story of the edition points to."""
        first = min(self.chosen, key=lambda c: (c.block or 0, c.position), default=None)
        return first.params.get("points_to", ()) if first else ()

    def _made_up(self, rule: Rule, free: Sequence[Candidate], found: list[Choice], *, short: int) -> list[Choice]:
        """A block below its minimum, helped by its fallback and reported either way."""
        self.shortfalls.append(Shortfall(rule.position, rule.title, rule.minimum - short, rule.minimum, rule.fallback))
        taken = {choice.article_id for choice in found}
        rest = [c for c in free if c.article_id not in taken]
        if rule.fallback is Fallback.EVERGREEN:
            return [*found, *_evergreens(rest, rule, room=short)]
        if rule.fallback is Fallback.POPULAR:
            return [*found, *(replace(c, code="filled_by_popular") for c in _popular(rest, room=short))]
        return found

    def _place(self, rule: Rule, pins: Sequence[Placed], found: Sequence[Choice]) -> None:
        order: list[Choice] = list(found)
        for pin in pins:
            candidate = self.open[pin.article_id]
            choice = Choice(article_id=pin.article_id, code="placed", pinned=True, label=_label(candidate))
            order.insert(min(pin.position, len(order) + 1) - 1, choice)
        for number, choice in enumerate(order, start=1):
            related = self.open[choice.article_id].related
            points = {"points_to": list(related)} if related and number == 1 and rule.is_news else {}
            self.chosen.append(
                replace(choice, block=rule.position, position=number, params={**choice.params, **points})
            )
            del self.open[choice.article_id]

    def make_up(self, at_least: int) -> None:
        """Add to the last block of news what makes the edition long enough, if anything does."""
        short = at_least - sum(choice.is_news for choice in self.chosen)
        last = next((rule for rule in reversed(self.rules) if rule.is_news), None)
        if short <= 0 or last is None:
            return
        anything = Rule(position=last.position, kind=last.kind)
        found = _evergreens(self.open.values(), anything, room=short)
        taken = {choice.article_id for choice in found}
        rest = [c for c in self.open.values() if c.article_id not in taken]
        found += [replace(c, code="filled_by_popular") for c in _popular(rest, room=short - len(found))]
        filled = sum(choice.block == last.position for choice in self.chosen)
        for number, choice in enumerate(found, start=filled + 1):
            self.chosen.append(replace(choice, block=last.position, position=number))
            del self.open[choice.article_id]

    def why_not(self, c: Candidate) -> Choice:
        """Why a candidate is in no block."""
        fault = bars.barred(c, self.frame)
        if fault is None:
            fault = self._no_place(c)
        code, params = fault
        waited = c.carried + 1 if code == "no_room" else 0
        if waited > self.frame.carry_editions:
            code, params = "waited_too_long", {"editions": waited}
        return Choice(article_id=c.article_id, code=code, params=params, carried=waited)

    def _no_place(self, c: Candidate) -> tuple[str, dict[str, Any]]:
        misfits = [(rule, bars.misfit(c, rule, self.frame)) for rule in self.rules if rule.is_news]
        full = next((rule for rule, misfit in misfits if misfit is None), None)
        if full is None:
            return next((misfit for _, misfit in misfits if misfit is not None), ("no_block", {}))
        filled = sum(1 for choice in self.chosen if choice.block == full.position)
        if not filled:
            return "block_left_out", {"block": full.position, "title": full.title}
        return "no_room", {"block": full.position, "title": full.title, "count": filled}


def _newest_first(candidate: Candidate) -> tuple[float, int]:
    return (-candidate.news_at.timestamp(), candidate.article_id)


def _label(candidate: Candidate) -> str:
    return "Update" if candidate.sent_at and candidate.version > candidate.sent_version else ""


def _popular(candidates: Iterable[Candidate], *, room: int) -> list[Choice]:
    ranked = sorted(
        (c for c in candidates if c.popular_place is not None and not c.killed),
        key=lambda c: (c.popular_place, c.article_id),
    )
    return [
        Choice(
            article_id=c.article_id,
            code="popular",
            params={"place": c.popular_place, "window": c.popular_window},
            label=c.popular_label,
        )
        for c in ranked[:room]
    ]


def _related(candidates: Iterable[Candidate], *, room: int, to: Sequence[int]) -> list[Choice]:
    """What a story's own page points to, in its order, as far as we know it and it lives."""
    living = {c.article_id: c for c in candidates if not c.killed}
    found = [living[article_id] for article_id in dict.fromkeys(to) if article_id in living]
    return [Choice(article_id=c.article_id, code="related", params={}) for c in found[:room]]


def _evergreens(candidates: Iterable[Candidate], rule: Rule, *, room: int) -> list[Choice]:
    """What an editor marked as good at any time, and this newsletter has not carried: the longest unseen first."""
    good = [c for c in candidates if c.is_evergreen and not c.killed and c.sent_at is None]
    fitting = [c for c in good if bars.misfit(c, replace(rule, most_age_h=None), None) is None]
    ordered = sorted(fitting, key=lambda c: (c.news_at, c.article_id))
    return [Choice(article_id=c.article_id, code="evergreen", params={}) for c in ordered[:room]]


def _fitting(candidates: Iterable[Candidate], rule: Rule, frame: Frame, *, room: int) -> list[Choice]:
    open_ = [c for c in candidates if bars.barred(c, frame) is None and bars.misfit(c, rule, frame) is None]
    open_.sort(key=_ordering(rule.order))
    chosen, relaxed = _within_limits(open_, rule, room=room)
    return [
        _picked(c, rule, frame, rank=n, of=len(open_), relaxed=relaxed.get(c.article_id))
        for n, c in enumerate(chosen, 1)
    ]


def _picked(c: Candidate, rule: Rule, frame: Frame, *, rank: int, of: int, relaxed: dict[str, Any] | None) -> Choice:
    params: dict[str, Any] = {"rank": rank, "of": of, "sections": list(rule.sections)}
    if rule.order is not Order.NEWEST:
        params["order"] = rule.order.value
    if relaxed:
        params["relaxed"] = relaxed
    if c.alerted_at:
        params["alerted"] = iso(c.alerted_at)
    code = "developed" if c.sent_at else "carried" if bars.is_carried(c, frame) else "newest"
    return Choice(article_id=c.article_id, code=code, params=params, label=_label(c))


def _ordering(order: Order) -> Any:
    return {
        Order.NEWEST: _newest_first,
        Order.OLDEST: lambda c: (c.news_at.timestamp(), c.article_id),
        Order.POPULAR: lambda c: (c.popular_place is None, c.popular_place or 0, *_newest_first(c)),
        Order.LONGEST: lambda c: (-c.words, *_newest_first(c)),
    }[order]


def _within_limits(
    fitting: Sequence[Candidate], rule: Rule, *, room: int
) -> tuple[list[Candidate], dict[int, dict[str, Any]]]:
    """The first that keep the limits; where that leaves places empty the limits give way, and which did is said."""
    authors, sections = Counter[str](), Counter[str]()
    chosen: list[Candidate] = []
    spare: list[tuple[Candidate, dict[str, Any]]] = []
    for candidate in fitting:
        author = next(iter(candidate.authors), "")
        section = candidate.sections[-1] if candidate.sections else ""
        over = _over("per_author", author, authors, rule.per_author) or _over(
            "per_section", section, sections, rule.per_section
        )
        if over:
            spare.append((candidate, over))
            continue
        chosen.append(candidate)
        authors[author] += 1
        sections[section] += 1
    kept = chosen[:room]
    added = spare[: max(room - len(kept), 0)]
    return [*kept, *(candidate for candidate, _ in added)], {c.article_id: over for c, over in added}


def _over(name: str, value: str, counts: Counter[str], limit: int | None) -> dict[str, Any] | None:
    return {"limit": name, "name": value, "most": limit} if limit and value and counts[value] >= limit else None
