"""Posting notices: claimed with a lease, signed, sent through the guard, tried again for a day, then given up.

The claim is committed before the call and the answer after it, so a killed worker repeats a notice under the same id
and loses none.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from pipeline.hooks.events import envelope
from pipeline.hooks.models import Hook, Notice
from pipeline.hooks.tell import secret_of
from pipeline.kernel.outbound.client import client as guarded
from pipeline.kernel.outbound.http import Answer, Client, FetchError, retry_after_s
from pipeline.kernel.secrets import Sealed

PORTION, SLICE_S = 20, 60
LEASE = timedelta(seconds=90)  #: longer than any call
MINUTE, HOUR = 60, 3600
#: Seconds to the next try; a day in all, then the notice is given up and the hook rests.
WAITS_S = (10, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR, 12 * HOUR)
JITTER = 0.2  #: so that many notices of one outage do not come back at one instant
MOST_PATIENCE_S = HOUR  #: of a Retry-After
LARGEST_ANSWER = 64 * 1024
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try. `wait_s` is what the other side asked for."""

    status: int
    said: str
    wait_s: float = 0.0

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


def signature(*, secret: str, body: bytes, at: datetime) -> str:
    """The value of `Dateline-Signature`: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`."""
    stamp = str(int(at.timestamp()))
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={signed}"


def deliver(*, now: datetime, client: Client | None = None, portion: int = PORTION) -> int:
    """Post what is due, one after the other, no hook twice in a row of failures; how many were taken."""
    taken, failed, ends = 0, set[int](), time.monotonic() + SLICE_S
    for _ in range(portion):
        if time.monotonic() > ends:
            break
        notice = _claim(now=now, besides=failed)
        if notice is None:
            break
        outcome = _post(notice, client=client or guarded(), now=now)
        _record(notice, outcome, now=now)
        taken += outcome.is_taken
        if not outcome.is_taken:
            failed.add(notice.hook_id)
    return taken


@transaction.atomic
def _claim(*, now: datetime, besides: set[int]) -> Notice | None:
    """The oldest due notice of an active hook, leased; the count of its tries goes up before the call."""
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    due = Notice.objects.filter(free, state=Notice.State.PENDING, due_at__lte=now, hook__state=Hook.State.ACTIVE)
    notice = (
        due.exclude(hook_id__in=besides)
        .select_related("hook")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("due_at", "id")
        .first()
    )
    if notice is not None:
        notice.tries, notice.leased_until = notice.tries + 1, now + LEASE
        notice.save(update_fields=["tries", "leased_until"])
    return notice


def _post(notice: Notice, *, client: Client, now: datetime) -> Outcome:
    told = envelope(
        notice_id=notice.id, event=notice.event, at=f"{notice.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", body=notice.body
    )
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        answer = client.post(
            notice.hook.url, content=body, headers=_headers(notice, body, now), limit_bytes=LARGEST_ANSWER
        )
    except (FetchError, Sealed) as error:
        return Outcome(0, str(error)[:200])
    return _outcome(answer, now=now)


def _headers(notice: Notice, body: bytes, now: datetime) -> Mapping[str, str]:
    return {
        "Content-Type": "application/json",
        "Dateline-Signature": signature(secret=secret_of(notice.hook), body=body, at=now),
        "Dateline-Event": notice.event,
        "Dateline-Notice": str(notice.id),
    }


def _outcome(answer: Answer, *, now: datetime) -> Outcome:
    """Only the status is believed; what the answer says is nobody's business."""
    asked = retry_after_s(answer.headers, now=now) or 0.0
    return Outcome(answer.status, f"answered {answer.status}", min(asked, MOST_PATIENCE_S))


@transaction.atomic
def _record(notice: Notice, outcome: Outcome, *, now: datetime) -> None:
    """Write down what came of it, unless the lease has passed to another who was quicker, or the hook is removed.

    Then nothing is said of the hook either: a last try that failed late would put one to rest that takes what it is
    told, and a resting hook misses everything.
    """
    mine = Notice.objects.filter(id=notice.id, tries=notice.tries, state=Notice.State.PENDING)
    if outcome.is_taken:
        is_mine = mine.update(state=Notice.State.TOLD, said=outcome.said, leased_until=None)
    elif outcome.status == GONE or notice.tries > len(WAITS_S):
        is_mine = mine.update(state=Notice.State.GIVEN_UP, said=outcome.said, leased_until=None)
    else:
        is_mine = mine.update(due_at=now + _wait(notice, outcome), said=outcome.said, leased_until=None)
    if is_mine:
        _note_on_hook(notice, outcome, now=now)


def _note_on_hook(notice: Notice, outcome: Outcome, *, now: datetime) -> None:
    hook = Hook.objects.select_for_update().get(id=notice.hook_id)
    hook.last_at, hook.last_said = now, outcome.said
    hook.failing_since = None if outcome.is_taken else hook.failing_since or now
    if outcome.status == GONE:
        hook.state = Hook.State.OFF
    elif not outcome.is_taken and notice.tries > len(WAITS_S) and hook.state == Hook.State.ACTIVE:
        hook.state = Hook.State.RESTING
    hook.save(update_fields=["last_at", "last_said", "failing_since", "state"])


def _wait(notice: Notice, outcome: Outcome) -> timedelta:
    """The schedule's wait or the longer one asked for, and up to a fifth more by the notice's own dice."""
    dice = hashlib.blake2b(b"%d/%d" % (notice.id, notice.tries), digest_size=2).digest()
    share = int.from_bytes(dice, "big") / 0xFFFF
    return timedelta(seconds=max(WAITS_S[notice.tries - 1], outcome.wait_s) * (1 + JITTER * share))
