"""An editor's hand on the stories of an edition: where they stand, whether they are in, what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in
from pipeline.desk.editions import page
from pipeline.desk.editions.acts import SOON, composed, faults, known, looked, number_of, refused, revision_of
from pipeline.desk.editions.composing import history, versions
from pipeline.editions.acts import merging, ordering, placing
from pipeline.editions.acts.review import Refused
from pipeline.editions.assemble import OVERRIDABLE
from pipeline.editions.models import Edition

FIELDS = tuple(placing.LONGEST)
Act = Callable[..., Edition]


class StoryForm(forms.Form):
    """The words of one story in one edition."""

    headline = forms.CharField(max_length=placing.LONGEST["headline"], required=False)
    standfirst = forms.CharField(max_length=placing.LONGEST["standfirst"], required=False)
    picture = forms.CharField(max_length=placing.LONGEST["picture"], required=False)
    alt = forms.CharField(max_length=placing.LONGEST["alt"], required=False)

    def clean(self) -> dict[str, Any]:
        told = {name: " ".join(str(text).split()) for name, text in (super().clean() or {}).items()}
        if told.get("picture") and not told["picture"].lower().startswith(("https://", "http://")):
            self.add_error("picture", "It must be an address that begins with https://.")
        return told


@sign_in.required
@require_POST
def move(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """One place up or down within its block."""
    article_id, up = number_of(request.POST.get("article", "")), request.POST.get("to") == "up"
    said = f"Moved {'up' if up else 'down'}. Composing again leaves it there."
    return _done(
        request, edition_id, ordering.step, said=said, at=f"story-{article_id}", article_id=article_id, up=up
    )  # fmt: skip


@sign_in.required
@require_POST
def put(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Into a block, as its last story or before another, from wherever it stands or from those left out."""
    article_id, block = number_of(request.POST.get("article", "")), number_of(request.POST.get("block", ""))
    said = "Put there by your hand. Where the block was full, its last story by rule makes room."
    if request.POST.get("before"):
        what = {"block": block, "before": number_of(request.POST["before"])}
        return _done(
            request, edition_id, ordering.insert, said=said, at=f"story-{article_id}", article_id=article_id, **what
        )  # fmt: skip
    return _done(
        request, edition_id, ordering.append, said=said, at=f"story-{article_id}", article_id=article_id, block=block
    )  # fmt: skip


@sign_in.required
@require_POST
def leave_out(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Out of this edition."""
    said = "Left out of this edition; it is a candidate for the next."
    return _done(
        request, edition_id, placing.leave_out, said=said, at="items", article_id=number_of(request.POST.get("article", ""))
    )  # fmt: skip


@sign_in.required
@require_POST
def let_rules_decide(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Take the hand off a story."""
    said = "The rules decide about it again."
    return _done(
        request, edition_id, placing.let_rules_decide, said=said, at="items", article_id=number_of(request.POST.get("article", ""))
    )  # fmt: skip


@sign_in.required
@require_POST
def write_story(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Words of this edition's own for a story. What was written is shown again where it is not taken."""
    article_id, form = number_of(request.POST.get("article", "")), StoryForm(request.POST)
    draft = {name: request.POST.get(name, "") for name in FIELDS}
    if not form.is_valid():
        unkept = page.Unkept(f"Nothing was changed. {faults(form)}", draft, article_id)
        return page.shown(request, edition_id=edition_id, unkept=unkept, status=400)
    site = {name: request.POST.get(f"site_{name}", "") for name in FIELDS}
    own = _own(form.cleaned_data, seen=site)
    try:
        kept = _written(request, known(edition_id), article_id, own, site)
    except merging.Clashing as error:
        both = {name: text or site[name] for name, text in error.merge.words.items()}
        unkept = page.Unkept(versions.clash(edition_id, error, **looked(request)), both, article_id, error.names)
        return page.shown(request, edition_id=edition_id, unkept=unkept, status=409)
    except Refused as error:
        unkept = page.Unkept(versions.why(edition_id, error, **looked(request)), draft, article_id)
        return page.shown(request, edition_id=edition_id, unkept=unkept, status=409)
    said = (
        "Kept for this edition; the site’s own words stay beside yours."
        if any(own.values())
        else "It says what the site says."
    )
    return _told(
        request, kept.edition, said=f"{versions.taken(kept, **looked(request))}{said}", at=f"story-{article_id}"
    )


def _written(
    request: sign_in.Guest, edition_id: int, article_id: int, own: Mapping[str, str], site: Mapping[str, str]
) -> merging.Kept:
    """On top of what others wrote meanwhile, where the form says what it was filled with."""
    who: dict[str, Any] = {
        "edition_id": edition_id, "actor": request.user, "article_id": article_id, "now": timezone.now(),
        "seen": {name: site[name] for name in OVERRIDABLE},
    }  # fmt: skip
    filled = versions.seen_in(request.POST, FIELDS)
    if filled is None:
        return merging.Kept(placing.override(revision=revision_of(request), words=own, **who))
    base = _own(filled, seen=site)
    return merging.override(base=base, mine=versions.picked(request.POST, own, base), **who)


@sign_in.required
@require_POST
def take_new(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Use what the site says now, for what it changed; other words of our own stay."""
    article_id = number_of(request.POST.get("article", ""))
    said = "It says what the site says now."
    return _done(
        request, edition_id, ordering.take_changes, said=said, at=f"story-{article_id}", article_id=article_id
    )  # fmt: skip


@sign_in.required
@require_POST
def keep_mine(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Stay with our own words; this change of the site is not mentioned again."""
    article_id = number_of(request.POST.get("article", ""))
    said = "Our own words stay. A further change of the site will be shown."
    return _done(
        request, edition_id, placing.keep_mine, said=said, at=f"story-{article_id}", article_id=article_id
    )  # fmt: skip


def _own(told: Mapping[str, str], *, seen: Mapping[str, str]) -> dict[str, str]:
    """Only what differs from the site's words as the page showed them: a field left as it was is no override."""
    own = {name: text if text != " ".join(seen[name].split()) else "" for name, text in told.items()}
    if own["alt"] and not own["picture"]:
        own["picture"] = seen["picture"]  # described anew, it is a picture of our own
    return own


def _done(
    request: sign_in.Guest, edition_id: int, act: Act, *, said: str, at: str, article_id: int, **what: Any
) -> HttpResponse:
    """Act on what the person looked at, or on top of what others did elsewhere meanwhile; answer in words."""
    who: dict[str, Any] = {"edition_id": known(edition_id), "actor": request.user, "article_id": article_id}
    asked, stood = revision_of(request), request.POST.get("stood", "")
    try:
        with transaction.atomic():
            revision = merging.revision_for(revision=asked, stood=stood, order=act is ordering.step, **who)
            row = act(revision=revision, now=timezone.now(), **who, **what)
    except Refused as error:
        return refused(request, edition_id, error)
    meanwhile = history.since(edition_id, revision=asked, but=request.user) if revision != asked else ""
    return _told(request, row, said=f"{said} {meanwhile}".strip(), at=at)


def _told(request: HttpRequest, row: Edition, *, said: str, at: str) -> HttpResponse:
    messages.success(request, said if composed(row) else f"{said} {SOON}")
    return redirect(f"{reverse('desk:edition', kwargs={'edition_id': row.id})}#{at}")
