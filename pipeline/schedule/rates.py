"""How many mails a week each topic means, told to readers where they choose: written to `Topic.per_week` every hour.

As the cadence plans them over the next twelve weeks, days off left out; where none are planned (alerts, newsletters
sent by hand), as they were sent in the last four. A newsletter that is paused or has ended adds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Count

from pipeline.audience.models import Topic
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule.slots import Cadence, CadenceError, slots

AHEAD = timedelta(weeks=12)
LOOK_BACK = timedelta(weeks=4)
_WEEK = timedelta(weeks=1)


def learn(*, now: datetime) -> int:
    """Bring every topic up to date; how many changed."""
    sums: defaultdict[int, float] = defaultdict(float)
    running = Newsletter.objects.filter(state=Newsletter.State.ACTIVE)
    sent = _sent(now=now)
    for newsletter in running.only("id", "topic_id", "kind", "cadence", "created_at"):
        sums[newsletter.topic_id] += _planned(newsletter, now=now) or _lately(newsletter, sent, now=now)
    changed = [topic for topic in Topic.objects.all() if topic.per_week != round(sums[topic.id], 2)]
    for topic in changed:
        topic.per_week = round(sums[topic.id], 2)
    return Topic.objects.bulk_update(changed, ["per_week"]) if changed else 0


def _planned(newsletter: Newsletter, *, now: datetime) -> float:
    try:
        cadence = Cadence.from_json(newsletter.cadence)
    except CadenceError:  # the desk shows it; readers are told nothing
        return 0.0
    if newsletter.kind == Newsletter.Kind.ALERT:
        return 0.0
    if cadence.kind == "interval":
        return _WEEK.total_seconds() / cadence.every_s
    return len(slots(cadence, after=now, until=now + AHEAD)) / (AHEAD / _WEEK)


def _lately(newsletter: Newsletter, sent: dict[int, int], *, now: datetime) -> float:
    """One that is new is judged by the weeks it has had, and by one at the least."""
    weeks = min(LOOK_BACK, max(now - newsletter.created_at, _WEEK)) / _WEEK
    return sent.get(newsletter.id, 0) / weeks


def _sent(*, now: datetime) -> dict[int, int]:
    rows = Edition.objects.filter(state=Edition.State.SENT, slot_at__gt=now - LOOK_BACK, slot_at__lte=now)
    return dict(rows.values_list("newsletter_id").annotate(count=Count("id")).order_by())
