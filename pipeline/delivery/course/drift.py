"""Whether a frozen audience is the usual one.

The rule: `expected` is the median of the frozen counts of the newsletter's last four editions that were sent. More than
`Newsletter.most_drift_pct` away from it, and more than fifty readers, is strange: a wrong list, a broken import, a
suppression that failed. Nothing leaves then before a person has typed the frozen number; unanswered, it is cancelled
when the edition is no news any more. A newsletter's first send has nothing to be compared with, and passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from django.db import transaction

from pipeline.delivery.course.barred import holds_killed_story
from pipeline.delivery.course.pace import due_again, wake_due
from pipeline.delivery.course.rest import lock
from pipeline.delivery.models import Send
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition
from pipeline.staff.journal import note
from pipeline.staff.models import User

USUAL_OF = 4
MOST_LOOKED_AT = 60
#: A small list changes by large shares: so few readers more or less are no accident.
NEVER_STRANGE = 50


@dataclass(frozen=True, slots=True)
class Estimate:
    """What lately sent editions had; `expected` is None where there were none."""

    expected: int | None

    def is_strange(self, count: int, *, most_pct: int) -> bool:
        """Whether a count differs by more than the newsletter allows."""
        if self.expected is None:
            return False
        apart = abs(count - self.expected)
        return apart > NEVER_STRANGE and apart * 100 > most_pct * self.expected


def usual(*, newsletter_id: int, before: datetime, weekday_in: str = "") -> Estimate:
    """From the last four sends before an instant; with a zone, of the same weekday there only."""
    sent = Send.objects.filter(
        edition__newsletter_id=newsletter_id, edition__slot_at__lt=before, state=Send.State.SUBMITTED
    ).order_by("-edition__slot_at")
    rows = list(sent.values_list("edition__slot_at", "recipients")[:MOST_LOOKED_AT])
    if weekday_in:
        there = ZoneInfo(weekday_in)
        rows = [row for row in rows if row[0].astimezone(there).weekday() == before.astimezone(there).weekday()]
    return estimate(count for _, count in rows[:USUAL_OF])


def estimate(counts: Iterable[int]) -> Estimate:
    """The median, rounded half to even."""
    known = list(counts)
    return Estimate(round(median(known)) if known else None)


def steer(send: Send, *, frozen: int) -> tuple[Send.State, str, dict[str, int]]:
    """Where a freshly frozen send goes: on its way, to a person who must confirm it, or nowhere with a killed story."""
    if Edition.objects.filter(holds_killed_story(), id=send.edition_id).exists():
        return Send.State.PAUSED, "story_killed", {}
    known = Estimate(send.expected)
    if known.is_strange(frozen, most_pct=send.edition.newsletter.most_drift_pct):
        return Send.State.ASKING, "audience_drift", {"frozen": frozen, "expected": send.expected or 0}
    return Send.State.SUBMITTING, "", {}


@transaction.atomic
def confirm(*, send_id: int, actor: User, typed_count: int, now: datetime) -> int:
    """Let an unusual audience be mailed; the person proves to have read its size by typing it. Raises Refused."""
    send = lock(send_id, actor=actor)
    if send.state != Send.State.ASKING:
        raise Refused(f"This send is {send.state}: nobody has to confirm it. Nothing was changed.")
    if typed_count != send.recipients:
        raise Refused(f"{typed_count} is not the number of readers of this send. Nothing was sent: read it again.")
    killed = Edition.objects.filter(holds_killed_story(), id=send.edition_id).exists()
    state, code = (Send.State.PAUSED, "story_killed") if killed else (Send.State.SUBMITTING, "")
    Send.objects.filter(id=send.id).update(state=state, code=code, params={}, confirmed_by=actor)
    note(
        verb="confirm", subject="send", subject_id=send.id, now=now, actor=actor, readers=send.recipients,
        expected=send.expected,
    )  # fmt: skip
    due_again(send=send, now=now)
    wake_due(send_id=send.id, now=now)
    return send.recipients
