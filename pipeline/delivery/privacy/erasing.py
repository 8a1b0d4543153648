"""Forgetting one reader, with what it takes and leaves counted first."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from pipeline.audience.models import Subscriber, Suppression
from pipeline.delivery.models import Delivery
from pipeline.delivery.privacy.held import acts_of, deliveries_of, feedback_of, refusals_of
from pipeline.engagement.asking.agents import STAND_INS, kind
from pipeline.staff.journal import note
from pipeline.staff.models import User

#: No mail can reach it (RFC 2606), and no two readers share one.
NOBODY = "erased-{id}@erased.invalid"
_NO_HASH = bytes(16)
_UNLINKED = """
UPDATE dateline_event act SET ordinal = 0, agent = known.kept, mode = 'aggregate',
       person = substring(sha256(%(salt)s || act.person) FROM 1 FOR 16)
  FROM dateline_delivery d JOIN dateline_send s ON s.id = d.send_id,
       unnest(%(agents)s::text[], %(kept)s::text[]) AS known(header, kept)
 WHERE known.header = act.agent AND d.subscriber_id = %(reader)s AND act.origin_id = s.origin_id AND act.ordinal = d.ordinal AND act.ordinal > 0
"""


class Unknown(LookupError):
    """No reader has this address."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Rows by what becomes of them: the first five go, the others stay and lose whose they were."""

    subscriptions: int
    consents: int
    confirmations: int
    interests: int
    refused_imports: int
    deliveries: int
    feedback: int
    acts: int


def preview(*, address: str) -> Erasure:
    """What erasing would touch. Raises Unknown."""
    return _counted(_reader(address))


@transaction.atomic
def erase(*, address: str, now: datetime, actor: User | None = None, reason: str = "") -> Erasure:
    """Forget a reader; mail under way to them stops before its next batch. Raises Unknown.

    What stays: outcomes and clicks as numbers, a suppression under the keyed hash (one there was keeps its reason),
    and an entry in the journal without the address.
    """
    reader = _reader(address, locked=True)
    found = _counted(reader)
    Suppression.objects.get_or_create(
        address_hash=bytes(reader.address_hash),
        defaults={"reason": Suppression.Reason.LEFT_ALL, "at": now, "detail": "erased"},
    )
    refusals_of(reader.address).delete()
    feedback_of(reader).update(address_hash=_NO_HASH, said="")
    _unlink(reader.id)
    for rows in (reader.subscriptions, reader.consents, reader.confirmations, reader.interests):
        rows.all().delete()
    nobody = NOBODY.format(id=reader.id)
    Delivery.objects.filter(subscriber_id=reader.id).update(address=nobody, remote_id="")
    Subscriber.objects.filter(id=reader.id).update(**_blank(nobody))
    note(verb="erase", subject="subscriber", subject_id=reader.id, now=now, actor=actor, reason=reason, **asdict(found))
    return found


def _unlink(reader_id: int) -> None:
    """Of the programs their kinds stay: an act that waits for its verdict is still a person's."""
    rows = acts_of(reader_id).select_for_update().order_by("id").values_list("agent", flat=True)
    headers = sorted(set(rows))
    kept = [STAND_INS[kind(header)] for header in headers]
    with connection.cursor() as cursor:
        cursor.execute(
            _UNLINKED, {"salt": secrets.token_bytes(32), "reader": reader_id, "agents": headers, "kept": kept}
        )


def _reader(address: str, *, locked: bool = False) -> Subscriber:
    rows = Subscriber.objects.select_for_update() if locked else Subscriber.objects.all()
    reader = rows.filter(address=address.strip().lower()).exclude(state=Subscriber.State.ERASED).first()
    if reader is None:
        raise Unknown("no reader has this address")
    return reader


def _counted(reader: Subscriber) -> Erasure:
    return Erasure(
        subscriptions=reader.subscriptions.count(),
        consents=reader.consents.count(),
        confirmations=reader.confirmations.count(),
        interests=reader.interests.count(),
        refused_imports=refusals_of(reader.address).count(),
        deliveries=deliveries_of(reader.id).count(),
        feedback=feedback_of(reader).count(),
        acts=acts_of(reader.id).count(),
    )


def _blank(nobody: str) -> dict[str, Any]:
    return {
        "address": nobody, "address_hash": _NO_HASH, "name": "", "state": Subscriber.State.ERASED, "language": "en",
        "zone": "UTC", "wants_at": None, "tracking": Subscriber.Tracking.OFF, "tracking_at": None, "last_human_at": None,
        "asked_again_at": None, "joined_at": None,
    }  # fmt: skip
