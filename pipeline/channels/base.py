"""What every channel takes and gives back: pure shapes and the four ways to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class ChannelError(Exception):
    """Something kept a message from being placed; the subclass says what is known about it."""


class Temporary(ChannelError):
    """Provably not placed, and worth another try later (refused connection, 5xx before acceptance)."""


class RateLimited(Temporary):
    """Provably not placed: the network asks for patience.

    `retry_after_s` is in seconds, or None where the network did not say.
    """

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Permanent(ChannelError):
    """Provably not placed, and another try would end the same way (bad credentials, text refused)."""


class Unknown(ChannelError):
    """The request left us and no answer came back: it may be live. Read the account before anything else."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image to attach: encoded bytes, its media type and what a blind reader should hear."""

    content: bytes
    media_type: str
    alt: str


@dataclass(frozen=True, slots=True)
class Message:
    """One text for one account.

    `key` is stable across retries and unique per post; networks with an idempotency header receive it.
    `marker` is text that appears in the published post and nowhere else (our tracked link): `find` looks for it.
    """

    key: str
    text: str
    marker: str
    language: str = "en"
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """Where a message is now: the network's own id, and an address a person can open (None if there is none)."""

    remote_id: str
    url: str | None


class Channel(Protocol):
    """A social account that can be posted to. Every adapter passes tests/contracts/test_channel.py."""

    network: str

    def publish(self, message: Message) -> Published:
        """Place the message. Raises Temporary, RateLimited, Permanent or Unknown."""

    def find(self, message: Message) -> Published | None:
        """Read the account back and return the post that carries the marker; None when it is provably absent.

        Raises Temporary where the account could not be read, Permanent where this network cannot be read back.
        """

    def delete(self, remote_id: str) -> None:
        """Remove a post; a post already gone is not an error. Raises Temporary, RateLimited or Permanent."""


class Outcome(StrEnum):
    """What is known of one submitted mail. `accepted` is not `delivered`."""

    ACCEPTED = "accepted"  #: the server answered 250 to the final dot
    DEFERRED = "deferred"  #: a 4xx answer: try again later
    REFUSED = "refused"  #: a 5xx answer: this message will not be taken
    UNKNOWN = "unknown"  #: the final dot left us and no answer came back
    UNSENT = "unsent"  #: provably not submitted (no connection, stopped before the dot)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail to one reader, ready for the wire.

    `data` is the whole message with CRLF line ends, at most 998 octets a line, no line that begins with a dot
    and a closing CRLF, so that it needs no dot-stuffing (RFC 5321 4.5.2); the engine adds only `.CRLF`.
    `key` is the delivery's id. Addresses hold no control characters, blanks or angle brackets.
    """

    key: int
    sender: str
    recipient: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer for one envelope: SMTP code (0 when none came), enhanced code (RFC 3463, "" when none), text."""

    key: int
    outcome: Outcome
    code: int = 0
    enhanced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `security` is plain, starttls or tls."""

    host: str
    port: int
    security: str = "plain"
    username: str = ""
    password: str = field(default="", repr=False)
    connections: int = 8


class MailJournal(Protocol):
    """Told by the engine, in this order, what it is about to do and what came of it (DESIGN promise 2)."""

    def dot(self, key: int) -> None:
        """The next write carries this message's final dot."""

    def answer(self, receipt: Receipt) -> None:
        """The server answered for this message, or the connection died and the answer will never come."""


class MailChannel(Protocol):
    """Anything that can hand over a stream of mails."""

    def submit(
        self,
        envelopes: Iterable[Envelope],
        *,
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Submit every envelope, calling `record` exactly once for each one taken from the iterable.

        Stops taking new envelopes as soon as `stopping()` is true; those in flight are answered first.
        Raises Temporary when no connection could be opened at all, Permanent when the server refuses us (AUTH).
        """
