"""What must be true of the rows at every moment, whatever has just died: I1-I12 as queries that find offenders.

They read and lock nothing, and take milliseconds, so they can be asked after every fault and of a live database.
I5 and I10 need to be told what the world saw: `Watch` and `tests.chaos.oracle` hold it against the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline.delivery.batches.claims import LEASE_S

Rows = Callable[[str], list[tuple[Any, ...]]]

RULES = {
    "I1 nobody of a frozen audience is missing": """
        SELECT send.id FROM dateline_send send WHERE send.prepared_at IS NOT NULL
           AND send.recipients <> (SELECT count(*) FROM dateline_delivery row WHERE row.send_id = send.id)""",
    "I2 a submitted send has an end for everybody": """
        SELECT send.id FROM dateline_send send WHERE send.state = 'submitted' AND (
               EXISTS (SELECT 1 FROM dateline_delivery row WHERE row.send_id = send.id AND row.state IN ('pending', 'deferred'))
            OR EXISTS (SELECT 1 FROM dateline_batch batch WHERE batch.send_id = send.id AND batch.state <> 'done'))""",
    "I3 a done batch holds nobody who waits": """
        SELECT row.id FROM dateline_delivery row JOIN dateline_batch batch ON batch.id = row.batch_id
         WHERE batch.state = 'done' AND row.state IN ('pending', 'deferred')""",
    "I4 a batch has a lease and a holder while it is claimed, and only then": """
        SELECT id FROM dateline_batch WHERE (state = 'claimed') <> (lease_until IS NOT NULL) OR (state = 'claimed' AND host = '')""",
    "I6 accepted means a server's 2xx, or a provider's word": """
        SELECT row.id FROM dateline_delivery row WHERE row.state = 'accepted' AND NOT (
               (row.smtp_code BETWEEN 200 AND 299 AND row.answered_at IS NOT NULL)
            OR EXISTS (SELECT 1 FROM dateline_feedback told WHERE told.delivery_id = row.id AND told.kind = 'delivered'))""",
    "I6 whoever is in doubt is listed with a time and a reason": """
        SELECT id FROM dateline_delivery WHERE state = 'unknown' AND (answered_at IS NULL OR reason = '')""",
    "I7 nothing was claimed without a fence": """
        SELECT id FROM dateline_batch WHERE fence = 0 AND state = 'claimed'""",
    "I8 nobody has an answer from a batch that was never claimed": """
        SELECT row.id FROM dateline_delivery row JOIN dateline_batch batch ON batch.id = row.batch_id
         WHERE batch.fence = 0 AND row.tries > 0""",
    "I9 nothing is held before its send may leave, nor after it failed": """
        SELECT batch.id FROM dateline_batch batch JOIN dateline_send send ON send.id = batch.send_id
         WHERE batch.state = 'claimed' AND send.state IN ('planned', 'preparing', 'asking')""",
    "I9 an edition and its send say the same": """
        SELECT send.id FROM dateline_send send JOIN dateline_edition edition ON edition.id = send.edition_id
         WHERE (send.state, edition.state) IN (('submitted', 'sending'), ('submitting', 'sent'), ('submitting', 'approved'))""",
    "I11 one send for an edition, one delivery for a reader, places without a gap": """
        SELECT send_id FROM dateline_delivery GROUP BY send_id
        HAVING count(*) <> count(DISTINCT subscriber_id) OR count(*) <> max(ordinal) OR count(*) <> count(DISTINCT ordinal)
        UNION ALL SELECT edition_id FROM dateline_send GROUP BY edition_id HAVING count(*) > 1""",
    "I12 no lease reaches further than two of them": f"""
        SELECT id FROM dateline_batch WHERE lease_until > clock_timestamp() + {2 * LEASE_S} * interval '1 second'""",  # noqa: S608 - a number of ours
}  # fmt: skip


def broken(rows: Rows) -> list[str]:
    """Each rule that does not hold, with the first ids that break it."""
    found = ((rule, rows(f"{query} LIMIT 5")) for rule, query in RULES.items())
    return [f"{rule}: {', '.join(str(row[0]) for row in offenders)}" for rule, offenders in found if offenders]


@dataclass(slots=True)
class Watch:
    """What only two looks can show: fences grow (I7), and whoever has an end keeps it (I8)."""

    fences: dict[int, int] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)

    def broken(self, rows: Rows) -> list[str]:
        """As `broken`, and what went backwards since the last look."""
        found = broken(rows)
        fences: dict[int, int] = dict(rows("SELECT id, fence FROM dateline_batch"))
        found += [f"I7 the fence of batch {n} fell" for n, was in self.fences.items() if fences.get(n, was) < was]
        ended: dict[int, int] = dict(rows(_ENDED))
        found += [f"I8 send {n} has fewer answers" for n, was in self.ended.items() if ended.get(n, 0) < was]
        self.fences, self.ended = fences, ended
        return found


_ENDED = """
SELECT send_id, count(*) FROM dateline_delivery
 WHERE state IN ('accepted', 'refused', 'bounced', 'complained') GROUP BY send_id
"""
