"""A letter is taken to be written, and its token, once, makes a subscription."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models.query import QuerySet

from pipeline.audience import subscribe
from pipeline.audience.joining.asking import follows_all, is_barred
from pipeline.audience.models import Confirmation, Subscriber, Topic

#: How long a link is told to be used or old; after it, nobody knows it.
KEPT = timedelta(days=30)
PORTION = 5_000
_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")


class State(StrEnum):
    """What a confirmation link can still do."""

    OPEN = "open"
    USED = "used"
    OLD = "old"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter needs. Its token exists nowhere else: the row keeps a hash."""

    token: str
    reader_id: int
    address: str
    language: str
    topic_ids: tuple[int, ...]
    names: tuple[str, ...]
    expires_at: datetime
    is_known: bool  #: the reader already gets all of it: there is nothing to confirm


@dataclass(frozen=True, slots=True)
class Found:
    """What stands behind a confirmation link."""

    state: State
    reader_id: int = 0
    address: str = ""
    language: str = ""
    names: tuple[str, ...] = ()
    expires_at: datetime | None = None


def take(*, confirmation_id: int, now: datetime) -> Letter | None:
    """Claim a letter that was not sent; None if another process has it, or it is too late.

    A process that dies with it loses it: the reader asks again, which is better than two letters with two tokens.
    """
    token = secrets.token_urlsafe(16)
    rows = Confirmation.objects.filter(id=confirmation_id, sent_at=None, used_at=None, expires_at__gt=now)
    if not rows.update(sent_at=now, token_hash=_hash(token)):
        return None
    row = Confirmation.objects.select_related("subscriber").get(id=confirmation_id)
    return Letter(
        token=token, reader_id=row.subscriber_id, address=row.subscriber.address, language=row.language,
        topic_ids=tuple(row.topics), names=_names(row), expires_at=row.expires_at,
        is_known=follows_all(row.subscriber_id, row.topics),
    )  # fmt: skip


def give_back(*, confirmation_id: int) -> None:
    """The letter could not leave: the next sweep tries again."""
    Confirmation.objects.filter(id=confirmation_id, used_at=None).update(sent_at=None)


def unsent(*, now: datetime) -> list[int]:
    """Letters nobody has taken within seconds of their making."""
    rows = Confirmation.objects.filter(sent_at=None, created_at__lt=now - timedelta(seconds=10), expires_at__gt=now)
    return list(rows.order_by("created_at").values_list("id", flat=True)[:500])


def found(token: str, *, now: datetime) -> Found:
    """What a link means now. Reading changes nothing."""
    row = _row(token)
    return _found(row, now=now) if row else Found(State.UNKNOWN)


@transaction.atomic
def confirm(token: str, *, origin: str, network: str, now: datetime) -> Found:
    """Use a link: what it was just before. Only an OPEN one does anything; repeating finds it USED."""
    row = _row(token)
    if row is None:
        return Found(State.UNKNOWN)
    before = _found(row, now=now)
    used = Confirmation.objects.filter(id=row.id, used_at=None, expires_at__gt=now).update(used_at=now)
    if before.state != State.OPEN or not used:
        return _found(_row(token) or row, now=now)
    Subscriber.objects.filter(id=row.subscriber_id, state=Subscriber.State.PENDING).update(language=row.language)
    if not is_barred(row.subscriber):
        subscribe.lift_leaving(subscriber_id=row.subscriber_id)
    for topic_id in Topic.objects.filter(id__in=row.topics).order_by("id").values_list("id", flat=True):
        subscribe.confirm(
            subscriber_id=row.subscriber_id, topic_id=topic_id, origin=origin, now=now, network=network, form=row.form
        )
    return before


def forget(*, now: datetime) -> int:
    """Delete letters long over, and addresses whose owner never confirmed, a week after their last; how many of these.

    Consents are the evidence and stay. A link is answered as used or old for as long as its letter is kept.
    """
    over = Confirmation.objects.filter(expires_at__lt=now - KEPT).order_by("id")
    Confirmation.objects.filter(id__in=list(over.values_list("id", flat=True)[:PORTION])).delete()
    stale = Subscriber.objects.filter(state=Subscriber.State.PENDING, created_at__lt=now - timedelta(days=7))
    stale = stale.filter(subscriptions=None).exclude(confirmations__expires_at__gt=now).filter(consents__act="asked")
    return _forgotten(stale)


@transaction.atomic
def _forgotten(stale: QuerySet[Subscriber]) -> int:
    """Looked at again under their locks: who asks once more just now is waiting for a letter."""
    ids = list(stale.values_list("id", flat=True)[:1000])
    list(Subscriber.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id"))
    still = list(stale.filter(id__in=ids).values_list("id", flat=True))
    return Subscriber.objects.filter(id__in=still).delete()[1].get("dateline.Subscriber", 0)


def _row(token: str) -> Confirmation | None:
    if not _SHAPE.fullmatch(token):
        return None
    return Confirmation.objects.select_related("subscriber").filter(token_hash=_hash(token)).first()


def _found(row: Confirmation, *, now: datetime) -> Found:
    state = State.USED if row.used_at else State.OPEN if row.expires_at > now else State.OLD
    return Found(state, row.subscriber_id, row.subscriber.address, row.language, _names(row), row.expires_at)


def _names(row: Confirmation) -> tuple[str, ...]:
    return tuple(Topic.objects.filter(id__in=row.topics).order_by("kind", "name").values_list("name", flat=True))


def _hash(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=16, person=b"dl-confirm").digest()
