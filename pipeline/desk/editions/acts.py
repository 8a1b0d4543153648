"""What editors do to an edition and its send: always by POST, always answered in words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.delivery import send as sending
from pipeline.delivery.course import doubts, drift, rest
from pipeline.delivery.models import Delivery, Send
from pipeline.desk import frame, sign_in, words
from pipeline.desk.editions import page
from pipeline.desk.editions.composing import versions
from pipeline.desk.queue import counts
from pipeline.editions.acts import merging, review
from pipeline.editions.models import Edition
from pipeline.kernel.pages import local
from pipeline.staff.people import may_edit

NOT_YOURS = "Your role may look at sends but not change them. Nothing was changed; ask a desk head."
SOON = "The edition is being composed again; look again in a moment."
#: Seconds a page waits for the worker to compose again, and between two looks: the next act must start from what it made.
PATIENCE_S, LOOK_EVERY_S = 2.5, 0.05
#: Holders of batches look whether they may go on at least this often.
STOPS_WITHIN_S = 1
NO_REASON = "Say why, in a few words: it stands in the history of this edition. Nothing was changed."


@sign_in.required
@require_POST
def approve(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Let it leave."""
    try:
        row = review.approve(
            edition_id=known(edition_id), revision=revision_of(request), actor=request.user, now=timezone.now()
        )
    except review.Refused as error:
        return refused(request, edition_id, error)
    leaves = local(row.leaves_at, frame.zone_of(row.newsletter))
    messages.success(request, f"Approved. It leaves {leaves}; until then you can take it back.")
    return back(edition_id)


