"""Joining and leaving."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from pipeline.audience.addresses import address_hash, normal
from pipeline.audience.models import Consent, Subscriber, Subscription, Suppression, Topic
from pipeline.hooks.tell import tell
from pipeline.kernel.config import config


def hash_of(address: str) -> bytes:
    """The suppression key of a normal address, under this installation's secret."""
    return address_hash(address, key=config().founding_secret.encode())


@transaction.atomic
def ask(*, address: str, topic: Topic, origin: str, now: datetime, wording: str = "", network: str = "") -> Subscriber:
    """Note that someone asked to follow a topic; nothing is mailed before `confirm`. Raises NotAnAddress."""
    spelled = normal(address)
    reader, _ = Subscriber.objects.get_or_create(
        address=spelled, defaults={"address_hash": hash_of(spelled), "created_at": now}
    )
    Consent.objects.create(
        subscriber=reader, topic=topic, at=now, act="asked", origin=origin, wording=wording, network=network
    )
    return reader


@transaction.atomic
def confirm(
    *, subscriber_id: int, topic_id: int, origin: str, now: datetime, network: str = "", form: str = ""
) -> None:
    """The reader proved the address theirs: the subscription lives from now. Repeating it changes nothing."""
    Subscriber.objects.filter(id=subscriber_id, state=Subscriber.State.PENDING).update(state=Subscriber.State.ACTIVE)
    Subscriber.objects.filter(id=subscriber_id, joined_at=None).update(joined_at=now)
    Subscriber.objects.filter(id=subscriber_id).update(last_human_at=now)
    row, made = Subscription.objects.get_or_create(
        subscriber_id=subscriber_id, topic_id=topic_id, defaults={"since": now}
    )
    came_back = not made and row.left_at is not None
    if came_back:
        Subscription.objects.filter(id=row.id).update(left_at=None, since=now, paused_until=None)
    if made or came_back:
        Consent.objects.create(
            subscriber_id=subscriber_id, topic_id=topic_id, at=now, act="confirmed", origin=origin[:120],
            network=network, form=form,
        )  # fmt: skip
        _tell("reader.joined", topic_id=topic_id, form=form or origin, now=now)


@transaction.atomic
def leave(*, subscriber_id: int, topic_id: int, origin: str, now: datetime) -> bool:
    """End one subscription and no other; True if there was one to end."""
    ended = Subscription.objects.filter(subscriber_id=subscriber_id, topic_id=topic_id, left_at=None).update(
        left_at=now
    )
    if ended:
        Consent.objects.create(subscriber_id=subscriber_id, topic_id=topic_id, at=now, act="left", origin=origin)
        _tell("reader.left", topic_id=topic_id, form=origin, now=now)
    return bool(ended)


def _tell(event: str, *, topic_id: int, form: str, now: datetime) -> None:
    """Other programs hear that somebody did, never who."""
    tell(event=event, body={"topic": Topic.objects.get(id=topic_id).slug, "form": form[:80]}, now=now)


@transaction.atomic
def leave_all(*, subscriber_id: int, origin: str, now: datetime) -> int:
    """End every subscription and suppress the address, so that no import brings it back; how many ended."""
    reader = Subscriber.objects.get(id=subscriber_id)
    live = Subscription.objects.filter(subscriber=reader, left_at=None).order_by("topic_id")
    ended = [
        topic_id
        for topic_id in live.values_list("topic_id", flat=True)
        if leave(subscriber_id=reader.id, topic_id=topic_id, origin=origin, now=now)
    ]
    Suppression.objects.get_or_create(
        address_hash=bytes(reader.address_hash), defaults={"reason": Suppression.Reason.LEFT_ALL, "at": now}
    )
    return len(ended)


def lift_leaving(*, subscriber_id: int) -> bool:
    """A reader who left everything wants mail again; True if nothing else bars the address now."""
    mine = Suppression.objects.filter(address_hash=bytes(Subscriber.objects.get(id=subscriber_id).address_hash))
    mine.filter(reason=Suppression.Reason.LEFT_ALL).delete()
    return not mine.exists()


@transaction.atomic
def come_back(*, subscriber_id: int, topic_ids: Iterable[int], origin: str, now: datetime, network: str = "") -> bool:
    """Follow again what was once followed; False where mail to the address bounced or was reported: nothing changes."""
    once = Subscription.objects.filter(subscriber_id=subscriber_id, topic_id__in=list(topic_ids))
    ids = list(once.order_by("topic_id").values_list("topic_id", flat=True))
    if not ids or not lift_leaving(subscriber_id=subscriber_id):
        return False
    for topic_id in ids:
        confirm(subscriber_id=subscriber_id, topic_id=topic_id, origin=origin, now=now, network=network)
    return True


@transaction.atomic
def enrol(*, addresses: Iterable[str], topic: Topic, origin: str, now: datetime) -> int:
    """Enter readers who gave their consent elsewhere (an import). Repeating it is harmless; returns how many are new.

    A reader who left stays away: an import never brings back a subscription that has ended.
    """
    spelled = {normal(address) for address in addresses}
    Subscriber.objects.bulk_create(
        [
            Subscriber(address=a, address_hash=hash_of(a), created_at=now, state=Subscriber.State.ACTIVE)
            for a in sorted(spelled)
        ],
        ignore_conflicts=True,
    )
    readers = Subscriber.objects.filter(address__in=spelled).exclude(subscriptions__topic=topic)
    fresh = list(readers.values_list("id", flat=True))
    Subscription.objects.bulk_create(
        [Subscription(subscriber_id=pk, topic=topic, since=now) for pk in fresh], ignore_conflicts=True
    )
    Consent.objects.bulk_create(
        [Consent(subscriber_id=pk, topic=topic, at=now, act="imported", origin=origin) for pk in fresh]
    )
    return len(fresh)
