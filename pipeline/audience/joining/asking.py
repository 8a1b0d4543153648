"""Somebody asks to join: evidence is kept, and a letter waits for delivery. Whoever asks is told the same, always."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from pipeline.audience.models import Confirmation, Consent, Subscriber, Suppression, Topic
from pipeline.audience.subscribe import hash_of
from pipeline.kernel.queue import Job, wake

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,80}")
VALID = timedelta(days=7)
DAY = timedelta(days=1)
#: Letters one address can be made to receive in a day; of those that tell a reader nothing new, one.
MOST_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form said. `address` is as `policy.usable` spelled it; `network` is cut to /24 or /48."""

    address: str
    topic_ids: tuple[int, ...]
    form: str  #: page, frame, site (a form on somebody's own page) or api
    origin: str
    network: str
    language: str
    wording: str
    wording_version: str


@transaction.atomic
def ask_to_join(wish: Wish, *, now: datetime) -> Confirmation | None:
    """Keep the wish and let a letter be written, unless the address has had its letters for today or is barred.

    As many statements whatever comes of it: how long the answer takes must not tell what the answer does not.
    """
    reader = _reader(wish, now=now)
    barred, had_enough = is_barred(reader), _had_enough(reader, wish, now=now)
    waiting = Confirmation.objects.filter(subscriber=reader, sent_at=None, expires_at__gt=now).first()
    if barred or (waiting is None and had_enough):
        Consent.objects.filter(id=0).update(act="asked")
        Confirmation.objects.filter(id=0).update(form="")
        return None
    _keep_evidence(reader, wish, now=now)
    if waiting is not None:
        waiting.topics = sorted({*waiting.topics, *wish.topic_ids})
        waiting.save(update_fields=["topics"])
        return waiting
    made = Confirmation.objects.create(
        token_hash=secrets.token_bytes(16),  # the letter's token is drawn when it is written
        subscriber=reader, topics=sorted(set(wish.topic_ids)), form=wish.form, language=wish.language,
        created_at=now, expires_at=now + VALID,
    )  # fmt: skip
    wake(Job.DELIVERY_CONFIRM, confirmation_id=made.id)
    return made


def _reader(wish: Wish, *, now: datetime) -> Subscriber:
    """The row of the address, found or made, and ours until the transaction ends."""
    new = Subscriber(
        address=wish.address, address_hash=hash_of(wish.address), created_at=now, language=wish.language
    )  # fmt: skip
    Subscriber.objects.bulk_create([new], ignore_conflicts=True)
    return Subscriber.objects.select_for_update().get(address=wish.address)


def offered(slugs: Collection[str] | None = None) -> list[Topic]:
    """The topics anybody may join: newsletters first; only those of these slugs where some are given."""
    rows = Topic.objects.filter(is_offered=True).order_by("kind", "name")
    if slugs is not None:
        rows = rows.filter(slug__in=[slug for slug in list(slugs)[:100] if _SLUG.fullmatch(slug)])
    return list(rows)


def is_barred(reader: Subscriber) -> bool:
    """Whether mail must not go there whatever anybody asks: it bounced, was reported, or a person said so."""
    barred = Suppression.objects.filter(address_hash=bytes(reader.address_hash))
    return barred.exclude(reason=Suppression.Reason.LEFT_ALL).exists()


def follows_all(reader_id: int, topic_ids: Collection[int]) -> bool:
    """Whether a reader already gets all of these."""
    rows = Subscriber.objects.filter(id=reader_id, state=Subscriber.State.ACTIVE, subscriptions__left_at=None)
    return rows.filter(subscriptions__topic_id__in=topic_ids).distinct().values(
        "subscriptions__topic_id"
    ).count() == len(set(topic_ids))


def _had_enough(reader: Subscriber, wish: Wish, *, now: datetime) -> bool:
    letters = Confirmation.objects.filter(subscriber=reader, created_at__gt=now - DAY).count()
    return letters >= (1 if follows_all(reader.id, wish.topic_ids) else MOST_LETTERS)


def _keep_evidence(reader: Subscriber, wish: Wish, *, now: datetime) -> None:
    Consent.objects.bulk_create(
        Consent(
            subscriber=reader, topic_id=topic_id, at=now, act="asked", origin=wish.origin[:120], wording=wish.wording,
            wording_version=wish.wording_version, network=wish.network, form=wish.form,
        )
        for topic_id in sorted(set(wish.topic_ids))
    )  # fmt: skip
