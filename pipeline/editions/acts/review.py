"""What people decide about an edition. Every act names its revision: nobody overwrites what they have not seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from pipeline.editions.acts import revisions
from pipeline.editions.models import Edition
from pipeline.kernel.queue import Job, wake
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, JournalEntry, User
from pipeline.staff.people import may_touch

#: Held for want of a decision, not for a fault.
APPROVABLE_HOLDS = ("not_approved", "late", "asks_below_minimum", "asks_short_block", "story_held")
#: A person took the approval back: neither the newsletter's rule nor its policy approves it again.
TAKEN_BACK = "taken_back"
#: In which an editor's hand changes it; what is approved must be taken back first.
CHANGEABLE = (Edition.State.COLLECTING, Edition.State.READY, Edition.State.HELD)


class Refused(Exception):
    """The act is not possible; the message says why, what was kept, and what to do."""


class Stale(Refused):
    """It changed since this person looked."""


@transaction.atomic
def approve(*, edition_id: int, revision: int, actor: User, now: datetime, letter: str = "") -> Edition:
    """Let it leave at its slot, or after the undo window if that is later. Raises Refused.

    `letter` names the letter whose link this person decides by, which works once.

    One that is held because its slot passed may still be approved: a person outweighs the late policy.
    """
    states = (Edition.State.READY, Edition.State.HELD)
    edition = open_edition(edition_id, revision=revision, actor=actor, states=states, act="approved")
    if edition.state == Edition.State.HELD and edition.code not in APPROVABLE_HOLDS:
        raise Refused("Preflight forbids this edition. Nothing was changed: mend what it names, then approve.")
    by = _by_letter(edition, actor, letter)
    grant(edition, now=now, actor=actor)
    note(verb="approve", subject="edition", subject_id=edition.id, now=now, actor=actor, revision=revision, **by)
    return edition


def grant(edition: Edition, *, now: datetime, actor: User | None, undo: bool = True) -> None:
    """Set an edition on its way, in the caller's transaction; `actor` None is the newsletter's own rule."""
    window = timedelta(seconds=edition.newsletter.undo_s if undo else 0)
    edition.state, edition.code, edition.params = Edition.State.APPROVED, "", {}
    edition.approved_at, edition.approved_by = now, actor
    edition.leaves_at = max(edition.slot_at, now + window)
    edition.revision += 1
    edition.save()


@transaction.atomic
def undo(*, edition_id: int, actor: User, now: datetime) -> Edition:
    """Take an approval back while nothing has left. Raises Refused once it is sending."""
    edition = open_edition(edition_id, revision=None, actor=actor, states=(Edition.State.APPROVED,), act="taken back")
    edition.state, edition.code = Edition.State.READY, TAKEN_BACK
    void_approval(edition)
    edition.revision += 1
    edition.save()
    note(verb="undo", subject="edition", subject_id=edition.id, now=now, actor=actor)
    return edition


@transaction.atomic
def skip(
    *, edition_id: int, revision: int, actor: User, reason: str, now: datetime, letter: str = ""
) -> Edition:  # fmt: skip
    """Do not send this one; its stories stay candidates for the next. `letter` as for approving. Raises Refused."""
    states = (Edition.State.PLANNED, Edition.State.COLLECTING, Edition.State.READY, Edition.State.HELD)
    edition = open_edition(edition_id, revision=revision, actor=actor, states=states, act="skipped")
    by = _by_letter(edition, actor, letter)
    edition.state, edition.code, edition.params = (
        Edition.State.SKIPPED,
        "by_editor",
        {"who": str(actor), "why": reason},
    )
    edition.ended_at = now
    edition.revision += 1
    edition.save()
    note(verb="skip", subject="edition", subject_id=edition.id, now=now, actor=actor, reason=reason, **by)
    return edition


def decided_by_letter(edition_id: int, actor: User) -> JournalEntry | None:
    """What this person decided about it by the link of a letter, if they did."""
    acts = JournalEntry.objects.filter(subject="edition", subject_id=edition_id, actor=actor)
    return acts.filter(detail__has_key="letter").order_by("-id").first()


def _by_letter(edition: Edition, actor: User, letter: str) -> dict[str, str]:
    """For the journal. Under the lock of the edition: a link works once."""
    if not letter:
        return {}
    if decided_by_letter(edition.id, actor):
        raise Refused("You decided about this edition by this link already. Nothing was changed: go on at the desk.")
    return {"letter": letter}


@transaction.atomic
def rewrite(
    *, edition_id: int, revision: int, actor: User, subject: str, preheader: str, words: str, now: datetime
) -> Edition:
    """Change the subject, the preview line and the editor's note, and compose again. Raises Refused."""
    edition = open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    revisions.begin(edition, now=now)
    edition.subject, edition.preheader, edition.note = subject.strip(), preheader.strip(), words.strip()
    edition.edited = True
    compose_anew(edition)
    note(verb="rewrite", subject="edition", subject_id=edition.id, now=now, actor=actor, line=edition.subject)
    revisions.keep(edition, actor=actor, verb="rewrite", now=now)
    return edition


@transaction.atomic
def compose_again(*, edition_id: int, actor: User, now: datetime) -> Edition:
    """Take a ready or held edition through its rules once more; what people wrote stays. Raises Refused."""
    states = (Edition.State.READY, Edition.State.HELD)
    edition = open_edition(edition_id, revision=None, actor=actor, states=states, act="composed again")
    compose_anew(edition)
    note(verb="compose_again", subject="edition", subject_id=edition.id, now=now, actor=actor)
    return edition


def compose_anew(edition: Edition) -> None:
    """Save it, for a worker to compose once more; an approval was for other words."""
    edition.state = Edition.State.COLLECTING
    edition.code = TAKEN_BACK if edition.code == TAKEN_BACK else ""
    void_approval(edition)
    edition.revision += 1
    edition.save()
    wake(Job.EDITIONS_COMPOSE, edition_id=edition.id)


def void_approval(edition: Edition) -> None:
    """What was approved were other words."""
    edition.approved_at = edition.approved_by = edition.leaves_at = None


#: What to do about an edition in the way of an act.
_INSTEAD = {
    Edition.State.APPROVED: ": take the approval back first, while that can be done",
    Edition.State.SENDING: "; what is accepted cannot be recalled, the rest can be paused",
    Edition.State.SENT: "; what is in inboxes cannot be recalled",
}


def open_edition(
    edition_id: int, *, revision: int | None, actor: User, states: tuple[Edition.State, ...], act: str
) -> Edition:
    """The edition, locked, if this person may do this to it now. Raises Refused."""
    if not actor.may_edit:
        raise Refused("Your role may look at editions but not change them. Nothing was changed; ask a desk head.")
    edition = Edition.objects.select_for_update(of=("self",)).select_related("newsletter").get(id=edition_id)
    if not may_touch(actor, Grant.Kind.NEWSLETTER, edition.newsletter_id):
        raise Refused(f"You work for other newsletters than {edition.newsletter.name}. Nothing was changed.")
    if revision is not None and edition.revision != revision:
        raise Stale(
            "Someone changed this edition while you were reading it. Nothing of yours was lost or applied: look again."
        )
    if edition.state not in states:
        hint = _INSTEAD.get(Edition.State(edition.state), "")
        raise Refused(f"This edition is {edition.state} and can no longer be {act}. Nothing was changed{hint}.")
    return edition
