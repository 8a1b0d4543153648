"""What every channel takes and gives back: pure shapes and the four ways to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable


class ChannelError(Exception):
    """Something kept a message from being placed; the subclass says what is known about it."""


class Temporary(ChannelError):
    """Provably not placed, and worth another try later (refused connection, 5xx before acceptance)."""


class RateLimited(Temporary):
    """Provably not placed: the network asks for patience.

    `retry_after_s` is in seconds, or None where the network did not say. `scope` is whose window is used up:
    "account", or "app" where every account of the app must wait.
    """

    def __init__(self, reason: str, *, retry_after_s: float | None = None, scope: str = "account") -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.scope = scope


class Expired(Temporary):
    """Provably not placed: the account's token has run out. `refresh` gives new keys; then try again."""


class Permanent(ChannelError):
    """Provably not placed, and another try would end the same way (bad credentials, text refused)."""


class Unauthorised(Permanent):
    """The network no longer takes this account's keys: a person must connect it again."""


class Spent(Permanent):
    """The money or the quota that the network grants is used up: nothing goes out before somebody pays."""


class Unanswerable(Permanent):
    """The network lets nobody like us answer that post; said in a post of its own, the same words may be taken."""


class Gone(Permanent):
    """The post that was to be edited, answered or read is not there."""


class Unknown(ChannelError):
    """The request left us and no answer came back: it may be live. Read the account before anything else."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image to attach: encoded bytes, its media type and what a blind reader should hear."""

    content: bytes
    media_type: str
    alt: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a link shows below a post, on networks where the author builds it (Bluesky, LinkedIn)."""

    url: str
    title: str
    description: str = ""
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One text for one account.

    `key` is stable across retries and unique per post; networks with an idempotency header receive it.
    `marker` is text that appears in the published post and nowhere else (our tracked link): `find` looks for it.
    `reply_to` is the remote id of the post it answers, "" for none. `created_at` is when the post was planned, aware
    and the same across retries: Bluesky derives the record's name from it. `draft` is what `Drafting.draft` gave.
    """

    key: str
    text: str
    marker: str
    language: str = "en"
    pictures: tuple[Picture, ...] = ()
    reply_to: str = ""
    card: Card | None = None
    created_at: datetime | None = None
    draft: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a message is now: the network's own id, and an address a person can open (None if there is none)."""

    remote_id: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """What people did with a post, as the network counts it; None where it does not say."""

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    impressions: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left of a window of requests, as the last answer told it. `scope` is "account" or "app".

    `size` is how many the window holds, None where the network does not say.
    """

    remaining: int
    reset_at: datetime | None = None
    scope: str = "account"
    size: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one server takes, where servers of a network differ: the longest text, what an address counts, pictures."""

    limit: int
    link_length: int
    media: int = 4


@dataclass(frozen=True, slots=True)
class Keys:
    """An account's keys after a refresh, to be stored whole in place of the old before any is used.

    `until` is when they run out, None where they do not.
    """

    values: Mapping[str, str] = field(repr=False)
    until: datetime | None = None


class Channel(Protocol):
    """A social account that can be posted to. Every adapter passes tests/contracts/test_channel.py.

    What only some networks can do is told by registry.Can, and typed by the protocols below.
    """

    network: str
    limits: Limits | None  #: None until an answer told them, and on networks that never do

    def publish(self, message: Message) -> Published:
        """Place the message. Raises Temporary, RateLimited, Expired, Permanent (and its kinds) or Unknown."""

    def find(self, message: Message) -> Published | None:
        """Read the account back and return the post that carries the marker; None when it is provably absent.

        Raises Temporary where the account could not be read, Permanent where this network cannot be read back.
        """

    def delete(self, remote_id: str) -> None:
        """Remove a post; a post already gone is not an error. Raises Temporary, RateLimited or Permanent."""


@runtime_checkable
class Drafting(Protocol):
    """A network on which a post is made in two steps: a draft that nobody sees, then its publication.

    The caller keeps the draft before it publishes (`Message.draft`): one draft can become one post only.
    """

    def draft(self, message: Message, *, kept: str) -> str:
        """The draft to publish: the one that was kept where it still stands, else a new one.

        Raises like `publish`; Unknown where the kept one was published before.
        """


@runtime_checkable
class Editing(Protocol):
    """A network on which the words of a live post can be changed, and readers see the change."""

    def edit(self, remote_id: str, message: Message) -> Published:
        """Put `message` in place of a live post; doing it twice is harmless, so what is lost is Temporary.

        Raises Temporary, RateLimited, Permanent, or Gone where there is no such post.
        """


@runtime_checkable
class Reading(Protocol):
    """A network on which one post can be read by its id."""

    def read(self, remote_id: str) -> str | None:
        """The text as readers get it, links in full; None if there is no such post. Raises like `find`."""


@runtime_checkable
class Measured(Protocol):
    """A network that counts what people do."""

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts of each post that is still there. Raises like `find`."""


@runtime_checkable
class Roomy(Protocol):
    """A network whose servers set their own limits: `capacity().limit` goes to facts.measure(limit=...)."""

    def capacity(self) -> Capacity:
        """What this account's server takes, asked once. Raises like `find`."""


@runtime_checkable
class Refreshing(Protocol):
    """An account whose token runs out. One process refreshes at a time (the caller's promise)."""

    def refresh(self) -> Keys:
        """New keys by the old; this adapter uses them from now on.

        Raises Temporary, or Unauthorised where a person must connect the account again.
        """


class Outcome(StrEnum):
    """What is known of one submitted mail. `accepted` is not `delivered`."""

    ACCEPTED = "accepted"  #: the server answered 250 to the final dot
    DEFERRED = "deferred"  #: a 4xx answer: try again later
    REFUSED = "refused"  #: a 5xx answer: this message will not be taken
    POLICY = "policy"  #: a 5xx answer that blames us (policy, content, standing), not the reader
    UNKNOWN = "unknown"  #: the final dot left us and no answer came back
    UNSENT = "unsent"  #: provably not submitted (no connection, stopped before the dot)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail to one reader, ready for the wire.

    `data` is the whole message with CRLF line ends, at most 998 octets a line, no line that begins with a dot
    and a closing CRLF, so that it needs no dot-stuffing (RFC 5321 4.5.2); the engine adds only `.CRLF`.
    `key` is the delivery's id. Addresses hold no control characters, blanks or angle brackets. `seven_bit` says that
    `data` is known to be ASCII, as the merge's is: looking through 60 KB takes longer than merging them.
    """

    key: int
    sender: str
    recipient: str
    data: bytes
    seven_bit: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer for one envelope: SMTP code (0 when none came), enhanced code (RFC 3463, "" when none), text.

    `group` is the provider whose servers answered, "" where one relay speaks for all. `remote_id` is a service
    provider's own number of the message, "" where there is none.
    """

    key: int
    outcome: Outcome
    code: int = 0
    enhanced: str = ""
    text: str = ""
    group: str = ""
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `security` is plain, opportunistic (TLS where offered), starttls or tls."""

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
