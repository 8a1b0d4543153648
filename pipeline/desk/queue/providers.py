"""One send by who takes its mail, and the lanes a way straight to their servers keeps: throttle and warm-up.

A send of more than MOST_COUNTED readers is counted from every so-manieth of them: readers stand in them in the order
they came to us, so that each is much like the others. The page says when it is told from a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from django.db import connection

from pipeline.channels.mail.providers import WARM_AFTER_DAYS, caps_of, warm_up
from pipeline.delivery.models import Batch, Delivery, Provider, Send
from pipeline.delivery.paces import EVERY
from pipeline.desk import words
from pipeline.desk.queue.counts import APART
from pipeline.kernel.pages import ago, number

MOST_COUNTED, MOST_BATCHES, MOST_ANSWERS, MOST_LANES = 100_000, 100, 20_000, 40
NAMES: Mapping[str, str] = {"gmail": "Gmail", "yahoo": "Yahoo", "outlook": "Outlook", "other": "All others"}
#: By the domain of the address: at a desk the names readers have, not the servers behind them.
_OF = """CASE WHEN domain IN ('gmail.com', 'googlemail.com') THEN 'gmail'
              WHEN domain ~ '^(yahoo|ymail|rocketmail|aol)[.]' THEN 'yahoo'
              WHEN domain ~ '^(outlook|hotmail|live|msn)[.]' THEN 'outlook' ELSE 'other' END"""
_COUNTED = f"""
SELECT {_OF} AS provider, state, sum(n)::bigint, min(first), max(last)
  FROM (SELECT lower(split_part(address, '@', 2)) AS domain, state, count(*) AS n, min(answered_at) AS first, max(answered_at) AS last
          FROM dateline_delivery
         WHERE send_id = %(send)s AND (%(batches)s::bigint[] IS NULL OR batch_id = ANY(%(batches)s))
         GROUP BY 1, 2) AS row
 GROUP BY 1, 2
"""  # noqa: S608 - our own statement
_ANSWERS = f"""
SELECT DISTINCT ON (provider) provider, state, smtp_code, reason, answered_at
  FROM (SELECT {_OF} AS provider, state, smtp_code, reason, answered_at
          FROM (SELECT lower(split_part(address, '@', 2)) AS domain, state, smtp_code, reason, answered_at
                  FROM dateline_delivery WHERE send_id = %(send)s AND state = ANY(%(states)s::text[]) LIMIT %(most)s) AS row
         WHERE answered_at IS NOT NULL) AS told
 ORDER BY provider, answered_at DESC
"""  # noqa: S608 - our own statement
SAID: Mapping[str, str] = {
    Delivery.State.DEFERRED: "asked us to come back later",
    Delivery.State.REFUSED: "refused one",
    Delivery.State.BOUNCED: "sent one back",
    Delivery.State.COMPLAINED: "passed on a complaint",
    Delivery.State.UNKNOWN: "ended the connection before an answer",
}


@dataclass(slots=True)
class _Sum:
    states: dict[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None


def table(send: Send, *, now: datetime) -> dict[str, Any]:
    """Each provider with its counts, its pace and what it last said. Three queries."""
    batches, scale = _sample(send)
    sums, answers = _sums(send, batches), _answers(send)
    return {
        "rows": [_row(name, sums[name], scale, answers.get(name, ""), now=now) for name in NAMES if name in sums],
        "sampled": len(batches) if batches else 0,
    }


def _sample(send: Send) -> tuple[list[int] | None, float]:
    """Batches to count from and what to multiply by; None is all of them."""
    if send.recipients <= MOST_COUNTED:
        return None, 1.0
    ids = list(Batch.objects.filter(send=send).order_by("number").values_list("id", flat=True))
    picked = ids[:: max(1, ceil(len(ids) / MOST_BATCHES))]
    return picked, len(ids) / len(picked)


def _sums(send: Send, batches: list[int] | None) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"send": send.id, "batches": batches})
        for name, state, n, first, last in cursor.fetchall():
            one = sums.setdefault(name, _Sum())
            one.states[state] = n
            one.first = min(filter(None, (one.first, first)), default=None)
            one.last = max(filter(None, (one.last, last)), default=None)
    return sums


def _answers(send: Send) -> dict[str, tuple[str, int, str, datetime]]:
    states = [state for state in APART if state in SAID]
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, {"send": send.id, "states": states, "most": MOST_ANSWERS})
        return {name: (state, code, reason, at) for name, state, code, reason, at in cursor.fetchall()}


def _row(name: str, one: _Sum, scale: float, answer: Any, *, now: datetime) -> dict[str, Any]:
    def of(*states: str) -> int:
        return round(scale * sum(one.states.get(state, 0) for state in states))

    state = Delivery.State
    return {
        "name": NAMES[name],
        "accepted": of(state.ACCEPTED, state.COMPLAINED, state.BOUNCED),
        "deferred": of(state.DEFERRED),
        "refused": of(state.REFUSED),
        "unknown": of(state.UNKNOWN),
        "waiting": of(state.PENDING),
        "pace": _pace(one, scale),
        "said": _said(answer, now=now)
        if answer
        else "It took everything so far."
        if one.last
        else "Nothing was handed over yet.",
    }


def _pace(one: _Sum, scale: float) -> str:
    """The mean from the first answer to the last; "" before there are two minutes of them."""
    if one.first is None or one.last is None or (one.last - one.first).total_seconds() < 120:
        return ""
    answered = sum(one.states.values()) - one.states.get(Delivery.State.PENDING, 0)
    return f"{number(max(1, round(scale * answered * 60 / (one.last - one.first).total_seconds())))} a minute"


def _said(answer: tuple[str, int, str, datetime], *, now: datetime) -> str:
    state, code, reason, at = answer
    told = " ".join(filter(None, (str(code) if code else "", reason.strip())))
    quoted = f": “{told}”" if told else ""
    return f"It {SAID[state]} {ago(at, now)}{quoted}"


def lanes(*, now: datetime) -> list[dict[str, Any]]:
    """What each provider lets us do now; those that hold mail back first. One query."""
    rows = list(Provider.objects.order_by("transport", "group")[:MOST_LANES])
    return sorted(
        (_lane(row, now=now) for row in rows), key=lambda lane: lane["badge"].tone not in {"trouble", "needs"}
    )


def _lane(row: Provider, *, now: datetime) -> dict[str, Any]:
    day = (now.date() - row.warming_since).days if row.warming_since else None
    plan = warm_up(row.group, day=day) if day is not None else None
    paused = row.paused_until is not None and row.paused_until > now
    slowed = row.connections < caps_of(row.group).connections
    sent = row.sent_today if row.day == now.date() else 0
    shown = (
        words.Badge("paused", "trouble") if paused else words.Badge("slowed", "needs") if slowed
        else words.Badge("warming up", "moving") if plan else words.Badge("full pace", "done")
    )  # fmt: skip
    return {
        "name": row.group if row.group != EVERY else "whoever has no lane of their own",
        "transport": row.transport or "the relay",
        "badge": shown,
        "until": row.paused_until if paused else None,
        "says": _allows(row),
        "said": row.said,
        "sent": sent,
        "plan": plan.per_day if plan else None,
        "day": f"day {(day or 0) + 1} of {WARM_AFTER_DAYS}" if plan else "",
    }


def _allows(row: Provider) -> str:
    rate = f", {number(row.per_minute)} a minute at most" if row.per_minute else ""
    return f"{words.count(row.connections, 'connection')} at once of {caps_of(row.group).connections}{rate}."
