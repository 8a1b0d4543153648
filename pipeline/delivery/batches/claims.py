"""Holding a batch: claimed by one process at a time, renewed, settled after a dead holder, given back."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Min
from django.db.models.query import QuerySet

from pipeline.audience.recipients import due
from pipeline.channels.base import Permanent, RateLimited, Temporary
from pipeline.delivery import outcomes, send
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.course.freeze import forget
from pipeline.delivery.models import Batch, Delivery, Send

log = logging.getLogger("dateline.delivery")

LEASE_S = 10
#: A holder on another machine cannot be asked whether it lives; after this long its batch is taken and put in doubt.
FOREIGN_PATIENCE_S = 600
#: The reason of a delivery that was not needed: its reader had all its news.
NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch held by this process: only the holder of the newest fence may renew or end it."""

    batch_id: int
    send_id: int
    fence: int
    topic_id: int
    edition_id: int
    slot_at: datetime
    leaves: bool = True  #: False where only what a dead holder of a cancelled send left behind is settled


#: The database's clock decides, never a worker's: a fast clock once locked batches for hours (docs/decisions/0003).
_CLAIM = """
UPDATE dateline_batch AS batch
   SET state = 'claimed', fence = batch.fence + 1, host = %(host)s, lease_until = clock_timestamp() + %(lease)s * interval '1 second'
  FROM dateline_send send JOIN dateline_edition edition ON edition.id = send.edition_id
       JOIN dateline_newsletter newsletter ON newsletter.id = edition.newsletter_id
 WHERE batch.id = %(batch)s AND send.id = batch.send_id AND batch.fence = %(seen)s
   AND ((send.state = 'submitting' AND edition.state = 'sending'
         AND NOT EXISTS (SELECT 1 FROM dateline_stop stop WHERE stop.kind = 'sending')) OR (send.state = 'cancelled' AND batch.state = 'claimed'))
   AND ((batch.state = 'pending' AND batch.due_at <= clock_timestamp()) OR (batch.state = 'claimed'
        AND batch.lease_until < clock_timestamp() - CASE WHEN batch.host = %(host)s THEN 0 ELSE %(patience)s END * interval '1 second'))
RETURNING batch.fence, send.id, newsletter.topic_id, edition.id, edition.slot_at, send.state = 'submitting'
"""
_RENEW = """
UPDATE dateline_batch SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
 WHERE id = %(batch)s AND fence = %(fence)s AND state = 'claimed'
"""
#: The promise of "leave means leave": who left since the freeze is dropped here, and the row says so. OFFSET 0 keeps it
#: a look-up for each row of the batch: as a join the whole audience was read again for every thousand readers.
_DROP_LEAVERS = f"""
UPDATE dateline_delivery SET state = 'suppressed', reason = 'left, paused, had enough or was suppressed after the audience was frozen'
 WHERE batch_id = %(batch)s AND state IN ('pending', 'deferred')
   AND NOT EXISTS (SELECT 1 FROM ({due()}) AS still WHERE still.id = dateline_delivery.subscriber_id OFFSET 0)
"""  # noqa: S608 - our own constant
#: `is_due` in words: a deferred row waits for its time, everything else open is due.
_OPEN = """
SELECT id, ordinal, address FROM dateline_delivery
 WHERE batch_id = %(batch)s AND (state = 'pending' OR (state = 'deferred' AND next_try_at <= clock_timestamp())) ORDER BY ordinal
"""


def take(*, batch_id: int, data_dir: Path, now: datetime) -> tuple[Claim, journals.Journal] | None:
    """Claim a batch and, in the same transaction, settle what its dead holder left behind.

    The new claim's journal is made and locked first: a process stopped right after its claim must be seen to live.
    """
    before = Batch.objects.filter(id=batch_id).values("fence", "state", "host").first()
    if before is None or before["state"] == Batch.State.DONE:
        return None
    fence = int(before["fence"])
    try:
        proof = None
        if before["state"] == Batch.State.CLAIMED:
            proof = _testimony(
                foreign=before["host"] != journals.machine(),
                batch_id=batch_id,
                fence=fence,
                data_dir=data_dir,
            )
        journal = journals.Journal(journals.path_of(data_dir=data_dir, batch_id=batch_id, fence=fence + 1))
    except journals.WriterLives:
        return None
    claim = _claim(batch_id=batch_id, fence=fence, proof=proof, now=now)
    if claim is None:
        journal.discard()
        return None
    if proof is not None:
        journals.path_of(data_dir=data_dir, batch_id=batch_id, fence=fence).unlink(missing_ok=True)
    return claim, journal


