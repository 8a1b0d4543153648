"""How many deliveries of a send are in which state, without reading those that simply went well.

An audience is frozen once and its rows are counted then (`course.freeze`), so what was accepted is what is left when the
few others are taken off. A send whose rows did not add up is counted row by row: there nothing may be inferred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from pipeline.delivery.models import Delivery, Send

State = Delivery.State
#: What the index `delivery_apart` holds.
APART = (
    State.DEFERRED, State.REFUSED, State.BOUNCED, State.COMPLAINED, State.SUPPRESSED, State.CANCELLED, State.UNKNOWN,
)  # fmt: skip
OPEN = (State.PENDING, State.DEFERRED)


_STILL = (
    "delivery.batch_id = batch.id AND delivery.state IN ('pending', 'deferred')"  #: as the index delivery_open says it
)
_OPEN = f"""
SELECT batch.send_id,
       sum(CASE WHEN batch.fence = 0 THEN coalesce(edge.last - edge.first + 1, 0)
                ELSE (SELECT count(*) FROM dateline_delivery delivery WHERE {_STILL}) END)
  FROM dateline_batch batch
  LEFT JOIN LATERAL (SELECT min(ordinal) AS first, max(ordinal) AS last FROM dateline_delivery delivery WHERE {_STILL}) AS edge
    ON batch.fence = 0
 WHERE batch.send_id = ANY(%(sends)s::bigint[]) AND batch.state <> 'done'
 GROUP BY 1
"""  # noqa: S608 - our own statement


@dataclass(frozen=True, slots=True)
class Counts:
    """Deliveries by state; states nobody is in are left out. `recipients` is the frozen count."""

    recipients: int
    by_state: Mapping[str, int]

    def of(self, *states: str) -> int:
        return sum(self.by_state.get(state, 0) for state in states)

    @property
    def waiting(self) -> int:
        return self.of(*OPEN)

    @property
    def done(self) -> int:
        return self.recipients - self.waiting

    @property
    def delivered(self) -> int:
        """Taken and not returned: whoever complained had it."""
        return self.of(State.ACCEPTED, State.COMPLAINED)

    @property
    def mailed(self) -> int:
        """Those we tried to reach: not who left before, nor whom an editor spared."""
        return self.recipients - self.of(State.SUPPRESSED, State.CANCELLED)


def of(sends: Iterable[Send]) -> dict[int, Counts]:
    """By send. Two queries, and a third where one failed; none reads an accepted delivery of the others."""
    listed = list(sends)
    doubted = [send.id for send in listed if send.state == Send.State.FAILED]
    known = [send.id for send in listed if send.state != Send.State.FAILED]
    running = [send.id for send in listed if send.state not in (Send.State.FAILED, Send.State.SUBMITTED)]
    apart, every, waiting = _by_state(known, apart=True), _by_state(doubted), _open(running)
    return {
        send.id: Counts(send.recipients, every[send.id])
        if send.state == Send.State.FAILED
        else _inferred(send.recipients, apart[send.id], waiting.get(send.id, 0))
        for send in listed
    }


def _inferred(recipients: int, apart: dict[str, int], waiting: int) -> Counts:
    pending = max(0, waiting - apart.get(State.DEFERRED, 0))
    accepted = max(0, recipients - pending - sum(apart.values()))
    named = {State.ACCEPTED.value: accepted, State.PENDING.value: pending}
    return Counts(recipients, apart | {state: n for state, n in named.items() if n})


def _by_state(send_ids: list[int], *, apart: bool = False) -> defaultdict[int, dict[str, int]]:
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    if send_ids:
        rows = Delivery.objects.filter(send_id__in=send_ids)
        rows = rows.filter(state__in=APART) if apart else rows
        for send_id, state, n in rows.values_list("send_id", "state").annotate(Count("id")):
            found[send_id][state] = n
    return found


def _open(send_ids: list[int]) -> dict[int, int]:
    """Those without an end. A batch nobody ever claimed is open from its first ordinal to its last: two looks at it."""
    if not send_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"sends": send_ids})
        return {send_id: int(n) for send_id, n in cursor.fetchall()}