@sign_in.required
@require_POST
def undo(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Take an approval back."""
    try:
        review.undo(edition_id=known(edition_id), actor=request.user, now=timezone.now())
    except review.Refused as error:
        return refused(request, edition_id, error)
    messages.success(request, "Taken back: nothing was sent. It waits for approval again.")
    return back(edition_id)


@sign_in.required
@require_POST
def skip(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Leave this one out."""
    reason = reason_of(request)
    if not reason:
        messages.error(request, NO_REASON)
        return back(edition_id)
    try:
        review.skip(
            edition_id=known(edition_id),
            revision=revision_of(request),
            actor=request.user,
            reason=reason,
            now=timezone.now(),
        )
    except review.Refused as error:
        return refused(request, edition_id, error)
    messages.success(request, "Skipped: nothing is sent, and its stories stay candidates for the next edition.")
    return back(edition_id)


@sign_in.required
@require_POST
def again(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Compose it again, after a rule or a design was mended."""
    try:
        row = review.compose_again(edition_id=known(edition_id), actor=request.user, now=timezone.now())
    except review.Refused as error:
        return refused(request, edition_id, error)
    messages.success(request, "Composed again." if composed(row) else SOON)
    return back(edition_id)


@sign_in.required
@require_POST
def write(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Change the subject, the preview line and the note. What was written is shown again where it is not taken."""
    form = page.WordsForm(request.POST)
    draft = {name: request.POST.get(name, "") for name in form.fields}
    if not form.is_valid():
        return page.shown(request, edition_id=edition_id, unkept=page.Unkept(faults(form), draft), status=400)
    try:
        kept = _rewritten(request, known(edition_id), form.cleaned_data)
    except merging.Clashing as error:
        unkept = page.Unkept(
            versions.clash(edition_id, error, **looked(request)), error.merge.words, clashes=error.names
        )
        return page.shown(request, edition_id=edition_id, unkept=unkept, status=409)
    except review.Refused as error:
        unkept = page.Unkept(versions.why(edition_id, error, **looked(request)), draft)
        return page.shown(request, edition_id=edition_id, unkept=unkept, status=409)
    done = "The preview shows your words." if composed(kept.edition) else SOON
    messages.success(request, f"Kept. {versions.taken(kept, **looked(request))}{done}")
    return back(edition_id)


def _rewritten(request: sign_in.Guest, edition_id: int, told: Mapping[str, str]) -> merging.Kept:
    """On top of what others did meanwhile, where the form says what it was filled with."""
    who: dict[str, Any] = {"edition_id": edition_id, "actor": request.user, "now": timezone.now()}
    base, mine = versions.seen_in(request.POST, tuple(told)), {name: str(text) for name, text in told.items()}
    if base is not None:
        return merging.rewrite(base=base, mine=versions.picked(request.POST, mine, base), **who)
    subject, preheader, words_ = mine["subject"], mine["preheader"], mine["note"]
    return merging.Kept(
        review.rewrite(revision=revision_of(request), subject=subject, preheader=preheader, words=words_, **who)
    )


def _may(request: sign_in.Guest, edition_id: int) -> bool:
    """Whether this person may change the send of this edition, by role and by what they are limited to."""
    newsletter_id = get_object_or_404(Edition.objects.only("newsletter_id"), id=edition_id).newsletter_id
    return may_edit(request.user, newsletter_id)


@sign_in.required
@require_POST
def pause(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Stop handing over."""
    if not _may(request, edition_id):
        return _not_yours(request, edition_id)
    send = _send(edition_id)
    stopped = sending.pause(send_id=send.id, now=timezone.now(), actor=request.user)
    said = _paused(counts.of([send])[send.id])
    return _told(
        request,
        edition_id,
        done=stopped,
        said=said,
        otherwise="It was not being sent, so there was nothing to pause.",
    )


def _paused(count: counts.Counts) -> str:
    """What a pause does, and what it cannot do any more."""
    gone = words.count(count.of(Delivery.State.ACCEPTED), "message")
    return (
        f"Paused. It will stop within about {STOPS_WITHIN_S} s; {gone} already accepted cannot be recalled, and "
        f"{words.count(count.waiting, 'reader')} wait. Resume goes on where it stopped."
    )


@sign_in.required
@require_POST
def resume(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Go on."""
    if not _may(request, edition_id):
        return _not_yours(request, edition_id)
    moved = sending.resume(send_id=_send(edition_id).id, now=timezone.now(), actor=request.user)
    said = "Going on where it stopped. Nobody who has it gets it again."
    return _told(
        request,
        edition_id,
        done=moved,
        said=said,
        otherwise="It was not paused, so there was nothing to resume.",
    )


@sign_in.required
@require_POST
def cancel(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Cancel the rest."""
    reason = reason_of(request)
    if not _may(request, edition_id):
        return _not_yours(request, edition_id)
    if not reason:
        messages.error(request, NO_REASON)
        return back(edition_id, request)
    send = _send(edition_id)
    spared = sending.cancel(send_id=send.id, now=timezone.now(), actor=request.user, reason=reason)
    send.refresh_from_db()
    accepted = Delivery.objects.filter(send=send, state=Delivery.State.ACCEPTED).count()
    said = f"Cancelled: {words.count(spared, 'reader')} will not get it. {words.count(accepted, 'message')} had been accepted and cannot be recalled."
    otherwise = "It had ended already; there was nothing left to cancel."
    return _told(request, edition_id, done=send.state == Send.State.CANCELLED, said=said, otherwise=otherwise)


@sign_in.required
@require_POST
def confirm(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Let an unusual audience be mailed."""
    typed = number_of("".join(request.POST.get("readers", "").split()))
    try:
        count = drift.confirm(send_id=_send(edition_id).id, actor=request.user, typed_count=typed, now=timezone.now())
    except review.Refused as error:
        return refused(request, edition_id, error)
    messages.success(request, f"Confirmed: it leaves to {words.count(count, 'reader')} now.")
    return back(edition_id, request)


@sign_in.required
@require_POST
def to_the_rest(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Send a cancelled one to those it spared."""
    try:
        count = rest.to_the_rest(send_id=_send(edition_id).id, actor=request.user, now=timezone.now())
    except review.Refused as error:
        return refused(request, edition_id, error)
    messages.success(request, f"It goes on to the {words.count(count, 'reader')} it had spared. Nobody gets it twice.")
    return back(edition_id, request)


@sign_in.required
@require_POST
def settle_doubts(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Resend to those in doubt, or state that they are left alone."""
    resend = not request.POST.get("leave")
    try:
        count = doubts.settle_doubts(
            send_id=_send(edition_id).id, actor=request.user, resend=resend, now=timezone.now()
        )
    except review.Refused as error:
        return refused(request, edition_id, error)
    who = words.count(count, "reader")
    said = (
        f"Sent once more to {who} in doubt, under the same number."
        if resend
        else f"Left alone: {who} may have it or not. Your decision stands in the history."
    )
    messages.success(request, said)
    return back(edition_id, request)


def composed(row: Edition) -> bool:
    """Wait until a worker has composed what an act just changed; whether it came in time. Outside a transaction."""
    until = time.monotonic() + PATIENCE_S
    while Edition.objects.filter(id=row.id, revision=row.revision).exists():
        if time.monotonic() >= until:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def faults(form: forms.Form) -> str:
    """What is wrong with a form, in a line."""
    return " ".join(f"{name.capitalize()}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())


def known(edition_id: int) -> int:
    return get_object_or_404(Edition.objects.only("id"), id=edition_id).id


def _send(edition_id: int) -> Send:
    return get_object_or_404(Send, edition_id=edition_id)


def revision_of(request: HttpRequest) -> int:
    """The revision the person looked at; anything else never matches."""
    said = request.POST.get("revision", "")
    return int(said) if said.isascii() and said.isdigit() else -1


def looked(request: sign_in.Guest) -> dict[str, Any]:
    """What this person saw, and who they are: what others did since is theirs to know."""
    return {"revision": revision_of(request), "but": request.user}


def number_of(said: str) -> int:
    """The number of a row as a form or an address says it; 0 is nobody's."""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 0


def reason_of(request: HttpRequest) -> str:
    """Why, on one line."""
    said = "".join(c if c.isprintable() else " " for c in request.POST.get("reason", ""))
    return " ".join(said.split())[:300]


def refused(request: sign_in.Guest, edition_id: int, error: review.Refused) -> HttpResponse:
    messages.error(request, versions.why(edition_id, error, **looked(request)))
    return back(edition_id, request)


def _not_yours(request: HttpRequest, edition_id: int) -> HttpResponse:
    messages.error(request, NOT_YOURS)
    return back(edition_id, request)


def _told(request: HttpRequest, edition_id: int, *, done: bool, said: str, otherwise: str) -> HttpResponse:
    if done:
        messages.success(request, said)
    else:
        messages.warning(request, otherwise)
    return back(edition_id, request)


def back(edition_id: int, request: HttpRequest | None = None) -> HttpResponse:
    """To the edition, or to its send in the queue where the act came from there."""
    from_queue = request is not None and request.POST.get("to") == "queue"
    return redirect("desk:send" if from_queue else "desk:edition", edition_id=edition_id)
