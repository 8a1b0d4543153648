"""What the events of one origin add up to: kept apart by UTC day, because days are forgotten and removed one by one.

Whatever adds an event or changes a verdict marks the report in its own transaction; the reports are computed again a
little later, each while its row is locked, so that no mark is lost. A person counts once a day, as in the tallies: a
day whose persons were forgotten has the same numbers as before, and one whose events are gone keeps those it had.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from pipeline.engagement.models import Report
from pipeline.engagement.tally import horizon_minute

EVERY = timedelta(seconds=30)
MOST = 50  #: in one go
BY_MINUTE = timedelta(hours=48)  #: after an origin's start; later clicks are told by the hour
OPENS = ("direct", "apple", "proxy", "machine")
#: Marks the origins of a SELECT of `origin_id` at `now`. A row marked already is locked all the same: whoever is
#: computing it has to end first, or has not begun.
MARK = """
INSERT INTO dateline_report AS report (origin_id, body, stale_since)
SELECT DISTINCT origin_id, '{{}}'::jsonb, %(now)s::timestamptz FROM ({changed}) AS changed
 WHERE origin_id IS NOT NULL ORDER BY origin_id
ON CONFLICT (origin_id) DO UPDATE SET stale_since = excluded.stale_since WHERE report.stale_since IS NULL
"""
_DAY = "(floor(extract(epoch FROM event.at))::bigint / 86400)"
_OF = f"FROM dateline_event event WHERE event.origin_id = %(origin)s AND {_DAY} >= %(from)s"
_HUMAN = "event.verdict = 'human'"
#: An open's kind: Apple's own fetching, a webmail's proxy, a program of the reader's, or some other machine.
_OPEN_KIND = f"""CASE WHEN event.rules ? 'MPP' THEN 'apple' WHEN event.rules ? 'PROXY' THEN 'proxy'
                      WHEN {_HUMAN} THEN 'direct' ELSE 'machine' END"""
_MINUTE = "floor(extract(epoch FROM event.at))::bigint / 60"
_CURVE = f"""CASE WHEN event.at < %(until)s THEN {_MINUTE} ELSE {_MINUTE} / 60 * 60 END"""
_PARTS = {
    "people": f"SELECT {_DAY}, event.kind, count(DISTINCT event.person) {_OF} AND {_HUMAN} GROUP BY 1, 2",
    "fates": f"""SELECT {_DAY}, event.kind || ' ' || event.verdict || ' ' || coalesce(event.rules->>0, ''), count(*)
                 {_OF} GROUP BY 1, 2""",
    "links": f"""SELECT {_DAY}, event.link::text, count(DISTINCT event.person)
                 {_OF} AND {_HUMAN} AND event.kind = 'click' GROUP BY 1, 2""",
    "opens": f"SELECT {_DAY}, {_OPEN_KIND}, count(*) {_OF} AND event.kind = 'open' AND event.verdict <> 'pending' GROUP BY 1, 2",
    "curve": f"SELECT {_DAY}, ({_CURVE})::text, count(*) {_OF} AND {_HUMAN} AND event.kind = 'click' GROUP BY 1, 2",
}  # fmt: skip


class Filtered(NamedTuple):
    """Events of one kind that count as nobody's, and the first rule that said so."""

    kind: str
    verdict: str
    rule: str
    events: int


@dataclass(frozen=True, slots=True)
class Told:
    """A whole report. `people` by kind of act; `links` by number; `curve` has (UNIX minute, clicks of people).

    `waiting`: events too fresh to be judged. `computed_at` is None where nothing was ever computed.
    """

    people: Mapping[str, int]
    filtered: tuple[Filtered, ...]
    waiting: int
    links: Mapping[int, int]
    opens: Mapping[str, int]
    curve: tuple[tuple[int, int], ...]
    computed_at: datetime | None
    made_of: Mapping[str, Any] = field(default_factory=dict)  #: as `keep` was told


def keep(origin_id: int, *, made_of: Mapping[str, Any]) -> None:
    """Lay down, in the caller's transaction, what the origin's readers were when it started; no recount touches it."""
    report, _ = Report.objects.select_for_update().get_or_create(origin_id=origin_id)
    report.body = {**report.body, "made_of": made_of}
    report.save(update_fields=["body"])


