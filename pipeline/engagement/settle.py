"""Verdicts, given late on purpose: a scanner shows itself by what it does in the seconds that follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from pipeline.engagement.asking.networks import A_GATEWAY, A_SCANNER
from pipeline.engagement.hits import PRODUCTION, Hit, Ruling, Thresholds, Verdict
from pipeline.engagement.keeping.reports import mark
from pipeline.engagement.records import VISITOR_BYTES, Flag
from pipeline.engagement.tally import LOCK, Vote, settle_votes
from pipeline.engagement.verdicts import judge

PORTION = 2000
#: The door could not tell where it came from: such events have nothing in common.
NOWHERE = bytes(VISITOR_BYTES)
SUSPICION = {Ruling.HUMAN: 0, Ruling.UNKNOWN: 1, Ruling.PREFETCH: 2, Ruling.SCANNER: 2}
#: A token whose signature is not ours leads on and counts nothing, whoever followed it.
FORGED = Verdict(verdict=Ruling.UNKNOWN, rules=("MAC",))
#: How a provider's word that no person opened or clicked begins, kept among what is told of deliveries.
BY_MACHINE = "machine-"
TOLD_S = 15  #: between the provider's click and ours, which follows it, lie a redirect and two clocks


class _Row(NamedTuple):
    id: bytes
    at: datetime
    kind: str
    origin: int | None
    ordinal: int
    link: int
    article_id: int | None
    person: bytes
    network: bytes
    agent: str
    method: str
    flags: int
    verdict: str
    delivered_at: datetime | None
    link_kind: str | None
    due: bool
    is_beacon: bool
    told: bool


_TOLD = f"""EXISTS (
    SELECT 1 FROM dateline_feedback word
     WHERE word.delivery_id = reach.id AND word.reason = '{BY_MACHINE}' || event.kind
       AND word.status = CASE event.kind WHEN 'click' THEN event.link::text ELSE '' END
       AND word.at BETWEEN event.at - interval '{TOLD_S} seconds' AND event.at + interval '{TOLD_S} seconds')
"""  # noqa: S608 - our own constants
#: A delivery in doubt was answered when it was put in doubt, perhaps long after its reader had it: that proves nothing.
_COLUMNS = f"""
SELECT event.id, event.at, event.kind, event.origin_id, event.ordinal, event.link, event.article_id, event.person,
       event.network, event.agent, event.method, event.flags, event.verdict,
       CASE WHEN reach.state IN ('accepted', 'bounced', 'complained') THEN reach.answered_at END, link.kind,
       event.id IN (SELECT id FROM due), event.kind = 'view' AND event.seconds IS NOT NULL, {_TOLD}
  FROM dateline_event event
  LEFT JOIN dateline_link link ON link.origin_id = event.origin_id AND link.number = event.link AND event.kind = 'click'
  LEFT JOIN dateline_send send ON send.origin_id = event.origin_id
  LEFT JOIN dateline_delivery reach ON reach.send_id = send.id AND reach.ordinal = event.ordinal
"""  # noqa: S608 - our own constants
#: Who else must be looked at: the same message, and the same network close by in time. Deliveries are read here by
#: their table's name: the loop closes in data, this room may not import the one above it. The span of all that is due
#: stands there again in two numbers, because the index by time is asked with numbers only.
_NEIGHBOURS = f"""
WITH due AS (SELECT id, at, origin_id, ordinal, network FROM dateline_event
              WHERE verdict = 'pending' AND at <= %(until)s ORDER BY at LIMIT %(portion)s)
{_COLUMNS}
 WHERE event.id IN (
    SELECT id FROM due
    UNION SELECT other.id FROM due JOIN dateline_event other
             ON other.origin_id = due.origin_id AND other.ordinal = due.ordinal AND due.ordinal > 0
    UNION SELECT other.id FROM due JOIN dateline_event other
             ON other.network = due.network AND due.network <> %(nowhere)s
            AND other.at BETWEEN due.at - %(near_s)s * interval '1 second' AND due.at + %(near_s)s * interval '1 second'
            AND other.at BETWEEN (SELECT min(at) FROM due) - %(near_s)s * interval '1 second'
                             AND (SELECT max(at) FROM due) + %(near_s)s * interval '1 second')
"""  # noqa: S608 - our own constants


#: Of these deliveries, what was judged already. An ordinal that was forgotten names no delivery any more.
_JUDGED = f"""
WITH due AS (SELECT NULL::bytea AS id WHERE false)
{_COLUMNS}
 WHERE reach.id = ANY(%(deliveries)s) AND event.verdict <> 'pending' AND {_TOLD}
