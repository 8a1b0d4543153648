"""One batch of mail: claim it, learn what its last holder proved, submit what is left, record, let go."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Min
from django.db.models.functions import Now
from django.db.models.query import QuerySet
from django.utils import timezone
from idna import IDNAError

from pipeline.audience.recipients import due
from pipeline.channels.base import Envelope, MailChannel, Outcome, Permanent, RateLimited, Receipt, Temporary
from pipeline.channels.mail.dkim import Signer, UnusableKey, keys
from pipeline.delivery import journal as journals
from pipeline.delivery import outcomes, paces, send, transports
from pipeline.delivery.blame import Blame
from pipeline.delivery.course import brake
from pipeline.delivery.course.freeze import forget
from pipeline.delivery.feedback.apply import record_answers
from pipeline.delivery.message import mail
from pipeline.delivery.message.choices import chosen
from pipeline.delivery.message.merge import UnusableReader
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.models import Edition
from pipeline.kernel.config import Config

log = logging.getLogger("dateline.delivery")

LEASE_S = 10
FLUSH_EVERY_S = 0.5
FLUSH_AT = 500
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


def submit(*, batch_id: int, config: Config, now: datetime, channel: MailChannel | None = None) -> int | None:
    """Submit what is open in a batch; the number answered, or None where another process holds it.

    Never raises for a mail server's refusal: the batch is let go with its reason and comes due again.
    """
    held = _take(batch_id=batch_id, data_dir=config.data_dir, now=now)
    if held is None:
        return None
    claim, journal = held
    try:
        if not claim.leaves:
            _release(claim, trouble=None)
            journal.discard()
            return 0
        answered = _run(claim, journal, config=config, channel=channel)
    except BaseException:
        journal.abandon()  # the database went away, or we are being stopped: the next holder reads it
        raise
    journal.discard()
    return answered


def _run(claim: Claim, journal: journals.Journal, *, config: Config, channel: MailChannel | None) -> int:
    holder = _Holder(claim=claim)
    trouble: Temporary | Permanent | None = None
    way: str | None = None
    try:
        edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=claim.edition_id)
        readers = chosen(edition, batch_id=claim.batch_id)
        _spare(claim, readers.nothing_new)
        compose = mail.composer(edition, config=config, now=timezone.now(), chosen=readers)
        sign = _signer(mail.domain_of(edition.newsletter.from_address), config=config)
        rows = _open_rows(claim)
        envelopes = _envelopes(rows, compose, sign, holder)
        if channel is None:
            name = mail.domain_of(edition.newsletter.from_address)
            way, channel = transports.take(
                batch_id=claim.batch_id, send_id=claim.send_id, config=config, client_name=name, now=timezone.now()
            )
        paces.prepare(channel, (address for _, _, address in rows))
        channel.submit(envelopes, journal=journal, record=holder.record, stopping=holder.stopping)
    except (mail.NoMailServer, UnusableKey) as error:
        trouble = Permanent(str(error))
    except (Temporary, Permanent) as error:
        trouble = error
    trouble = holder.conclude() or trouble
    if way is not None and channel is not None:
        paces.keep(way, channel, now=timezone.now())
    if way is not None:
        transports.tell(way, trouble=trouble, heard=holder.heard, now=timezone.now())
    _release(claim, trouble=trouble)
    return holder.answered


@dataclass(slots=True)
class _Holder:
    """Buffers receipts, writes them in groups, renews the lease with each, and notices pauses."""

    claim: Claim
    answered: int = 0
    heard: int = 0  #: those a server said something of
    blame: Blame = field(default_factory=Blame)
    _receipts: list[Receipt] = field(default_factory=list)
    _flushed_at: float = field(default_factory=time.monotonic)
    _stop: bool = False

    def record(self, receipt: Receipt) -> None:
        if self.blame.holds(receipt):
            return
        self._receipts.append(receipt)
        if len(self._receipts) >= FLUSH_AT:
            self.flush()

    def stopping(self) -> bool:
        if time.monotonic() - self._flushed_at > FLUSH_EVERY_S:
            self.flush()
        return self._stop or bool(self.blame.said)

    def conclude(self) -> Permanent | None:
        """Record the rest; what the server said where the refusals of this run are our own fault."""
        held = self.blame.held
        before = bool(held) and Delivery.objects.filter(send_id=self.claim.send_id, state="accepted").exists()
        self._receipts += self.blame.concluded(accepted_before=before)
        self.flush()
        return Permanent(self.blame.said) if self.blame.said else None

    def flush(self) -> None:
        with transaction.atomic():
            held = _renew(self.claim)
            outcomes.apply(self._receipts, now=timezone.now())
            record_answers(self._receipts, now=timezone.now())
        running = Send.objects.filter(id=self.claim.send_id, state=Send.State.SUBMITTING)
        going = running.exclude(expires_at__lte=Now()).exists()
        self._stop = not (held and going) or brake.is_pulled()
        self.answered += sum(receipt.outcome is not Outcome.UNSENT for receipt in self._receipts)
        self.heard += sum(receipt.outcome not in {Outcome.UNSENT, Outcome.UNKNOWN} for receipt in self._receipts)
        self._receipts.clear()
        self._flushed_at = time.monotonic()


def _take(*, batch_id: int, data_dir: Path, now: datetime) -> tuple[Claim, journals.Journal] | None:
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


def _spare(claim: Claim, ordinals: Collection[int]) -> None:
    """Readers who had every story of it this week from another newsletter: their deliveries end here, and say so."""
    if not ordinals:
        return
    with transaction.atomic():
        if _renew(claim):
            rows = _open_deliveries(claim).filter(ordinal__in=ordinals)
            rows.update(state=Delivery.State.SUPPRESSED, reason=NOTHING_NEW)


def _open_rows(claim: Claim) -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"batch": claim.batch_id})
        return list(cursor.fetchall())


def _signer(domain: str, *, config: Config) -> Callable[[bytes], bytes]:
    """What puts DKIM signatures above a message; where no key is set, nothing. Raises UnusableKey."""
    if not config.dkim_key:
        return lambda message: message
    found = _keys(config.dkim_key, selectors=config.dkim_selector)
    return Signer(found, domain=config.dkim_domain or domain, now=timezone.now()).sign


_keys = lru_cache(maxsize=4)(keys)


def _envelopes(
    rows: list[tuple[int, int, str]], compose: mail.Compose, sign: Callable[[bytes], bytes], holder: _Holder
) -> Iterator[Envelope]:
    for key, ordinal, address in rows:
        try:
            sender, data = compose(ordinal, address)
        except (UnusableReader, IDNAError) as error:
            holder.record(Receipt(key=key, outcome=Outcome.REFUSED, enhanced="5.1.3", text=str(error)))
        else:
            whom = mail.wire_address(address)
            yield Envelope(key=key, sender=sender, recipient=whom, data=sign(data), seven_bit=whom.isascii())


def _renew(claim: Claim) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, {"lease": LEASE_S, "batch": claim.batch_id, "fence": claim.fence})
        return bool(cursor.rowcount)


def _release(claim: Claim, *, trouble: Temporary | Permanent | None) -> None:
    """Give the batch back: done, due again when its first deferred row is, or soon after trouble."""
    with transaction.atomic():
        if not _renew(claim):
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
        Send.objects.filter(id=claim.send_id).update(code="server_away", params={"said": str(trouble)[:300]})
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