def mark(origin_ids: Iterable[int], *, now: datetime) -> None:
    """Say, inside the caller's transaction, that events of these origins changed."""
    with connection.cursor() as cursor:
        changed = "SELECT unnest(%(origins)s::bigint[]) AS origin_id"
        cursor.execute(MARK.format(changed=changed), {"origins": sorted(set(origin_ids)), "now": now})


def add_late(acts: Iterable[Mapping[str, Any]]) -> None:
    """Note, inside the caller's transaction, acts of days behind the horizon, of which no row will be there to count.

    Each has origin_id, day, kind and how many (`n`); their reports are there, and marked.
    """
    by_origin: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for act in acts:
        by_origin[act["origin_id"]].append(act)
    rows = Report.objects.select_for_update(of=["self"]).filter(origin_id__in=by_origin).order_by("origin_id")
    for report in rows if by_origin else ():
        days = report.body.setdefault("days", {})
        for act in by_origin[report.origin_id]:
            fates = days.setdefault(str(act["day"]), {}).setdefault("fates", {})
            late = f"{act['kind']} unknown LATE"
            fates[late] = fates.get(late, 0) + act["n"]
        report.save(update_fields=["body"])


def refresh(*, now: datetime, most: int = MOST) -> int:
    """Compute reports that are stale, each at most every 30 seconds; how many."""
    due = Q(computed_at=None) | Q(computed_at__lte=now - EVERY)
    stale = Report.objects.filter(due, stale_since__isnull=False).order_by("stale_since", "id")
    ids = list(stale.values_list("id", flat=True)[:most])
    for report_id in ids:
        compute(report_id, now=now)
    return len(ids)


@transaction.atomic
def compute(report_id: int, *, now: datetime) -> None:
    """Add up one report's events anew; days before the horizon stay as they were told.

    Where it stands is asked again after the adding up: a day that another process removed meanwhile would be told as
    one on which nothing happened, for good.
    """
    report = Report.objects.select_for_update(of=["self"]).select_related("origin").get(id=report_id)
    found = days_of(report.origin_id, started_at=report.origin.started_at, first_day=horizon_minute() // 1440)
    first_day = horizon_minute() // 1440
    gone = {day: told for day, told in report.body.get("days", {}).items() if int(day) < first_day}
    days = {day: told for day, told in found.items() if int(day) >= first_day}
    Report.objects.filter(id=report_id).update(
        body={**report.body, "days": gone | days}, computed_at=now, stale_since=None
    )


def days_of(origin_id: int, *, started_at: datetime, first_day: int) -> dict[str, dict[str, dict[str, int]]]:
    """By day since 1970 and part, what the events from a day on add up to."""
    known: dict[str, Any] = {"origin": origin_id, "from": first_day, "until": started_at + BY_MINUTE}
    days: defaultdict[str, dict[str, dict[str, int]]] = defaultdict(lambda: {part: {} for part in _PARTS})
    with connection.cursor() as cursor:
        for part, query in _PARTS.items():
            cursor.execute(query, known)
            for day, key, n in cursor.fetchall():
                days[str(day)][part][key] = n
    return dict(days)


def told(origin_id: int) -> Told:
    """The report as it was last computed."""
    report = Report.objects.filter(origin_id=origin_id).first()
    if report is None:
        return summed({}, computed_at=None)
    found = summed(report.body.get("days", {}), computed_at=report.computed_at)
    return replace(found, made_of=report.body.get("made_of", {}))


def summed(days: Mapping[str, Any], *, computed_at: datetime | None) -> Told:
    """All days together."""
    sums: dict[str, Counter[str]] = {part: Counter() for part in _PARTS}
    for day in days.values():
        for part, counts in sums.items():
            counts.update(day.get(part, {}))
    fates = [_filtered(fate, n) for fate, n in sums["fates"].items()]
    return Told(
        people=sums["people"],
        filtered=tuple(sorted(fate for fate in fates if fate.verdict not in {"human", "pending"})),
        waiting=sum(fate.events for fate in fates if fate.verdict == "pending"),
        links={int(number): people for number, people in sums["links"].items()},
        opens={kind: sums["opens"][kind] for kind in OPENS},
        curve=tuple(sorted((int(minute), n) for minute, n in sums["curve"].items())),
        computed_at=computed_at,
    )


def _filtered(fate: str, events: int) -> Filtered:
    kind, verdict, rule = fate.split(" ", 2)
    return Filtered(kind=kind, verdict=verdict, rule=rule, events=events)
