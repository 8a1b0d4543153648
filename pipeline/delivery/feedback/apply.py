"""Recording events: each once, and with it what it does to its delivery and its reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from pipeline.audience import subscribe
from pipeline.audience.models import Subscriber, Suppression
from pipeline.audience.suppress import suppress
from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.feedback import whose
from pipeline.delivery.feedback.events import SILENCE, WINDOW, Event, is_about_us, of_answer, worn_out
from pipeline.delivery.models import Delivery, Feedback
from pipeline.engagement.settle import BY_MACHINE, void_told
from pipeline.staff.journal import note

Kind = Feedback.Kind
_State = Delivery.State
_INSERT = """
INSERT INTO dateline_feedback (event, kind, way, delivery_id, address_hash, reason, status, said, at, noted_at)
SELECT * FROM unnest(%(event)s::text[], %(kind)s::text[], %(way)s::text[], %(delivery)s::bigint[], %(hash)s::bytea[],
                     %(reason)s::text[], %(status)s::text[], %(said)s::text[], %(at)s::timestamptz[], %(noted)s::timestamptz[])
ON CONFLICT (event) DO NOTHING RETURNING event
"""


def record(event: Event, *, now: datetime) -> bool:
    """Keep one event and do what it asks for; False if it was told before."""
    return record_all([event], now=now) == 1


def record_all(events: Iterable[Event], *, now: datetime) -> int:
    """Keep events and their effects in one transaction; returns how many are new. Repeating them changes nothing."""
    told = {event.id[:120]: event for event in events}
    if not told:
        return 0
    known = whose.found(list(told.values()))
    with transaction.atomic():
        fresh = _insert(told, known, now=now)
        # In the order of their addresses, so that two transactions never wait for each other's readers.
        for event in sorted((told[key] for key in fresh), key=lambda one: _address(one, known)):
            if event.id in known:
                delivery, proven = known[event.id]
                _take_effect(event, delivery, proven=proven, now=now)
        _machines([event for key in fresh if (event := told[key]).reason.startswith(BY_MACHINE)], known, now=now)
        _arrivals([event for key in fresh if (event := told[key]).kind == Kind.DELIVERED], known)
    return len(fresh)


def record_answers(receipts: Iterable[Receipt], *, now: datetime) -> int:
    """What servers said of readers while we were connected, in the caller's transaction and after their outcomes.

    A deferral counts once it is the last: its delivery has been given up.
    """
    listed = list(receipts)
    waiting = [receipt.key for receipt in listed if receipt.outcome is Outcome.DEFERRED]
    given_up = set(Delivery.objects.filter(id__in=waiting, state=_State.REFUSED).values_list("id", flat=True))
    told = [of_answer(receipt, at=now, last=receipt.key in given_up) for receipt in listed]
    return record_all([event for event in told if event], now=now)


def _insert(told: dict[str, Event], known: dict[str, tuple[Delivery, bool]], *, now: datetime) -> list[str]:
    rows = sorted(told.items())
    values: dict[str, list[Any]] = {
        "event": [_plain(key) for key, _ in rows],
        "kind": [event.kind for _, event in rows],
        "way": [event.way for _, event in rows],
        "delivery": [known[event.id][0].id if event.id in known else None for _, event in rows],
        "hash": [subscribe.hash_of(_address(event, known)) for _, event in rows],
        "reason": [_plain(event.reason)[:40] for _, event in rows],
        "status": [_plain(event.status)[:12] for _, event in rows],
        "said": [_plain(event.said)[:300] for _, event in rows],
        "at": [event.at for _, event in rows],
        "noted": [now] * len(rows),
    }
    by_row = {_plain(key): key for key, _ in rows}
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return [by_row[str(row[0])] for row in cursor.fetchall()]


def _address(event: Event, known: dict[str, tuple[Delivery, bool]]) -> str:
    found = known.get(event.id)
    return found[0].address.lower() if found else _plain(event.address).lower()


def _plain(text: str) -> str:
    """What PostgreSQL can hold: no NUL, no half of a character."""
    return "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode())


def _machines(events: list[Event], known: dict[str, tuple[Delivery, bool]], *, now: datetime) -> None:
    """Word that a machine opened or clicked may come after the verdict; where we saw nothing there is nothing to void."""
    proven = {known[event.id][0].id for event in events if event.id in known and known[event.id][1]}
    if proven:
        void_told(proven, now=now)


def _arrivals(events: list[Event], known: dict[str, tuple[Delivery, bool]]) -> None:
    """Word of a delivery settles a doubt; a provider brings it by the thousand."""
    proven = [known[event.id][0].id for event in events if event.id in known and known[event.id][1]]
    Delivery.objects.filter(id__in=proven, state=_State.UNKNOWN).update(state=_State.ACCEPTED)


def _take_effect(event: Event, delivery: Delivery, *, proven: bool, now: datetime) -> None:
    """What one event about a delivery of ours does to it and to its reader."""
    match event.kind:
        case Kind.COMPLAINT:
            _complained(event, delivery, now=now)
        case Kind.LEFT if proven:
            subscribe.leave(
                subscriber_id=delivery.subscriber_id,
                topic_id=delivery.send.edition.newsletter.topic_id,
                origin="provider",
                now=now,
            )
        case Kind.HARD | Kind.SOFT if not is_about_us(reason=event.reason, status=event.status):
            if event.kind == Kind.HARD and proven:
                _bounced(event, delivery, now=now)
            else:
                _soft(event, delivery, now=now)


def _complained(event: Event, delivery: Delivery, *, now: datetime) -> None:
    """Whoever calls our mail spam is never mailed again, whatever was known of the address before."""
    new = suppress(
        address=delivery.address, reason=Suppression.Reason.COMPLAINED, now=now, detail=event.reason or "complaint"
    )
    if not new:
        gone = Suppression.objects.filter(address_hash=subscribe.hash_of(delivery.address.lower()))
        gone.filter(reason=Suppression.Reason.BOUNCED).update(reason=Suppression.Reason.COMPLAINED)
    _move(delivery, from_=[_State.ACCEPTED, _State.UNKNOWN, _State.BOUNCED], to=_State.COMPLAINED)
    note(verb="complain", subject="delivery", subject_id=delivery.id, now=now, reason=event.reason[:100], way=event.way)


def _bounced(event: Event, delivery: Delivery, *, now: datetime) -> None:
    suppress(
        address=delivery.address,
        reason=Suppression.Reason.BOUNCED,
        now=now,
        detail=f"{event.reason} {event.status}".strip(),
    )
    _move(delivery, from_=[_State.ACCEPTED, _State.UNKNOWN], to=_State.BOUNCED)


def _soft(event: Event, delivery: Delivery, *, now: datetime) -> None:
    """Count; one transaction at a time for each reader, so that two halves of the last straw are both seen."""
    Subscriber.objects.select_for_update().filter(id=delivery.subscriber_id).first()
    softs, arrived = _softs(delivery, now=now), _arrived(delivery, now=now)
    if worn_out(softs, arrived=arrived):
        suppress(
            address=delivery.address,
            reason=Suppression.Reason.BOUNCED,
            now=now,
            detail=f"came back {len(softs)} times in {WINDOW.days} days: {event.reason}",
        )


def _softs(delivery: Delivery, *, now: datetime) -> list[tuple[datetime, object]]:
    """When each mail left that came back softly, though nobody said that it had arrived."""
    rows = Feedback.objects.filter(
        address_hash=subscribe.hash_of(delivery.address.lower()),
        kind__in=[Kind.SOFT, Kind.HARD],
        at__gte=now - WINDOW - SILENCE,
    ).exclude(delivery__feedback__kind=Kind.DELIVERED)
    told = rows.values_list("reason", "status", "at", "delivery__answered_at", "delivery_id", "id")
    return [
        (left or at, delivery_id or f"event {pk}")
        for reason, status, at, left, delivery_id, pk in told
        if not is_about_us(reason=reason, status=status)
    ]


def _arrived(delivery: Delivery, *, now: datetime) -> list[datetime]:
    """When mails left that a provider called delivered, or that nobody complained of for as long as servers try."""
    rows = Delivery.objects.filter(subscriber_id=delivery.subscriber_id, answered_at__gte=now - WINDOW - SILENCE)
    told = Feedback.objects.filter(delivery_id=OuterRef("id"))
    silent = rows.filter(~Exists(told), state=_State.ACCEPTED, answered_at__lt=now - SILENCE)
    delivered = rows.filter(Exists(told.filter(kind=Kind.DELIVERED)))
    return [at for at in silent.union(delivered).values_list("answered_at", flat=True) if at]


def _move(delivery: Delivery, *, from_: list[Delivery.State], to: Delivery.State) -> None:
    Delivery.objects.filter(id=delivery.id, state__in=from_).update(state=to)
