"""What editors do to a source and to the brake: always by POST, always answered in words."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.articles.gates import holds
from pipeline.desk import sign_in
from pipeline.desk.sources import page
from pipeline.desk.sources.adding import NOT_YOURS
from pipeline.desk.sources.terms import TermsForm, faults
from pipeline.desk.stories.holds import reason_of
from pipeline.desk.words import count
from pipeline.sources import steer
from pipeline.sources.models import Push, Source

NO_REASON = "Say why, in a few words: everybody sees it while telling is stopped. Nothing was changed."
NOT_YOUR_BRAKE = "Your role may not stop or start telling. Nothing was changed; call a desk head."


@sign_in.required
@require_POST
def pause(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Look no more."""
    if not _may(request, source_id):
        return _back(source_id)
    done = steer.pause(source_id=source_id, actor=request.user, now=timezone.now())
    said = "Paused: nobody looks until someone resumes, and pings are not followed. Stories we have stay as they are."
    return _told(request, source_id, done=done, said=said, otherwise="It was paused already.")


@sign_in.required
@require_POST
def resume(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Watch again."""
    if not _may(request, source_id):
        return _back(source_id)
    done = steer.resume(source_id=source_id, actor=request.user, now=timezone.now())
    said = "Watched again, beginning now. What came in the meantime passes the same gates as ever."
    return _told(request, source_id, done=done, said=said, otherwise="It was being watched already.")


@sign_in.required
@require_POST
def look(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Look now."""
    if not _may(request, source_id):
        return _back(source_id)
    ways = steer.look_now(source_id=source_id, actor=request.user, now=timezone.now())
    said = f"Being looked at now by {count(ways, 'way')}. Load this page again in a few seconds to see what it said."
    otherwise = "There is no way that may be asked now: it is paused, its addresses are gone, or it asked us to wait."
    return _told(request, source_id, done=bool(ways), said=said, otherwise=otherwise)


@sign_in.required
@require_POST
def end_caution(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Trust it again."""
    if not _may(request, source_id):
        return _back(source_id)
    done = steer.end_caution(source_id=source_id, actor=request.user, now=timezone.now())
    said = "Trusted again from now on. What was held stays held: decide about it under Articles."
    return _told(request, source_id, done=done, said=said, otherwise="It was under no caution any more.")


@sign_in.required
@require_POST
def change(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Change how it is watched. What was typed is shown again where it is not taken."""
    if not _may(request, source_id):
        return _back(source_id)
    form = TermsForm(request.POST)
    if not form.is_valid():
        draft = {name: request.POST.get(name, "") for name in form.fields}
        return page.shown(request, source_id=source_id, draft=draft, wrong=faults(form), status=400)
    changed = steer.change(source_id=source_id, terms=form.terms(), actor=request.user, now=timezone.now())
    return _told(request, source_id, done=bool(changed), said="Kept.", otherwise="That is what it was before.")


@sign_in.required
@require_POST
def open_webhook(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Make a webhook, or a new secret for it; the secret is in this answer and nowhere else."""
    if not _may(request, source_id):
        return _back(source_id)
    kind = Push.Kind.GHOST if request.POST.get("kind") == Push.Kind.GHOST else Push.Kind.WEBHOOK
    push, secret = steer.open_webhook(source_id=source_id, kind=kind, actor=request.user, now=timezone.now())
    return page.shown(request, source_id=source_id, secret={"push": str(push.id), "words": secret})


@sign_in.required
@require_POST
def end_webhook(request: sign_in.Guest, source_id: int) -> HttpResponse:
    """Hear a webhook no more."""
    if not _may(request, source_id):
        return _back(source_id)
    said = request.POST.get("push", "")
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 18 else 0
    done = steer.end_webhook(source_id=source_id, push_id=number, actor=request.user, now=timezone.now())
    return _told(
        request, source_id, done=done, said="Ended: what it still sends is not heard.", otherwise="It had ended."
    )


@sign_in.required
@require_POST
def stop(request: sign_in.Guest) -> HttpResponse:
    """Pull the brake: no story of any source is told."""
    reason = reason_of(request)
    if not request.user.may_edit:
        messages.error(request, NOT_YOUR_BRAKE)
    elif not reason:
        messages.error(request, NO_REASON)
    elif holds.stop_telling(actor=request.user, now=timezone.now(), reason=reason):
        messages.success(
            request, "Stopped: no new story is told from now on. Watching goes on, and stories wait as held."
        )
    else:
        messages.warning(request, "Telling was stopped already. Nothing was changed.")
    return redirect("desk:sources")


@sign_in.required
@require_POST
def tell_again(request: sign_in.Guest) -> HttpResponse:
    """Let go of the brake."""
    if not request.user.may_edit:
        messages.error(request, NOT_YOUR_BRAKE)
    elif holds.resume_telling(actor=request.user, now=timezone.now()):
        said = "Telling goes on. Stories that were held meanwhile stay held: decide about them under Articles."
        messages.success(request, said)
    else:
        messages.warning(request, "Telling was not stopped. Nothing was changed.")
    return redirect("desk:sources")


def _may(request: sign_in.Guest, source_id: int) -> bool:
    """Whether this person may; a source that is not there is not found."""
    get_object_or_404(Source.objects.only("id"), id=source_id)
    if not request.user.may_edit:
        messages.error(request, NOT_YOURS)
    return request.user.may_edit


def _told(request: sign_in.Guest, source_id: int, *, done: bool, said: str, otherwise: str) -> HttpResponse:
    if done:
        messages.success(request, said)
    else:
        messages.warning(request, otherwise)
    return _back(source_id)


def _back(source_id: int) -> HttpResponse:
    return redirect("desk:source", source_id=source_id)
