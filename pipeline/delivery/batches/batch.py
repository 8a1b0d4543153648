"""One batch of mail: claim it, learn what its last holder proved, submit what is left, record, let go."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from idna import IDNAError

from pipeline.channels.base import Envelope, MailChannel, Outcome, Permanent, Receipt, Temporary
from pipeline.channels.mail.dkim import Signer, UnusableKey, keys
from pipeline.delivery import outcomes, paces, transports
from pipeline.delivery.batches import claims
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.blame import Blame
from pipeline.delivery.course import brake
from pipeline.delivery.feedback.apply import record_answers
from pipeline.delivery.message import mail
from pipeline.delivery.message.choices import chosen
from pipeline.delivery.message.merge import UnusableReader
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.models import Edition
from pipeline.kernel.config import Config

log = logging.getLogger("dateline.delivery")

FLUSH_EVERY_S = 0.5
FLUSH_AT = 500


def submit(*, batch_id: int, config: Config, now: datetime, channel: MailChannel | None = None) -> int | None:
    """Submit what is open in a batch; the number answered, or None where another process holds it.

    Never raises for a mail server's refusal: the batch is let go with its reason and comes due again.
    """
    held = claims.take(batch_id=batch_id, data_dir=config.data_dir, now=now)
    if held is None:
        return None
    claim, journal = held
    try:
        if not claim.leaves:
            claims.release(claim, trouble=None)
            journal.discard()
            return 0
        answered = _run(claim, journal, config=config, channel=channel)
    except BaseException:
        journal.abandon()  # the database went away, or we are being stopped: the next holder reads it
        raise
    journal.discard()
    return answered


def _run(claim: claims.Claim, journal: journals.Journal, *, config: Config, channel: MailChannel | None) -> int:
    holder = _Holder(claim=claim)
    trouble: Temporary | Permanent | None = None
    way: str | None = None
    try:
        edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=claim.edition_id)
        readers = chosen(edition, batch_id=claim.batch_id)
        claims.spare(claim, readers.nothing_new)
        compose = mail.composer(edition, config=config, now=timezone.now(), chosen=readers)
        sign = _signer(mail.domain_of(edition.newsletter.from_address), config=config)
        rows = claims.open_rows(claim)
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
    claims.release(claim, trouble=trouble)
    return holder.answered


@dataclass(slots=True)
class _Holder:
    """Buffers receipts, writes them in groups, renews the lease with each, and notices pauses."""

    claim: claims.Claim
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
            held = claims.renew(self.claim)
            outcomes.apply(self._receipts, now=timezone.now())
            record_answers(self._receipts, now=timezone.now())
        running = Send.objects.filter(id=self.claim.send_id, state=Send.State.SUBMITTING)
        going = running.exclude(expires_at__lte=Now()).exists()
        self._stop = not (held and going) or brake.is_pulled()
        self.answered += sum(receipt.outcome is not Outcome.UNSENT for receipt in self._receipts)
        self.heard += sum(receipt.outcome not in {Outcome.UNSENT, Outcome.UNKNOWN} for receipt in self._receipts)
        self._receipts.clear()
        self._flushed_at = time.monotonic()


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
