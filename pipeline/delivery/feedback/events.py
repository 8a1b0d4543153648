"""One event about a delivery, in one shape for all ways it reaches us, and when soft bounces are too many. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.feedback.bounces import Bounce
from pipeline.delivery.feedback.reasons import Kind, judged

#: So many deliveries that came back softly within the window, and none that arrived between them, are an address
#: that is not read: it is suppressed as one that bounced.
MOST_SOFT = 5
WINDOW = timedelta(days=30)
#: How long mail servers keep trying (RFC 5321 4.5.4.1): only after it is silence a sign that a mail arrived.
SILENCE = timedelta(days=5)
#: What says nothing of the reader: our standing, our speed, our message. Recorded, never counted.
NOT_THE_READER = frozenset({"policy", "throttled", "greylisted", "too-big", "protocol", "content", "temporary"})


@dataclass(frozen=True, slots=True)
class Event:
    """What was told, by whom, of which delivery.

    `id` is the same however often the event is told. `copy` is (origin, ordinal) from something we signed: a return
    path or a link. `delivery_id` and `remote_id` are a provider's word. `trusted` says that the teller proved who it
    is; what is known only by its address and told by a stranger never suppresses at once.
    `kind` and `way` are those of the Feedback row.
    """

    id: str
    kind: str
    way: str
    at: datetime
    address: str = ""
    reason: str = ""
    status: str = ""
    said: str = ""
    copy: tuple[int, int] | None = None
    delivery_id: int | None = None
    remote_id: str = ""
    transport: str = ""
    message_ids: tuple[str, ...] = field(default=())
    trusted: bool = False


_KINDS = {Kind.HARD: "hard", Kind.SOFT: "soft", Kind.COMPLAINT: "complaint", Kind.AUTO_REPLY: "auto-reply"}


def kind_of(bounce: Bounce) -> str:
    """The kind of row a returned mail makes: a notice of delay is no bounce, a report of success is a delivery."""
    if bounce.action == "delayed":
        return "other"
    if bounce.kind is Kind.NONE:
        return "delivered" if bounce.action in ("delivered", "relayed", "expanded") else "other"
    return _KINDS[bounce.kind]


def of_answer(receipt: Receipt, *, at: datetime, last: bool = False) -> Event | None:
    """What a server's refusal says of the reader; None where no server spoke, or it may still take the mail.

    `last`: it was deferred, and is given up now.
    """
    refused = receipt.outcome is Outcome.REFUSED and receipt.code >= 500
    if not refused and not (last and receipt.outcome is Outcome.DEFERRED and receipt.code >= 400):
        return None
    kind, reason = judged(status=receipt.enhanced, words=f"{receipt.code} {receipt.text}")
    return Event(
        id=f"answer:{receipt.key}",
        kind=_KINDS[kind],
        way="answer",
        at=at,
        reason=reason,
        status=receipt.enhanced,
        said=receipt.text,
        delivery_id=receipt.key,
        trusted=True,
    )


def is_about_us(*, reason: str, status: str) -> bool:
    """Whether a refusal blames the sender (x.7.x, content, rates): no reader pays for it."""
    return status[1:3] == ".7" or reason in NOT_THE_READER


def worn_out(softs: Iterable[tuple[datetime, object]], *, arrived: Iterable[datetime]) -> bool:
    """Whether an address came back softly too often.

    `softs` are (when the mail had left, which delivery); one delivery counts once. `arrived` are when mails had left
    that are known or safely supposed to have arrived: each begins the count again.
    """
    latest: dict[object, datetime] = {}
    for at, which in softs:
        latest[which] = max(at, latest.get(which, at))
    if not latest:
        return False
    newest = max(latest.values())
    since = max((at for at in arrived if at < newest), default=None)
    counted = [at for at in latest.values() if at > newest - WINDOW and (since is None or at > since)]
    return len(counted) >= MOST_SOFT
