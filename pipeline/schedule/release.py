"""What time does to an edition: collect, compose, settle at the cut-off, leave, or say why not."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.query import QuerySet

from pipeline.delivery import send
from pipeline.delivery.course.barred import holds_embargoed_story, holds_waiting_story
from pipeline.editions.acts import review
from pipeline.editions.choosing.departures import FARTHEST, departures, first_departure
from pipeline.editions.choosing.pool import cutoff_of
from pipeline.editions.compose import outdated, waits_for_stories
from pipeline.editions.models import Edition, Item, Newsletter
from pipeline.kernel.queue import Job, ring
from pipeline.schedule.lateness import Action, Decision, LatePolicy, decide
from pipeline.schedule.leaving import lead
from pipeline.staff.journal import note

MOST_AT_ONCE = 50
WAITING = (Edition.State.PLANNED, Edition.State.COLLECTING, Edition.State.READY)


def advance(*, now: datetime) -> None:
    """One tick. Every step is a conditional update, so that ticks may overlap, repeat or fail to come.

    What was decided of an edition holds for the revision it was decided of: a state comes back, as when a person takes
    an approval back between the look and the act of a slow tick.
    """
    _pass_by(now=now)
    _withdraw(now=now)
    _correct()
    _collect(now=now)
    _settle(now=now)
    _bring_forward(now=now)
    for edition_id in Edition.objects.filter(state=Edition.State.APPROVED, leaves_at__lte=now).values_list(
        "id", flat=True
    )[:MOST_AT_ONCE]:
        _leave(edition_id, now=now)


def _pass_by(*, now: datetime) -> None:
    """The slots of a newsletter that does not run pass, and leave a row; what a person approved still leaves."""
    by_itself = Q(state__in=WAITING) | Q(state=Edition.State.APPROVED, approved_by=None)
    running = Newsletter.objects.filter(id=OuterRef("newsletter_id"), state=Newsletter.State.ACTIVE)
    its_time = Q(slot_at__lte=now) | Q(leaves_at__lte=now)
    Edition.objects.filter(by_itself, its_time, ~Exists(running)).update(
        state=Edition.State.SKIPPED,
        code="newsletter_paused",
        params={},
        revision=F("revision") + 1,
        ended_at=now,
    )


def _withdraw(*, now: datetime) -> None:
    """A story was killed, or put under embargo, after it was chosen: compose again. A person approved other words."""
    states = (Edition.State.READY, Edition.State.APPROVED)
    for reason, barred in _BARRED.items():
        for edition in Edition.objects.filter(barred(), state__in=states)[:MOST_AT_ONCE]:
            _take_back(edition, reason, now=now)


_BARRED = {
    "a story of it was killed": send.holds_killed_story,
    "a story of it is under embargo": holds_embargoed_story,
}


@transaction.atomic
def _take_back(edition: Edition, reason: str, *, now: datetime) -> None:
    won = _as_seen(edition).update(
        state=Edition.State.COLLECTING, code=review.TAKEN_BACK if edition.edited else "", params={},
        approved_at=None, approved_by=None, leaves_at=None, revision=F("revision") + 1,
    )  # fmt: skip
    if won:
        note(verb="withdraw", subject="edition", subject_id=edition.id, now=now, reason=reason)


def _as_seen(edition: Edition) -> QuerySet[Edition]:
    return Edition.objects.filter(id=edition.id, state=edition.state, revision=edition.revision)


def _says_old_words() -> Exists:
    return Exists(Item.objects.filter(outdated(), edition=OuterRef("id"), picked=True))


def _correct() -> None:
    """A story says something else now than what was approved: the edition is rendered with it before it leaves."""
    approved = Edition.objects.filter(_says_old_words(), state=Edition.State.APPROVED)
    for edition_id in approved.order_by("slot_at").values_list("id", flat=True)[:MOST_AT_ONCE]:
        ring(Job.EDITIONS_COMPOSE, edition_id=edition_id)


def _collect(*, now: datetime) -> None:
    """Start composing ahead of the slot; ring again each tick until it is composed (composing twice is harmless)."""
    soon = [
        edition
        for edition in Edition.objects.filter(
            state__in=[Edition.State.PLANNED, Edition.State.COLLECTING],
            slot_at__lte=now + timedelta(days=1) + FARTHEST,
            newsletter__state=Newsletter.State.ACTIVE,
        )
        .select_related("newsletter")
        .order_by("slot_at")[:MOST_AT_ONCE]
        if first_departure(edition) - timedelta(seconds=edition.newsletter.compose_before_s) <= now
        and not waits_for_stories(edition, now=now)
    ]
    for edition in soon:
        late = lateness(edition, now=now)
        if late.action in {Action.HOLD, Action.WEB_ONLY} and not edition.edited:
            _expire(edition, late, now=now)
        else:
            Edition.objects.filter(id=edition.id, state=Edition.State.PLANNED).update(state=Edition.State.COLLECTING)
            ring(Job.EDITIONS_COMPOSE, edition_id=edition.id)


def _settle(*, now: datetime) -> None:
    """Between the draft and the cut-off stories may still come; after it none does by itself, and it is decided.

    A story that says something else now is said so in the draft, until the edition is due: who approves it at T-3
    minutes approves the corrected words, and rules approve no others.
    """
    ready = Edition.objects.filter(
        state=Edition.State.READY, composed_at__isnull=False, newsletter__state=Newsletter.State.ACTIVE
    )
    ready = ready.annotate(is_outdated=_says_old_words()).select_related("newsletter")
    for edition in ready.order_by("slot_at")[:MOST_AT_ONCE]:
        if edition.is_outdated and now < first_departure(edition):
            ring(Job.EDITIONS_COMPOSE, edition_id=edition.id)
        elif edition.composed_at and edition.composed_at >= cutoff_of(edition):
            _decide(edition, now=now)
        elif cutoff_of(edition) <= now:
            ring(Job.EDITIONS_COMPOSE, edition_id=edition.id)


def _decide(edition: Edition, *, now: datetime) -> None:
    """Rules approve after the cut-off; a person's approval that did not come by the slot meets the stated policy.

    One that still carries an approval was only rendered again because it was late. Taken back, it needs a person.
    """
    newsletter, taken_back = edition.newsletter, edition.code == review.TAKEN_BACK
    if edition.approved_at or (newsletter.approval == Newsletter.Approval.RULES and not taken_back):
        _grant(edition, now=now)
    elif newsletter.kind == Newsletter.Kind.ALERT:
        return  # raised for this moment: it waits for its person
    elif first_departure(edition) <= now and (taken_back or not _by_policy(edition, now=now)):
        _as_seen(edition).update(state=Edition.State.HELD, code="not_approved", params={}, revision=F("revision") + 1)


def _by_policy(edition: Edition, *, now: datetime) -> bool:
    """Whether the newsletter lets it leave although nobody approved it: as it is, or with its lead alone."""
    if edition.newsletter.unapproved == Newsletter.Unapproved.LEAD:
        return _grant_lead(edition, now=now)
    if edition.newsletter.unapproved == Newsletter.Unapproved.SEND:
        _grant(edition, now=now)
        return True
    return False


@transaction.atomic
def _grant(seen: Edition, *, now: datetime) -> None:
    if (edition := _locked(seen)) is not None:
        review.grant(edition, now=now, actor=edition.approved_by, undo=False)


@transaction.atomic
def _grant_lead(seen: Edition, *, now: datetime) -> bool:
    """Approve it with nothing but its lead, and say so; False, and nothing changed, if it cannot leave so."""
    edition = _locked(seen)
    if edition is None or not lead.cut_down(edition, now=now):
        transaction.set_rollback(True)
        return False
    review.grant(edition, now=now, actor=None, undo=False)
    Edition.objects.filter(id=edition.id).update(code=lead.CODE)
    return True


def _locked(seen: Edition) -> Edition | None:
    return _as_seen(seen).select_related("newsletter", "approved_by").select_for_update(of=("self",)).first()


def _bring_forward(*, now: datetime) -> None:
    """At its readers' clock an approved edition leaves with its first zone, but never within its undo window."""
    approved = Edition.objects.filter(state=Edition.State.APPROVED, newsletter__at_readers_clock=True)
    for edition in approved.select_related("newsletter").order_by("slot_at")[:MOST_AT_ONCE]:
        undo_s = edition.newsletter.undo_s if edition.approved_by_id else 0
        earliest = (edition.approved_at or now) + timedelta(seconds=undo_s)
        leaves_at = max(first_departure(edition), earliest)
        _as_seen(edition).exclude(leaves_at=leaves_at).update(leaves_at=leaves_at)