@transaction.atomic
def _claim(*, batch_id: int, fence: int, proof: journals.Testimony | None, now: datetime) -> Claim | None:
    values: dict[str, Any] = {"batch": batch_id, "host": journals.machine(), "lease": LEASE_S, "seen": fence}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {**values, "patience": FOREIGN_PATIENCE_S})
        row = cursor.fetchone()
        if row is None:
            return None
        claim = Claim(
            batch_id, fence=row[0], send_id=row[1], topic_id=row[2], edition_id=row[3], slot_at=row[4], leaves=row[5]
        )
        if proof is not None:
            _settle(claim, proof, now=now)
        cursor.execute(_DROP_LEAVERS, {"batch": batch_id, "topic": claim.topic_id, "slot": claim.slot_at})
    outcomes.expire(batch_id=batch_id)
    return claim


def _testimony(*, foreign: bool, batch_id: int, fence: int, data_dir: Path) -> journals.Testimony:
    """What the last holder's journal proves. Raises WriterLives; a holder on another machine proves nothing."""
    if foreign:
        return journals.Testimony(trusted=False)
    return journals.testimony(journals.path_of(data_dir=data_dir, batch_id=batch_id, fence=fence))


def _settle(claim: Claim, proof: journals.Testimony, *, now: datetime) -> None:
    outcomes.apply(proof.answers.values(), now=now)
    still_open = Delivery.objects.filter(
        batch_id=claim.batch_id, state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED]
    )
    doubtful = still_open.filter(id__in=proof.dotted) if proof.trusted else still_open
    count = doubtful.update(
        state=Delivery.State.UNKNOWN,
        reason="the sending process ended before the answer came",
        answered_at=now,
    )
    log.warning("batch %s: its holder died; %s answers kept, %s in doubt", claim.batch_id, len(proof.answers), count)


def spare(claim: Claim, ordinals: Collection[int]) -> None:
    """Readers who had every story of it this week from another newsletter: their deliveries end here, and say so."""
    if not ordinals:
        return
    with transaction.atomic():
        if renew(claim):
            rows = _open_deliveries(claim).filter(ordinal__in=ordinals)
            rows.update(state=Delivery.State.SUPPRESSED, reason=NOTHING_NEW)


def open_rows(claim: Claim) -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"batch": claim.batch_id})
        return list(cursor.fetchall())


def renew(claim: Claim) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, {"lease": LEASE_S, "batch": claim.batch_id, "fence": claim.fence})
        return bool(cursor.rowcount)


def release(claim: Claim, *, trouble: Temporary | Permanent | None) -> None:
    """Give the batch back: done, due again when its first deferred row is, or soon after trouble."""
    with transaction.atomic():
        if not renew(claim):
            return
        now = _database_clock()
        if Send.objects.filter(id=claim.send_id, state=Send.State.CANCELLED).exists():
            _open_deliveries(claim).update(state=Delivery.State.CANCELLED)
            forget(send_id=claim.send_id, batch_id=claim.batch_id)
        due_at = _due_again(claim, now=now, trouble=trouble)
        state = Batch.State.PENDING if due_at else Batch.State.DONE
        Batch.objects.filter(id=claim.batch_id, fence=claim.fence).update(
            state=state, lease_until=None, due_at=due_at or now, rung_at=None
        )
    if isinstance(trouble, Permanent):
        send.pause(send_id=claim.send_id, now=now, code="server_refused", said=str(trouble)[:300])
    elif trouble and not isinstance(trouble, RateLimited):
        # of a send that stands, why it does is not ours to say
        going = Send.objects.filter(id=claim.send_id, state=Send.State.SUBMITTING)
        going.update(code="server_away", params={"said": str(trouble)[:300]})
    if due_at is None:
        send.finish(send_id=claim.send_id, now=now)


def _database_clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told


def _due_again(claim: Claim, *, now: datetime, trouble: Temporary | Permanent | None) -> datetime | None:
    left = _open_deliveries(claim)
    if not left.exists():
        return None
    first: datetime | None = left.aggregate(first=Min("next_try_at"))["first"]
    if isinstance(trouble, RateLimited) and trouble.retry_after_s is not None:
        patient = now + timedelta(seconds=trouble.retry_after_s)
        return min(patient, first) if first else patient
    if trouble is not None:
        return outcomes.next_look(now=now, unreachable=min(claim.fence, 6))
    if left.filter(state=Delivery.State.PENDING).exists():
        return outcomes.next_look(now=now, unreachable=0)
    return first


def _open_deliveries(claim: Claim) -> QuerySet[Delivery]:
    return Delivery.objects.filter(batch_id=claim.batch_id, state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED])
