"""A draft is ready: its editors get what is in it, what stands in its way and the page where they decide.

Once, and once more each time an approval was taken back because the site changed a story.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.query import QuerySet

from pipeline.editions.choosing.departures import first_departure, zone_of
from pipeline.editions.compose import ASK_AGAIN
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.preflight import BLOCK, CONFIRM
from pipeline.kernel.queue import Job, ring
from pipeline.kernel.templating import clock
from pipeline.schedule.alarms.letters import decide_url, review_url, tell_editors
from pipeline.staff.journal import note
from pipeline.staff.models import JournalEntry

VERB = "draft_ready"
MOST_AT_ONCE, MOST_FINDINGS = 20, 6
_SINCE = timedelta(days=3)
#: How long the links of a letter work that was written when the slot had passed; else until it leaves.
LATE_LINKS = timedelta(minutes=30)
#: Composed and waiting for somebody; what preflight blocks waits more than anything.
_ASKS = (Edition.State.READY, Edition.State.HELD)


def sweep(*, now: datetime) -> None:
    """Ring for every draft its editors have not been told of."""
    for edition_id in _untold(now=now).order_by("slot_at").values_list("id", flat=True)[:MOST_AT_ONCE]:
        ring(Job.SCHEDULE_NOTICE, edition_id=edition_id)


def tell(*, edition_id: int, now: datetime) -> int | None:
    """Tell the editors of a draft; how many letters were taken, None if it was told before.

    The journal entry is kept before the first letter leaves: a crash in between tells some of them nothing, and
    nobody twice. The desk shows the draft either way.
    """
    with transaction.atomic():
        # asked under the lock, for who had it before us may have told
        list(Edition.objects.select_for_update().filter(id=edition_id).values_list("id"))
        edition = _untold(now=now).filter(id=edition_id).first()
        if edition is None:
            return None
        entry = note(verb=VERB, subject="edition", subject_id=edition.id, now=now)
    until = max(first_departure(edition), now + LATE_LINKS)
    taken = tell_editors(
        VERB, newsletter=edition.newsletter, facts=facts_of(edition), now=now,
        own=lambda user: {"decide_url": decide_url(edition, user, until=until)},
    )  # fmt: skip
    JournalEntry.objects.filter(id=entry.id).update(detail={"letters": taken})
    return taken


def facts_of(edition: Edition) -> dict[str, Any]:
    """What the notice says."""
    picked = (
        edition.items.filter(picked=True).select_related("article", "block").order_by("block__position", "position")
    )
    headlines = [item.overrides.get("headline") or item.article.headline for item in picked]
    serious = [row["sentence"] for row in edition.preflight if row["level"] in (BLOCK, CONFIRM)]
    return {
        "leaves_at": first_departure(edition),
        "stories": len(headlines),
        "headlines": headlines,
        "edition_subject": edition.subject,
        "findings": serious[:MOST_FINDINGS],
        "policy": policy_of(edition),
        "review_url": review_url(edition),
    }


def policy_of(edition: Edition) -> str:
    """What happens to it if nobody decides, in a sentence."""
    if edition.state == Edition.State.HELD:
        return "It is held: nothing is sent before somebody decides."
    leaves = clock(first_departure(edition), zone_of(edition.newsletter))
    return f"If nobody approves it by {leaves}, {_UNAPPROVED[Newsletter.Unapproved(edition.newsletter.unapproved)]}."


_UNAPPROVED = {
    Newsletter.Unapproved.HOLD: "it is held and nothing is sent",
    Newsletter.Unapproved.SEND: "it is sent as it is",
    Newsletter.Unapproved.LEAD: "only its lead story is sent",
}


def _untold(*, now: datetime) -> QuerySet[Edition]:
    asked_since = JournalEntry.objects.filter(
        verb=ASK_AGAIN, subject="edition", subject_id=OuterRef("subject_id"), at__gte=OuterRef("at")
    )
    told = JournalEntry.objects.filter(
        ~Exists(asked_since), verb=VERB, subject="edition", subject_id=OuterRef("id"), at__gt=now - _SINCE
    )
    return Edition.objects.select_related("newsletter").filter(
        ~Exists(told),
        state__in=_ASKS,
        composed_at__isnull=False,
        slot_at__gt=now - timedelta(hours=1),
        newsletter__state=Newsletter.State.ACTIVE,
        newsletter__approval=Newsletter.Approval.EDITOR,
    )
