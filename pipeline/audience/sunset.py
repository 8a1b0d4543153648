"""Whom to ask whether they still want our mail, by what people do and never by what machines open.

Only readers who agreed to be seen can be missed: whoever is counted without a name, or not at all, is never judged. No
subscription ends here: who was asked and stays silent rests (`recipients.RESTING`) for the newsletters that judge
silence, until anything is seen of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest
from django.db.models.query import QuerySet

from pipeline.audience.models import Consent, Subscriber, Subscription, Suppression

UNSEEN_DAYS = 180
ANSWER_DAYS = 30
ANSWER = timedelta(days=ANSWER_DAYS)
#: When they last were, or let us begin to look; PostgreSQL passes over what is NULL.
_SEEN = Greatest("last_human_at", "tracking_at")


def unseen(*, topics: Iterable[int], now: datetime, days: int = UNSEEN_DAYS) -> QuerySet[Subscriber]:
    """Readers not seen for so long and not asked since, longest unseen first.

    `topics` are those whose newsletters follow clicks: who follows none of them for as long cannot have been seen.
    """
    before = now - timedelta(days=days)
    follows = Subscription.objects.filter(
        subscriber_id=OuterRef("id"), topic_id__in=list(topics), left_at=None, since__lt=before
    )
    return (
        _visible()
        .annotate(seen=_SEEN)
        .filter(Exists(follows), seen__lt=before, tracking_at__lt=before)
        .filter(Q(asked_again_at=None) | Q(asked_again_at__lt=F("seen")))
        .order_by("seen", "id")
    )


@transaction.atomic
def note_asked(*, subscriber_ids: Iterable[int], origin: str, now: datetime) -> int:
    """The letters that ask have left; how many readers that were not waiting for one already."""
    waiting = Q(asked_again_at__gt=now - timedelta(days=ANSWER_DAYS))
    rows = Subscriber.objects.select_for_update().filter(id__in=list(subscriber_ids)).exclude(waiting).order_by("id")
    fresh = [row.id for row in rows]
    Subscriber.objects.filter(id__in=fresh).update(asked_again_at=now)
    Consent.objects.bulk_create(Consent(subscriber_id=pk, at=now, act="asked again", origin=origin) for pk in fresh)
    return len(fresh)


@transaction.atomic
def stay(*, subscriber_id: int, origin: str, network: str, now: datetime) -> None:
    """A reader says that our mail is still wanted; kept as evidence."""
    Subscriber.objects.filter(id=subscriber_id).update(last_human_at=now)
    Consent.objects.create(
        subscriber_id=subscriber_id, at=now, act="stays", origin=origin[:120], network=network, form="still"
    )


def is_silent(subscriber_id: int, *, now: datetime) -> bool:
    """Whether this reader rests wherever silence is judged."""
    return silent(now=now).filter(id=subscriber_id).exists()


def silent(*, now: datetime, days: int = ANSWER_DAYS) -> QuerySet[Subscriber]:
    """Readers who were asked that long ago and were not seen since."""
    asked = _visible().annotate(seen=_SEEN).filter(asked_again_at__lte=now - timedelta(days=days))
    return asked.filter(seen__lt=F("asked_again_at")).order_by("id")


def _visible() -> QuerySet[Subscriber]:
    """Readers mail can reach, and whose acts we may see."""
    gone = Suppression.objects.filter(address_hash=OuterRef("address_hash"))
    return Subscriber.objects.filter(
        ~Exists(gone), state=Subscriber.State.ACTIVE, tracking=Subscriber.Tracking.CONSENTED, tracking_at__isnull=False
    )
