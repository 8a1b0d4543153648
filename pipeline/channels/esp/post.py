"""A MailChannel that hands mail to a provider over HTTP: a window of requests under way, one message each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import SimpleQueue
from typing import Any

from django.core.mail import EmailMultiAlternatives

from pipeline.channels.base import Envelope, MailJournal, Outcome, Permanent, RateLimited, Receipt, Temporary
from pipeline.channels.esp.providers import Provider, UnknownProvider, backend, provider_of
from pipeline.channels.esp.verdicts import Case, Verdict, verdict_of

LOOK_EVERY_S = 0.25  #: how often a caller that waits for answers is asked whether to stop, and may renew its lease
#: What the provider writes itself, or what stands elsewhere in a request.
_NOT_OURS = frozenset({"from", "to", "subject", "reply-to", "mime-version", "dkim-signature", "return-path"})
_CODES = {Case.REFUSED: 550, Case.UNKNOWN: 0}


class EspChannel:
    """Speaks to one provider with one transport's keys."""

    def __init__(self, name: str, settings: Mapping[str, str]) -> None:
        """Raises Permanent where the provider is not known or lacks a key."""
        try:
            self.provider: Provider = provider_of(name, settings)
        except UnknownProvider as error:
            raise Permanent(str(error)) from error
        self._settings = dict(settings)

    def submit(
        self,
        envelopes: Iterable[Envelope],
        *,
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        """As MailChannel says. Stops taking envelopes after the first answer that concerns those behind it too."""
        with _Desk(self.provider, self._settings) as desk:
            run = _Run(desk, journal=journal, record=record, stopping=stopping)
            run.drive(iter(envelopes))
        run.complain(self.provider.name)


@dataclass(slots=True)
class _Run:
    """One submission. The caller's functions are called from the caller's thread only."""

    desk: _Desk
    journal: MailJournal
    record: Callable[[Receipt], None]
    stopping: Callable[[], bool]
    trouble: Verdict | None = None
    _under_way: dict[Future[Receipt | Verdict], Envelope] = field(default_factory=dict)

    def drive(self, envelopes: Iterator[Envelope]) -> None:
        stopped = False
        try:
            while not stopped or self._under_way:
                stopped = stopped or self.stopping() or self.trouble is not None
                while not stopped and len(self._under_way) < self.desk.size:
                    envelope = next(envelopes, None)
                    stopped = envelope is None
                    if envelope is not None:
                        self._take(envelope)
                        stopped = self.stopping()
                self._collect()
                self.stopping()
        finally:
            self._wait_for_all()

    def _take(self, envelope: Envelope) -> None:
        """Hand over, but for what this way out cannot carry: that reader alone is refused, and nobody was asked (code 0)."""
        provider = self.desk.provider
        if provider.wide or envelope.recipient.isascii():
            self._hand_over(envelope)
            return
        why = f"this way out ({provider.name}) cannot carry an address outside ASCII"
        receipt = Receipt(envelope.key, Outcome.REFUSED, enhanced="5.6.7", text=why)
        self.journal.answer(receipt)
        self.record(receipt)

    def _hand_over(self, envelope: Envelope) -> None:
        self.journal.dot(envelope.key)
        self._under_way[self.desk.post(envelope)] = envelope

    def _collect(self) -> None:
        done, _ = wait(self._under_way, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        for future in done:
            self._answered(self._under_way.pop(future), future.result())

    def _answered(self, envelope: Envelope, told: Receipt | Verdict) -> None:
        receipt = told if isinstance(told, Receipt) else _receipt(envelope, told)
        if isinstance(told, Verdict) and told.case is not Case.REFUSED and self.trouble is None:
            self.trouble = told
        self.journal.answer(receipt)
        self.record(receipt)

    def _wait_for_all(self) -> None:
        """An error of the caller's leaves requests under way: their answers are kept in the journal all the same."""
        for future, envelope in list(self._under_way.items()):
            with suppress(Exception):
                told = future.result()
                self.journal.answer(told if isinstance(told, Receipt) else _receipt(envelope, told))

    def complain(self, name: str) -> None:
        """Raise what must be known beyond the receipts."""
        if self.trouble is None:
            return
        said = f"{name}: {self.trouble.said}"
        if self.trouble.case is Case.BARRED:
            raise Permanent(said)
        if self.trouble.case is Case.BUSY:
            raise RateLimited(said, retry_after_s=self.trouble.wait_s)
        raise Temporary(said)


def _receipt(envelope: Envelope, verdict: Verdict) -> Receipt:
    outcome = {Case.REFUSED: Outcome.REFUSED, Case.UNKNOWN: Outcome.UNKNOWN}.get(verdict.case, Outcome.UNSENT)
    return Receipt(key=envelope.key, outcome=outcome, code=_CODES.get(verdict.case, 0), text=verdict.said)


class _Desk:
    """As many open connections as the provider's window, each used by one thread at a time."""

    def __init__(self, provider: Provider, settings: Mapping[str, str]) -> None:
        self.size = _whole(settings.get("window"), provider.window)
        self.provider = provider
        self._per_second = _whole(settings.get("per_second"), 0)
        self._next_at = 0.0
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._pool = ThreadPoolExecutor(max_workers=self.size, thread_name_prefix=f"esp-{provider.name}")
        self._opened: list[Any] = []
        for _ in range(self.size):
            self._opened.append(backend(provider, settings))
            self._idle.put(self._opened[-1])

    def __enter__(self) -> _Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for connection in self._opened:
            with suppress(Exception):
                connection.close()

    def post(self, envelope: Envelope) -> Future[Receipt | Verdict]:
        """Begin one request, no faster than the transport's `per_second`."""
        if self._per_second:
            time.sleep(max(0.0, min(self._next_at - time.monotonic(), 1.0)))
            self._next_at = max(self._next_at, time.monotonic()) + 1 / self._per_second
        return self._pool.submit(self._posted, envelope)

    def _posted(self, envelope: Envelope) -> Receipt | Verdict:
        connection = self._idle.get()
        try:
            connection.open()
            letter = _letter(envelope, self.provider.headers)
            connection.send_messages([letter])
            return _accepted(envelope, letter)
        except Exception as error:  # whatever anymail, requests or boto raise: it is judged, never lost
            return verdict_of(error)
        finally:
            self._idle.put(connection)


def _accepted(envelope: Envelope, letter: Any) -> Receipt:
    status = letter.anymail_status
    words, number = "/".join(sorted(str(word) for word in status.status or ())), str(status.message_id or "")
    if status.status and status.status <= {"rejected", "invalid", "failed"}:
        enhanced = "5.1.3" if "invalid" in status.status else ""
        return Receipt(envelope.key, Outcome.REFUSED, 550, enhanced, f"the provider says {words}", remote_id=number)
    return Receipt(envelope.key, Outcome.ACCEPTED, 250, "2.0.0", words, remote_id=number[:120])


def _letter(envelope: Envelope, more: Mapping[str, str]) -> EmailMultiAlternatives:
    """Our finished message in Django's shape; the provider puts it together again with our headers."""
    ours: EmailMessage = message_from_bytes(envelope.data, policy=policy.default)
    text, markup = ours.get_body(("plain",)), ours.get_body(("html",))
    letter = EmailMultiAlternatives(
        subject=str(ours["subject"] or ""),
        body=text.get_content() if text else "",
        from_email=str(ours["from"] or ""),
        to=[envelope.recipient],
        reply_to=[str(ours["reply-to"])] if ours["reply-to"] else None,
        headers={name: str(value) for name, value in ours.items() if _is_passed_on(name)} | dict(more),
    )
    if markup:
        letter.attach_alternative(markup.get_content(), "text/html")
    letter.metadata = {"delivery": str(envelope.key)}  # type: ignore[attr-defined]
    letter.track_clicks = letter.track_opens = False  # type: ignore[attr-defined]
    return letter


def _is_passed_on(name: str) -> bool:
    return name.lower() not in _NOT_OURS and not name.lower().startswith("content-")


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) else default
