"""Whom it reached, by mail domain and by departure, and how they answered.

What an audience was made of was kept when it was frozen. What went wrong is read from the few deliveries that did not
simply go well and from the few who left; a million that were accepted are never counted here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from pipeline.delivery.models import Delivery, Send
from pipeline.desk import words
from pipeline.desk.queue.counts import APART
from pipeline.desk.results import figures
from pipeline.desk.results.places import floored
from pipeline.kernel.pages import local, number

OTHERS = "all others"
State = Delivery.State
#: Named by the index `delivery_apart`: only those it holds are read.
_APART = """
SELECT lower(substring(address FROM '@([^@]*)$')), width_bucket(ordinal, %(edges)s::int[]), state, count(*)
  FROM dateline_delivery WHERE send_id = %(send)s
   AND state IN ('deferred', 'refused', 'bounced', 'complained', 'suppressed', 'cancelled', 'unknown')
 GROUP BY 1, 2, 3
"""
#: From those who left, who are few, to their deliveries by the key of reader and send.
_LEFT = """
SELECT lower(substring(had.address FROM '@([^@]*)$')), width_bucket(had.ordinal, %(edges)s::int[]), 'left', count(*)
  FROM (SELECT choice.subscriber_id FROM dateline_subscription choice
         WHERE choice.topic_id = %(topic)s AND choice.left_at >= %(start)s AND choice.left_at < %(end)s OFFSET 0) AS leaver
 CROSS JOIN LATERAL (SELECT delivery.address, delivery.ordinal FROM dateline_delivery delivery
                      WHERE delivery.send_id = %(send)s AND delivery.subscriber_id = leaver.subscriber_id LIMIT 1) AS had
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Readers with something in common. `had` is None while some of the send have no end yet."""

    name: str
    readers: int
    had: int | None
    turned_away: int
    complaints: int
    left: int

    def row(self) -> dict[str, Any]:
        """As pages and exports tell it: how few complained or left is not told."""
        return {
            "name": self.name,
            "readers": self.readers,
            "delivered": self.had,
            "share": "–" if self.had is None else figures.share(self.had, self.readers),
            "turned_away": self.turned_away,
            "complaints": floored(self.complaints),
            "left": floored(self.left),
        }


def told(send: Send, one: figures.Figures, kept: Mapping[str, Any], *, ended: bool) -> dict[str, Any]:
    """Groups and answers as plain data; `kept` is what the frozen audience was made of. Two queries."""
    leaving = kept.get("departures") or []
    tallies = _tallies(send, edges=[row["first"] for row in leaving])
    domains = dict(kept.get("domains") or [])
    return {
        "domains": [group.row() for group in _by_domain(send, domains, tallies, ended=ended)],
        "departures": [group.row() for group in _by_departure(leaving, tallies, zone=one.zone, ended=ended)],
        "segment": kept.get("segment", ""),
        "is_kept": bool(kept),
        "answers": _answers(send, one),
    }


def _tallies(send: Send, *, edges: list[int]) -> Counter[tuple[str, int, str]]:
    """How many of (domain, departure) came to which end; departures are numbered from 1."""
    values: dict[str, Any] = {
        "send": send.id, "edges": edges or [1], "topic": send.edition.newsletter.topic_id,
        "start": send.created_at, "end": send.created_at + figures.LEAVING,
    }  # fmt: skip
    found: Counter[tuple[str, int, str]] = Counter()
    with connection.cursor() as cursor:
        for statement in (_APART, _LEFT):
            cursor.execute(statement, values)
            found.update({(domain or "", at, end): n for domain, at, end, n in cursor.fetchall()})
    return found


def _by_domain(
    send: Send, domains: dict[str, int], tallies: Counter[tuple[str, int, str]], *, ended: bool
) -> list[Group]:
    if not domains:
        return []
    ends: dict[str, Counter[str]] = {name: Counter() for name in [*domains, OTHERS]}
    for (domain, _, end), n in tallies.items():
        ends[domain if domain in domains else OTHERS][end] += n
    rest = send.recipients - sum(domains.values())
    sizes = domains | ({OTHERS: rest} if rest > 0 else {})
    return [_group(name, n, ends[name], ended=ended) for name, n in sizes.items()]


def _by_departure(
    leaving: list[dict[str, Any]], tallies: Counter[tuple[str, int, str]], *, zone: str, ended: bool
) -> list[Group]:
    ends: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for (_, at, end), n in tallies.items():
        ends[at][end] += n
    return [
        _group(_departure(row, zone), row["last"] - row["first"] + 1, ends[at], ended=ended)
        for at, row in enumerate(leaving, start=1)
    ]


def _departure(row: dict[str, Any], zone: str) -> str:
    zones = ", ".join(row["zones"]) or "readers of no zone of their own"
    more = f" and {row['more']} more" if row["more"] else ""
    return f"{local(datetime.fromisoformat(row['at']), zone, '%a %H:%M')}: {zones}{more}"


def _group(name: str, readers: int, ends: Counter[str], *, ended: bool) -> Group:
    missed = sum(ends[state] for state in APART if state != State.COMPLAINED)
    return Group(
        name=name,
        readers=readers,
        had=max(0, readers - missed) if ended else None,
        turned_away=ends[State.REFUSED] + ends[State.BOUNCED],
        complaints=ends[State.COMPLAINED],
        left=ends["left"],
    )


def _answers(send: Send, one: figures.Figures) -> list[str]:
    """How readers answered, and what of it cannot be known here."""
    newsletter = send.edition.newsletter
    return [
        f"{words.count(one.left, 'reader')} left the newsletter within 24 hours of having it; later ones are not laid at its door.",
        f"{number(one.complaints)} reported it as unwanted. Only some mail providers tell of that; Gmail does not.",
        f"Replies go to {newsletter.reply_to or newsletter.from_address}. Dateline does not read that mailbox, so they are not counted.",
    ]
