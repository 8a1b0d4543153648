"""What is looked at when all is quiet: every count, reading time and place against a recount of our own records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import redis

from tests.chaos.counting_house import STREAM, Doors, House
from tests.chaos.histories import DAY_S, Book, Judged, listed, read

COUNTS_FOR = timedelta(days=761)  #: 25 months


@dataclass(slots=True)
class Told:
    """The course of a run."""

    checkpoints: int = 0
    events: int = 0
    posted: int = 0
    days: int = 0
    late: int = 0
    votes: int = 0
    compared: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def compared(house: House, book: Book, *, now: datetime, told: Told) -> list[str]:
    """What differs, in words; nothing where everything is as it has to be."""
    told.checkpoints += 1
    (horizon, forgotten), *_ = house.rows(
        "SELECT coalesce(max(minute), 0), coalesce(max(forgotten), 0) FROM dateline_horizon"
    )
    rows = house.rows("SELECT id, verdict, rules, counted FROM dateline_event")
    judged = {bytes(key): Judged(verdict, rules) for key, verdict, rules, _ in rows}
    told.late = max(told.late, sum(found.rules == ["LATE"] for found in judged.values()))
    cells = _standing(book.counted(judged, horizon=horizon), now=now)
    told.votes = sum(cells.values())
    kept = {
        (a, m, c): n
        for a, m, c, n in house.rows("SELECT article_id, minute, channel, n FROM dateline_tally WHERE n <> 0")
    }
    counted, expected = sum(row[3] for row in rows), sum(n for cell, n in cells.items() if cell[1] >= horizon)
    told.compared += len(kept) + len(rows)
    return [
        *_missing(book, judged, horizon=horizon),
        *_modes(book, judged, forgotten=max(forgotten, horizon)),
        *_differences("tallies", Counter(kept), cells),
        *([f"{counted} events bear a vote of {expected}"] if counted != expected else []),
        *_readings(house, book, first_day=-(-horizon // 1440)),
        *_standings(house, cells, now=now, told=told),
    ]


def _standing(cells: Counter[tuple[int, int, str]], *, now: datetime) -> Counter[tuple[int, int, str]]:
    """Without those past their time: eight minutes of a run are more than two years of its clock."""
    floor = int((now - COUNTS_FOR).timestamp()) // 60
    return Counter({cell: n for cell, n in cells.items() if cell[1] >= floor})


def quiet(house: House, doors: Doors, *, now: datetime) -> bool:
    """Everything posted is in and judged, and what is to be forgotten and removed is."""
    try:
        if house.redis().xlen(STREAM):
            return False
        waiting = house.rows("SELECT count(*) FROM dateline_event WHERE verdict = 'pending'")[0][0]
        closed = house.rows("SELECT coalesce(max(forgotten), 0) * 60 FROM dateline_horizon")[0][0]
        oldest = house.rows("SELECT extract(epoch FROM min(at))::bigint FROM dateline_event")[0][0]
    except (psycopg.OperationalError, redis.RedisError):
        return False
    today = int(now.timestamp()) // DAY_S
    gone = oldest is None or oldest // DAY_S >= (int(now.timestamp()) - 30 * DAY_S) // DAY_S
    return bool(not waiting and closed == (today - 1) * DAY_S and gone and not doors.held)


def ranked(house: House, *, now: datetime) -> bool:
    """The four lists are of this moment."""
    query = f"SELECT count(*) FROM dateline_chart WHERE section = '' AND computed_at >= '{now.isoformat()}'"  # noqa: S608
    try:
        return bool(house.rows(query)[0][0] == 4)
    except psycopg.OperationalError:
        return False


def _missing(book: Book, judged: dict[bytes, Judged], *, horizon: int) -> list[str]:
    """Each event once: by its id, of days that are not gone."""
    due = {key for key, record in book.posted.items() if record.at_ms // 60_000 >= horizon}
    lost, strange = due - judged.keys(), judged.keys() - book.posted.keys()
    stale = {key for key in judged.keys() - due if key in book.posted}
    words = {"were lost": lost, "are nobody's": strange, "should be gone": stale}
    return [f"{len(keys)} events {what}, as {sorted(keys)[0].hex()}" for what, keys in words.items() if keys]


def _modes(book: Book, judged: dict[bytes, Judged], *, forgotten: int) -> list[str]:
    """Too late is only what is of a closed day; nothing is kept of who wants nothing kept."""
    faults = []
    for key, found in judged.items():
        record = book.posted[key]
        if found.rules == ["LATE"] and record.at_ms // 60_000 >= forgotten:
            faults.append(f"{key.hex()} is called late and its day is open")
        if book.wants_nothing_kept(record) and found.rules not in (["OFF"], ["LATE"]):
            faults.append(f"{key.hex()} is kept of a reader who wants nothing kept")
    return faults[:3]


def _differences(what: str, ours: Counter[Any], theirs: Counter[Any]) -> list[str]:
    wrong = sorted(key for key in ours.keys() | theirs.keys() if ours[key] != theirs[key])
    return [f"{len(wrong)} {what} differ, as {wrong[0]}: {ours[wrong[0]]} and {theirs[wrong[0]]}"] if wrong else []


def _readings(house: House, book: Book, *, first_day: int) -> list[str]:
    kept = Counter[Any]()
    for article, day, views, seconds in house.rows("SELECT article_id, day, views, seconds FROM dateline_reading"):
        kept[article, day, "views"], kept[article, day, "seconds"] = views, seconds
    ours, theirs = (
        Counter({key: n for key, n in told.items() if key[1] >= first_day and n})
        for told in (kept, read(book.posted.values()))
    )
    return _differences("reading times", ours, theirs)


def _standings(house: House, cells: Counter[tuple[int, int, str]], *, now: datetime, told: Told) -> list[str]:
    """Each place's number is its window's recount, and whoever stands as counted stands in the order of the numbers."""
    faults, recount = [], listed(cells, now=now)
    lines = house.rows(
        "SELECT chart.window, place, article_id, value, counted_in, code FROM dateline_standing JOIN dateline_chart chart"
        " ON chart.id = chart_id WHERE section = '' ORDER BY chart.window, place"
    )
    for window in recount:
        values = [line[3] for line in lines if line[0] == window == line[4] and not line[5]]
        if values != sorted(values, reverse=True):
            faults.append(f"the list of {window} is out of order: {values}")
    for window, place, article, value, counted_in, _code in lines:
        if counted_in in recount:
            told.compared += 1
            if recount[counted_in][article] != value:
                faults.append(
                    f"{place} of {window} stands with {value} of {recount[counted_in][article]} in {counted_in}"
                )
    return faults[:3]
