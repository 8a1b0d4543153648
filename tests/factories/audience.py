"""Readers. Cleo is the one with a name."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count as counter

from pipeline.audience import counts
from pipeline.audience.models import Subscriber, Subscription, Topic
from pipeline.audience.subscribe import hash_of

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
_numbers = counter(1)


def topic(*, slug: str = "morning-brief", name: str = "Morning Brief") -> Topic:
    """The topic of that slug; asking twice gives the same one."""
    return Topic.objects.get_or_create(slug=slug, defaults={"name": name})[0]


def subscriber(
    *, address: str = "cleo@example.org", follows: Topic | None = None, now: datetime = NOW, **fields: str
) -> Subscriber:
    """An active reader, who follows a topic where one is given."""
    known = {"state": Subscriber.State.ACTIVE.value, **fields}
    reader = Subscriber.objects.create(address=address, address_hash=hash_of(address), created_at=now, **known)
    if follows is not None:
        Subscription.objects.create(subscriber=reader, topic=follows, since=now)
    return reader


def cleo(*, follows: Topic | None = None) -> Subscriber:
    """The reader."""
    return subscriber(name="Cleo", follows=follows)


def readers(*, count: int, follows: Topic, now: datetime = NOW) -> list[Subscriber]:
    """Many of them, in two statements."""
    addresses = [f"reader-{next(_numbers)}@example.net" for _ in range(count)]
    made = Subscriber.objects.bulk_create(
        Subscriber(address=a, address_hash=hash_of(a), state=Subscriber.State.ACTIVE, created_at=now) for a in addresses
    )
    Subscription.objects.bulk_create(Subscription(subscriber=reader, topic=follows, since=now) for reader in made)
    return made


def reach(*, topic_id: int) -> int:
    """How many readers an edition of the topic would be frozen for."""
    return counts.count(topic_id=topic_id, segment=None, slot_at=NOW, now=NOW)