def _leave(edition_id: int, *, now: datetime) -> None:
    rows = Edition.objects.select_related("newsletter").annotate(is_outdated=_says_old_words())
    edition = rows.filter(id=edition_id, state=Edition.State.APPROVED).first()
    if edition is None:
        return  # another tick began it, or a person took it back
    late = lateness(edition, now=now)
    if late.action is Action.SEND:
        if edition.is_outdated:
            return  # it leaves with the words a worker was rung to bring up to date, or is late
        if not send.begin(edition_id=edition_id, now=now, departures=departures(edition)):
            _hold_waiting(edition_id)
    elif late.action is Action.RENDER_AGAIN:
        _as_seen(edition).update(state=Edition.State.COLLECTING, slot_at=now, revision=F("revision") + 1)
    else:
        _expire(edition, late, now=now)


def _hold_waiting(edition_id: int) -> None:
    """A story of it is held for a person: so is the edition, and it says so."""
    Edition.objects.filter(holds_waiting_story(), id=edition_id, state=Edition.State.APPROVED).update(
        state=Edition.State.HELD, code="story_held", params={}, approved_at=None, approved_by=None, leaves_at=None,
        revision=F("revision") + 1,
    )  # fmt: skip


def lateness(edition: Edition, *, now: datetime) -> Decision:
    """What the newsletter's late policy says of this edition now."""
    newsletter = edition.newsletter
    policy = LatePolicy(then=Action(newsletter.late_policy), after_s=newsletter.late_after_s)
    slot_at = first_departure(edition)
    if edition.approved_by_id and edition.approved_at:
        slot_at = max(slot_at, edition.approved_at)  # a person knew how late it was
    return decide(policy, slot_at=slot_at, now=max(now, slot_at), next_slot_at=_next_slot(edition))


def _next_slot(edition: Edition) -> datetime | None:
    later = Edition.objects.filter(newsletter_id=edition.newsletter_id, slot_at__gt=edition.slot_at)
    return later.order_by("slot_at").values_list("slot_at", flat=True).first()


def _expire(edition: Edition, late: Decision, *, now: datetime) -> None:
    """A slot that passed leaves a row: before approval it expires, after it a person must look."""
    approved = edition.state == Edition.State.APPROVED
    state = Edition.State.HELD if approved and late.action is Action.HOLD else Edition.State.EXPIRED
    _as_seen(edition).update(
        state=state, code="late", params={"late_s": int(late.late_s), "why": late.reason}, revision=F("revision") + 1,
        ended_at=None if state == Edition.State.HELD else now,
    )  # fmt: skip
