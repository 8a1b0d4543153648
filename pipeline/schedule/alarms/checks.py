"""Dead-man checks: 45, 15 and 5 minutes before an edition leaves and 10 minutes after, each once, each a row.

The database's rows, not the beat's memory, say which are due: a second beat finds them made, and one that was away
makes up for the last that is due and writes the others down as missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Exists, OuterRef
from django.db.models.query import QuerySet

from pipeline.editions.choosing.departures import FARTHEST, first_departure
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.queue import Job, ring
from pipeline.schedule.alarms import looks, pulse
from pipeline.schedule.alarms.drafts import policy_of
from pipeline.schedule.alarms.letters import review_url, tell_editors
from pipeline.schedule.models import Check

MARKS = (45, 15, 5)
AFTER = -10
MOST_AT_ONCE = 30
#: Afterwards nothing changes any more: the last check may be made this late, and counts as missed beyond.
LATEST = timedelta(hours=6)
_FORGOTTEN = timedelta(days=3)
#: A cadence of minutes would be looked at all the time; it is looked at afterwards.
_SHORTEST_S = 3600
_CONCERNED = (
    Edition.State.PLANNED, Edition.State.COLLECTING, Edition.State.READY, Edition.State.APPROVED, Edition.State.HELD,
    Edition.State.SENDING, Edition.State.SENT,
)  # fmt: skip


def sweep(*, now: datetime) -> None:
    """Leave a sign of life, and ring for every edition with a check that is due. Every tick."""
    pulse.keep(now=now)
    for edition in _concerned(now=now)[:MOST_AT_ONCE]:
        if any(_due(edition, now=now)):
            ring(Job.SCHEDULE_CHECK, edition_id=edition.id)


def look(*, edition_id: int, now: datetime) -> int:
    """Make the checks of an edition that are due; how many rows this call made. Any number of callers make one each."""
    edition = _concerned(now=now).filter(id=edition_id).first()
    if edition is None:
        return 0
    made = 0
    for mark, missed in list(_due(edition, now=now)):
        found = [_MISSED] if missed else looks.after(edition) if mark == AFTER else looks.before(edition, now=now)
        red = any(one.is_red for one in found)
        row = Check(edition=edition, mark=mark, at=now, findings=[asdict(one) for one in found], is_red=red)
        Check.objects.bulk_create([row], ignore_conflicts=True)
        made += 1
    _tell(edition, now=now)
    return made


_MISSED = looks.Look("missed", False, "Nobody looked: the clock stood still at the time.")


def _due(edition: Edition, *, now: datetime) -> Iterator[tuple[int, bool]]:
    """Marks that are due and have no row, and whether their time has passed."""
    departs, known = first_departure(edition), set(edition.checks.values_list("mark", flat=True))
    marks = (*(MARKS if _is_slow(edition.newsletter) else ()), AFTER)
    for mark, following in pairwise((*marks, None)):
        at = departs - timedelta(minutes=mark or 0)
        until = at + LATEST if following is None else departs - timedelta(minutes=following)
        if mark in known or mark is None or at > now or (mark != AFTER and at < edition.newsletter.created_at):
            continue
        yield mark, until <= now


def _is_slow(newsletter: Newsletter) -> bool:
    """Whether its editions are planned long enough before to be looked at."""
    kind = newsletter.cadence.get("kind", "manual")
    if newsletter.kind == Newsletter.Kind.ALERT or kind == "manual":
        return False
    return kind != "interval" or int(newsletter.cadence.get("every_s", 0)) >= _SHORTEST_S


def _concerned(*, now: datetime) -> QuerySet[Edition]:
    done = Check.objects.filter(edition_id=OuterRef("id"), mark=AFTER)
    return (
        Edition.objects.filter(
            ~Exists(done),
            state__in=_CONCERNED,
            slot_at__gt=now - _FORGOTTEN,
            slot_at__lte=now + timedelta(minutes=max(MARKS)) + FARTHEST,
            newsletter__state=Newsletter.State.ACTIVE,
        )
        .select_related("newsletter")
        .order_by("slot_at")
    )


def _tell(edition: Edition, *, now: datetime) -> None:
    """One letter for what is red and was not told; if it cannot be sent, the next check tries again."""
    red = Check.objects.filter(edition=edition, is_red=True, told_at=None)
    ids = [check.id for check in red if Check.objects.filter(id=check.id, told_at=None).update(told_at=now)]
    if not ids:
        return
    said = dict.fromkeys(
        one["said"]
        for check in Check.objects.filter(id__in=ids).order_by("-mark")
        for one in check.findings
        if one["is_red"]
    )
    facts = {
        "leaves_at": first_departure(edition),
        "findings": list(said),
        "policy": policy_of(edition) if edition.state in (Edition.State.READY, Edition.State.HELD) else "",
        "review_url": review_url(edition),
    }
    if not tell_editors("trouble", newsletter=edition.newsletter, facts=facts, now=now):
        Check.objects.filter(id__in=ids).update(told_at=None)
