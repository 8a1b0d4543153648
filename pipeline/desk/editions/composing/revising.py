"""Taking changes of an edition back, bringing them back, going back to an earlier state: by POST, answered in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in, words
from pipeline.desk.editions.acts import SOON, composed, known, number_of, refused
from pipeline.desk.editions.composing.history import VERBS, listed
from pipeline.editions.acts import undoing
from pipeline.editions.acts.review import Refused


@sign_in.required
@require_POST
def undo_change(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Take back the latest change."""
    return _done(request, edition_id, undoing.undo, said="Taken back: {who} {what}. Redo brings it back.")


@sign_in.required
@require_POST
def redo_change(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Bring back what was taken back last."""
    return _done(request, edition_id, undoing.redo, said="Brought back: {who} {what}.")


@sign_in.required
@require_POST
def restore(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Make it what it was after an earlier change."""
    said = "It is again as it was when {who} {what}. Undo takes this back."
    return _done(request, edition_id, undoing.restore, said=said, seen=number_of(request.POST.get("seen", "")))


def _done(
    request: sign_in.Guest, edition_id: int, act: Callable[..., undoing.Laid], *, said: str, **more: Any
) -> HttpResponse:  # fmt: skip
    number = number_of(request.POST.get("number", ""))
    try:
        laid = act(edition_id=known(edition_id), number=number, actor=request.user, now=timezone.now(), **more)
    except Refused as error:
        return refused(request, edition_id, error)
    done = said.format(who=laid.act.by or "", what=VERBS.get(laid.act.verb, words.readable(laid.act.verb)))
    messages.success(request, " ".join(done.split()) if composed(laid.edition) else f"{' '.join(done.split())} {SOON}")
    _missing(request, laid)
    return redirect(f"{reverse('desk:edition', kwargs={'edition_id': laid.edition.id})}#items")


def _missing(request: HttpRequest, laid: undoing.Laid) -> None:
    """What could not come back is named."""
    if laid.missing:
        named = listed([f"“{headline}”" for headline in laid.missing])
        messages.warning(request, f"Killed, held or without a block since, and not back where it was: {named}.")
