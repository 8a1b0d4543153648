"""When to look again (the watching reference 1.4, 5 and 7). Pure: every fact comes in, the dice with them.

A site whose owner agreed is asked every minute or two in newsroom hours and every five minutes at night; a stranger's
is asked four to a handful of times between two stories, never more often than every quarter of an hour. Errors back
off, Retry-After is obeyed, and a push that works leaves only a poll every five minutes to catch what it misses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SHORTEST_S, LONGEST_S = 1.0, 3600.0
LONGEST_RETRY_AFTER_S = 86_400.0
DAY_S = 86_400.0
JITTER = 0.1
AS_ASKED_BELOW_S = 60  #: whoever sets less than a minute means it, day and night: a demo, an election
NIGHT = range(5)  #: hours on the newsroom's clock
NIGHT_S = BACKUP_S = QUIET_S = 300.0
BROKEN_PUSH_S = 60.0
BUSY_WITHIN_S = 1800.0  #: a story this lately means that somebody is at work, whatever the hour
QUIET_AFTER_S = 7 * DAY_S
STRANGER_S = (900.0, 3600.0)
LOOKS_BETWEEN_STORIES = 4
RECONCILE_S = 300.0
ASK_AGAIN_S = DAY_S  #: a site that refused us is tried once a day, until its owner has opened the door


class Task(StrEnum):
    """What a channel is for, which decides how often it is worth asking."""

    LEAD = "lead"  #: the way by which stories are found first
    RECONCILE = "reconcile"  #: compares with what another way already found
    ARCHIVE = "archive"  #: a whole list of everything: once a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known after a look. `hour` is on the newsroom's clock; `found_s` is how long ago a story was found."""

    poll_s: int
    is_ours: bool
    hour: int
    task: Task = Task.LEAD
    errors: int = 0
    retry_after_s: float | None = None
    refused: bool = False  #: three times: only its owner can help
    push_works: bool = False
    push_broken: bool = False
    found_s: float | None = None
    usual_gap_s: float | None = None  #: between two stories


def next_look_s(facts: Facts, *, jitter: float) -> float:
    """Seconds until the next look. `jitter` is between -1 and 1 and moves the answer by at most a tenth.

    At least SHORTEST_S; at most LONGEST_S, or a day where the site asks for it, refuses us or is only reconciled.
    """
    asked = min(facts.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    wait = _undisturbed(facts)
    if facts.refused:
        wait = ASK_AGAIN_S
    elif facts.errors:
        base = min(wait, LONGEST_S) if facts.task is not Task.ARCHIVE else QUIET_S
        wait = min(LONGEST_S, max(base, float(facts.poll_s)) * 2 ** min(facts.errors, 12))
    shaken = wait * (1 + JITTER * max(-1.0, min(1.0, jitter))) if facts.poll_s >= AS_ASKED_BELOW_S else wait
    longest = LONGEST_S if wait <= LONGEST_S else DAY_S
    return max(SHORTEST_S, asked, min(longest, shaken))


def _undisturbed(facts: Facts) -> float:
    if facts.task is Task.ARCHIVE:
        return DAY_S
    if facts.is_ours and facts.poll_s < AS_ASKED_BELOW_S:
        return float(facts.poll_s)
    wait = _ours(facts) if facts.is_ours else _strangers(facts)
    return max(wait, RECONCILE_S) if facts.task is Task.RECONCILE else wait


def _ours(facts: Facts) -> float:
    if facts.push_broken:
        return min(float(facts.poll_s), BROKEN_PUSH_S)
    slow = facts.found_s is not None and facts.found_s > QUIET_AFTER_S
    busy = facts.found_s is not None and facts.found_s < BUSY_WITHIN_S
    at_night = facts.hour in NIGHT and not busy
    floors = [NIGHT_S] * at_night + [BACKUP_S] * facts.push_works + [QUIET_S] * slow
    return max([float(facts.poll_s), *floors])


def _strangers(facts: Facts) -> float:
    often, seldom = STRANGER_S
    wished = facts.usual_gap_s / LOOKS_BETWEEN_STORIES if facts.usual_gap_s is not None else seldom / 2
    return max(often, min(seldom, max(wished, float(facts.poll_s))))