"""


def thresholds(quarantine_s: float) -> Thresholds:
    """The production rules with their quarantine, in seconds, set to the newsroom's (the demo has less patience)."""
    return replace(PRODUCTION, click_after_s=quarantine_s, open_after_s=2 * quarantine_s, quarantine_s=quarantine_s / 2)


@transaction.atomic
def settle(*, now: datetime, quarantine_s: float = PRODUCTION.click_after_s, portion: int = PORTION) -> int:
    """Judge events whose quarantine has passed, together with their neighbours; the number of verdicts that changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        until = now - timedelta(seconds=quarantine_s)
        cursor.execute(
            _NEIGHBOURS,
            {"until": until, "portion": portion, "near_s": PRODUCTION.crowd_s, "nowhere": NOWHERE},
        )
        rows = [_Row(*found) for found in cursor.fetchall()]
    verdicts = judge([_hit(row) for row in rows], thresholds=thresholds(quarantine_s))
    return _change(zip(rows, map(_unless_forged, rows, verdicts), strict=True), now=now)


def void_told(delivery_ids: Iterable[int], *, now: datetime) -> int:
    """Void what a provider says of these deliveries was no person's, inside the caller's transaction; how many events.

    Its word is a row already: what is still to be judged, or still to arrive, finds it there.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(_JUDGED, {"deliveries": sorted(delivery_ids)})
        rows = [_Row(*found) for found in cursor.fetchall()]
    said = Verdict(verdict=Ruling.SCANNER, rules=("P1",))
    return _change(((row, said) for row in rows), now=now)


def _change(judged: Iterable[tuple[_Row, Verdict]], *, now: datetime) -> int:
    changed = [(row, verdict) for row, verdict in judged if _is_news(row, verdict)]
    _write(changed)
    settle_votes(_votes(row for row, _ in changed))
    mark((row.origin for row, _ in changed if row.origin is not None), now=now)
    return len(changed)


def _is_news(row: _Row, verdict: Verdict) -> bool:
    """A row that is due is decided; later only suspicion may grow. The other way round needs a whole history.

    A neighbour that is not due waits: its own neighbours are not all here.
    """
    if row.verdict == "pending":
        return row.due
    return SUSPICION[verdict.verdict] > SUSPICION[Ruling(row.verdict)]


def _unless_forged(row: _Row, verdict: Verdict) -> Verdict:
    return verdict if row.flags & Flag.MAC_OK else FORGED


def _hit(row: _Row) -> Hit:
    flags = Flag(row.flags)
    return Hit(
        at=row.at,
        delivered_at=row.delivered_at,
        message=f"{row.origin}/{row.ordinal}" if row.ordinal and row.origin is not None else "",
        link=_link(row),
        method="GET" if row.is_beacon else row.method,
        ua=row.agent,
        ip="" if row.network == NOWHERE else row.network.hex(),
        headers={"purpose": "prefetch"} if Flag.PREFETCH in flags else {},
        honeypot=Flag.HONEYPOT in flags or row.link_kind == "honeypot",
        mangled=Flag.MANGLED in flags,
        told=row.told,
        hosted=Flag.HOSTED in flags,
        network=A_SCANNER if Flag.SCANNER in flags else A_GATEWAY if Flag.GATEWAY in flags else "",
    )


def _link(row: _Row) -> str:
    """Links of one message by number; its web view and its way out are links as well, beside the numbered ones."""
    if row.kind == "open":
        return ""
    return str(row.link) if row.kind == "click" else row.kind


def _write(changed: list[tuple[_Row, Verdict]]) -> None:
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE dateline_event event SET verdict = new.verdict, rules = new.rules::jsonb
                 FROM unnest(%(ids)s::bytea[], %(verdicts)s::text[], %(rules)s::text[]) AS new(id, verdict, rules)
                WHERE event.id = new.id""",
            {
                "ids": [row.id for row, _ in changed],
                "verdicts": [str(verdict.verdict) for _, verdict in changed],
                "rules": [_json(verdict.rules) for _, verdict in changed],
            },
        )


def _json(rules: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{rule}"' for rule in rules) + "]"


def _votes(rows: Iterable[_Row]) -> list[Vote]:
    return [
        Vote(article_id=row.article_id, person=bytes(row.person), day=int(row.at.timestamp()) // 86_400)
        for row in rows
        if row.kind == "click" and row.article_id is not None
    ]
