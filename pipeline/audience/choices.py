"""What a reader chose: read as a whole, changed as a whole, with every change kept as evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from django.db import transaction
from django.db.models import Q

from pipeline.audience import subscribe
from pipeline.audience.models import Consent, Subscriber, Subscription, Topic

#: The most mails a week each place of the dial lets through.
MOST_A_WEEK = {"daily": 7.0, "weekly": 1.0}


class Outdated(Exception):
    """The choices changed since the page was shown; nothing was saved."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One topic as a reader has it."""

    topic_id: int
    follows: bool
    pace: str = "every"
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """All of it. `wants_at` is on the reader's clock."""

    topics: tuple[Choice, ...]
    wants_at: time | None
    zone: str
    language: str
    tracking: str

    @property
    def version(self) -> str:
        """Changes with any choice."""
        return hashlib.blake2b(repr(self).encode(), digest_size=9).hexdigest()


def topics_for(subscriber_id: int) -> list[Topic]:
    """What a reader may choose of: everything offered, and what they follow already."""
    mine = Q(subscriptions__subscriber_id=subscriber_id, subscriptions__left_at=None)
    return list(Topic.objects.filter(Q(is_offered=True) | mine).distinct().order_by("kind", "name", "id"))


def choices_of(subscriber_id: int) -> Choices:
    """The choices as they stand."""
    reader = Subscriber.objects.get(id=subscriber_id)
    live = {row.topic_id: row for row in Subscription.objects.filter(subscriber=reader, left_at=None)}
    return Choices(
        topics=tuple(_choice(topic.id, live.get(topic.id)) for topic in topics_for(subscriber_id)),
        wants_at=reader.wants_at,
        zone=reader.zone,
        language=reader.language,
        tracking=reader.tracking,
    )


def a_week(per_week: float, choice: Choice) -> float:
    """Mails a week of a topic under one reader's dial."""
    return min(per_week, MOST_A_WEEK.get(choice.pace, per_week)) if choice.follows else 0.0


@transaction.atomic
def choose(
    *,
    subscriber_id: int,
    chosen: Choices,
    seen: str,
    last: Mapping[int, datetime],
    origin: str,
    network: str,
    now: datetime,
) -> bool:
    """Make the choices hold; True if anything differed. `seen` is the version the reader looked at. Raises Outdated.

    Saving what stands is a sign of life, and nothing else.

    `last` is the slot of the last edition of each topic this reader had: a dial turned down counts from there.
    """
    reader = Subscriber.objects.select_for_update().get(id=subscriber_id)
    before = choices_of(subscriber_id)
    if before == chosen:
        Subscriber.objects.filter(id=reader.id).update(last_human_at=now)
        return False
    if before.version != seen:
        raise Outdated
    was = {choice.topic_id: choice for choice in before.topics}
    for choice in chosen.topics:
        if choice.topic_id in was and choice != was[choice.topic_id]:
            _apply(reader, choice, was[choice.topic_id], last=last, origin=origin, network=network, now=now)
    for said in _changed(before, chosen):
        act = "tracking" if said.startswith("tracking") else "changed"
        _note(reader, act, said, origin=origin, network=network, now=now)
    tracking_at = now if before.tracking != chosen.tracking else reader.tracking_at
    Subscriber.objects.filter(id=reader.id).update(
        wants_at=chosen.wants_at, zone=chosen.zone, language=chosen.language, tracking=chosen.tracking,
        tracking_at=tracking_at, last_human_at=now,
    )  # fmt: skip
    return True


def _apply(
    reader: Subscriber, choice: Choice, was: Choice, *, last: Mapping[int, datetime], origin: str, network: str,
    now: datetime,
) -> None:  # fmt: skip
    if was.follows and not choice.follows:
        subscribe.leave(subscriber_id=reader.id, topic_id=choice.topic_id, origin=origin, now=now)
        return
    if choice.follows and not was.follows:
        subscribe.lift_leaving(subscriber_id=reader.id)
        subscribe.confirm(
            subscriber_id=reader.id, topic_id=choice.topic_id, origin=origin, now=now, network=network, form="choices"
        )
    rows = Subscription.objects.filter(subscriber=reader, topic_id=choice.topic_id, left_at=None)
    rows.update(pace=choice.pace, paused_until=choice.paused_until)
    if choice.pace != was.pace and choice.topic_id in last:
        rows.update(last_at=last[choice.topic_id])
    if choice.follows and (choice.pace, choice.paused_until) != (was.pace, was.paused_until):
        until = f", paused until {choice.paused_until:%Y-%m-%d %H:%M %Z}" if choice.paused_until else ""
        _note(
            reader, "changed", f"{choice.pace}{until}", origin=origin, network=network, now=now, topic=choice.topic_id
        )


def _changed(before: Choices, chosen: Choices) -> Iterator[str]:
    for name in ("wants_at", "zone", "language", "tracking"):
        old, new = getattr(before, name), getattr(chosen, name)
        if old != new:
            yield f"{name.removesuffix('_at')}: {new or 'none'}"


def _note(
    reader: Subscriber, act: str, said: str, *, origin: str, network: str, now: datetime, topic: int | None = None
) -> None:
    Consent.objects.create(
        subscriber=reader, topic_id=topic, at=now, act=act, origin=origin[:120], wording=said, network=network,
        form="choices",
    )  # fmt: skip


def _choice(topic_id: int, row: Subscription | None) -> Choice:
    if row is None:
        return Choice(topic_id, follows=False)
    return Choice(topic_id, follows=True, pace=row.pace, paused_until=row.paused_until)
