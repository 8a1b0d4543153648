"""How this newsroom counts: one row or the defaults, in whole numbers and in sentences, changed with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from pipeline.engagement import tally
from pipeline.kernel.queue import Job, wake
from pipeline.ranking.models import Method
from pipeline.ranking.shape import Limits
from pipeline.staff.journal import note
from pipeline.staff.models import Role, User

CHANNELS: Mapping[str, str] = {"email": "mail", "social": "posts", "site": "the site"}
BOX = tally.BOX
LOCK = 0x6D_65_74_68
CHANGED_SINCE = "Somebody changed how we count since you looked. Nothing was changed: look at it again."
MOST_WEIGHT, MOST_CAP, MOST_DAYS, MOST_OF_SECTION = 10, 1000, 3650, 10


class Refused(Exception):
    """The method stays as it is; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Counting:
    """The method in force."""

    weights: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 1))
    box_weight: int = 0
    age_cap_days: int | None = None
    per_section: int = 3
    network_cap: int = tally.NETWORK_CAP

    def by_channel(self) -> dict[str, int]:
        """Weights of what the tallies hold. A click in our own box is the list's echo: by default it weighs nothing."""
        return {**self.weights, BOX: self.box_weight * self.weights.get("site", 1)}

    def limits(self) -> Limits:
        """What shaping asks: at most `per_section` of one section among ten, one fewer among the first five."""
        cap = None if self.age_cap_days is None else timedelta(days=self.age_cap_days)
        return Limits(shares=((5, max(1, self.per_section - 1)), (10, self.per_section)), age_cap=cap)

    def sentences(self) -> list[str]:
        """The method as a reader or an editor may read it."""
        return [
            "A person, an article and a day make one vote: the first click that was judged to be a human’s.",
            _weighing(self.weights),
            "A click in our own Most Popular box "
            + ("counts like one on the site." if self.box_weight else "does not count: the list must not feed itself."),
            f"At most {self.network_cap} votes outside mail count from one network for one article in one hour.",
            "An old story is labelled with its month or year, and must lead its window twofold to stand in it."
            if self.age_cap_days is None
            else f"A story older than {_days(self.age_cap_days)} stands only where an editor pins it.",
            f"At most {self.per_section} of one section stand among ten.",
            "Opens never count.",
        ]


def current() -> Counting:
    """What the row says, or the defaults where there is none. One query."""
    row = Method.objects.order_by("id").first()
    if row is None:
        return Counting()
    weights = {name: int(row.weights.get(name, 1)) for name in CHANNELS}
    return Counting(weights, row.box_weight, row.age_cap_days, row.per_section, row.network_cap)


@transaction.atomic
def change(*, to: Counting, actor: User, now: datetime, reason: str, seen: Counting | None = None) -> str:
    """Count otherwise from now on; the sentence to show. Raises Refused. A new network cap counts everything again.

    `seen` is how we counted when somebody looked; None looks at nothing.
    """
    if actor.role not in {Role.HEAD, Role.ADMIN} or not actor.is_active:
        raise Refused("Only a desk head or an administrator changes how we count. Nothing was changed.")
    if not reason.strip():
        raise Refused("Say why, in a few words: readers may ask. Nothing was changed.")
    _check(to)
    before = current()
    if before == to:
        return "This is how we count already. Nothing was changed."
    if seen is not None and seen != before:
        raise Refused(CHANGED_SINCE)
    _alone()
    if current() != before:
        raise Refused(CHANGED_SINCE)
    row = Method.objects.order_by("id").first() or Method()
    row.weights, row.box_weight, row.age_cap_days = dict(to.weights), to.box_weight, to.age_cap_days
    row.per_section, row.network_cap, row.changed_at = to.per_section, to.network_cap, now
    row.save()
    if before.network_cap != to.network_cap:
        tally.rebuild()
    note(
        verb="change_method", subject="method", subject_id=row.id, actor=actor, now=now, reason=reason.strip(),
        before=_plain(before), after=_plain(to),
    )  # fmt: skip
    wake(Job.RANKING_REFRESH)
    return "Changed: the lists are counted this way from now on."


def _alone() -> None:
    """One change at a time: counting everything again takes its while, and whoever waited for it would lay another
    cap down beside counts of this one. There may be no row to lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _check(to: Counting) -> None:
    whole = [
        ("A weight", MOST_WEIGHT, 0, list(to.weights.values())),
        ("The weight of our own box", 1, 0, [to.box_weight]),
        ("Votes of one network", MOST_CAP, 1, [to.network_cap]),
        ("Stories of one section", MOST_OF_SECTION, 1, [to.per_section]),
        ("The age", MOST_DAYS, 1, [to.age_cap_days or 1]),
    ]
    for words, most, least, values in whole:
        if any(not least <= value <= most for value in values):
            raise Refused(f"{words} is a whole number from {least} to {most}. Nothing was changed.")
    if set(to.weights) != set(CHANNELS) or not any(to.weights.values()):
        raise Refused("At least one channel must count. Nothing was changed.")


def _weighing(weights: Mapping[str, int]) -> str:
    if len(set(weights.values())) == 1:
        return "A vote weighs the same wherever it was made."
    said = ", ".join(f"from {words} {weights.get(name, 1)}" for name, words in CHANNELS.items())
    return f"A vote weighs: {said}."


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number} days"


def _plain(counting: Counting) -> dict[str, object]:
    return {
        "weights": dict(counting.weights),
        "box_weight": counting.box_weight,
        "age_cap_days": counting.age_cap_days,
        "per_section": counting.per_section,
        "network_cap": counting.network_cap,
    }
