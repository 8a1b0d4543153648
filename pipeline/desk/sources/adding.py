"""Adding a source: one address in, what was found shown, and only a second word adds it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import frame, sign_in
from pipeline.desk.sources import finds
from pipeline.desk.sources.terms import TermsForm, faults, typed
from pipeline.kernel.config import config
from pipeline.kernel.outbound.http import Answer, Client, TooSlow, Validators
from pipeline.sources import discover, steer
from pipeline.sources.discover import Found, NothingToWatch
from pipeline.sources.models import Source
from pipeline.sources.steer import Terms
from pipeline.staff.journal import note

PATIENCE_S = 18.0  #: after this nothing more is asked; what is under way ends within ONE_ANSWER_S
ONE_ANSWER_S, ONE_READ_S = 9.0, 5.0
LONGEST_URL, LONGEST_NAME = 500, 120
#: What the guide's form says, so that whoever came from there goes back there.
GUIDE = "guide"
NOT_YOURS = "Your role may look at sources but not add or change them. Nothing was changed; ask a desk head."
NO_ADDRESS = "Give the address of a site or of its feed, such as dispatch.example.org."
TOO_OLD = "What was found is more than an hour old, or not ours. Nothing was added; look at the site again."


class Patient(Client):
    """The guarded client for as long as a person waits: after PATIENCE_S it asks for nothing more."""

    def __init__(self, *, site_url: str, allow: frozenset[str]) -> None:
        super().__init__(site_url=site_url, allow=allow, io_s=ONE_READ_S, wall_s=ONE_ANSWER_S)
        self._until = time.monotonic() + PATIENCE_S

    def get(
        self,
        url: str,
        *,
        limit_bytes: int,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises TooSlow once the time is spent."""
        if time.monotonic() > self._until:
            raise TooSlow(f"the site takes longer than {PATIENCE_S:g} s")
        return super().get(url, limit_bytes=limit_bytes, validators=validators, headers=headers)


@sign_in.required
@require_POST
def look(request: sign_in.Guest) -> HttpResponse:
    """Ask a site what it can be watched by; nothing is added."""
    url = "".join(request.POST.get("url", "").split())[:LONGEST_URL]
    if not request.user.may_edit:
        return _not_yours(request)
    if "." not in url and "://" not in url:
        return _shown(request, url=url, refused=NO_ADDRESS, status=400)
    try:
        with Patient(site_url=config().site_url, allow=config().fetch_allow) as client:
            found = discover.discover(url, client=client)
    except NothingToWatch as error:
        return _shown(request, url=url, refused=_sentence(str(error)), status=400)
    signed = finds.signed(found, user_id=request.user.id)
    terms = Terms(is_ours=True, poll_s=120, settle_s=60, daily_budget=None, zone=found.zone or frame.newsroom_zone())
    return _shown(
        request, url=url, signed=signed, draft={**typed(terms), "is_ours": "", "name": found.title[:LONGEST_NAME]}
    )


def _sentence(why: str) -> str:
    said = why[:1].upper() + why[1:] if not why.startswith("http") else why
    said = said if said.endswith((".", "?")) else f"{said}."
    return f"{said} Nothing was added. Check the address, or give the address of the feed itself."


@sign_in.required
@require_POST
def add(request: sign_in.Guest) -> HttpResponse:
    """Begin to watch what was shown."""
    signed, url = request.POST.get("found", ""), request.POST.get("url", "")[:LONGEST_URL]
    if not request.user.may_edit:
        return _not_yours(request)
    find = finds.opened(signed, user_id=request.user.id)
    if find is None:
        return _shown(request, url=url, refused=TOO_OLD, status=400)
    found = find.found
    form = TermsForm(request.POST)
    name = " ".join(request.POST.get("name", "").split())[:LONGEST_NAME]
    if discover.known(found) is None and not form.is_valid():
        draft = {field: request.POST.get(field, "") for field in (*form.fields, "name")}
        return _shown(request, url=url, signed=signed, draft=draft, wrong=faults(form), status=400)
    source, made = _added(request, found, name=name, terms=form.terms() if form.is_valid() else None)
    if made:
        messages.success(
            request, f"Added: {source.name}. Its first look begins now; what is there already is known and never told."
        )
    else:
        messages.success(request, f"{source.name} was watched already; the ways it lacked were added.")
    if request.POST.get("then") == GUIDE:
        return redirect("desk:guide")
    return redirect("desk:source", source_id=source.id)


@transaction.atomic
def _added(request: sign_in.Guest, found: Found, *, name: str, terms: Terms | None) -> tuple[Source, bool]:
    now = timezone.now()
    if terms is None:
        source, made = discover.add(found, name=name, every_s=120, now=now)
    else:
        asked = replace(found, zone=terms.zone)
        source, made = discover.add(
            asked, name=name, every_s=terms.poll_s, now=now, is_ours=terms.is_ours, settle_s=terms.settle_s
        )
    note(
        verb="add", subject="source", subject_id=source.id, now=now, actor=request.user, ways=len(found.ways), made=made
    )
    if made and terms is not None and terms.daily_budget is not None:
        budgeted = replace(steer.terms_of(source), daily_budget=terms.daily_budget)
        steer.change(source_id=source.id, terms=budgeted, actor=request.user, now=now)
    steer.wake_looks(source_id=source.id, now=now)
    return source, made


def _shown(
    request: sign_in.Guest,
    *,
    url: str,
    signed: str = "",
    draft: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page that asks for an address, or for the confirmation of what was found at one."""
    find = finds.opened(signed, user_id=request.user.id) if signed else None
    context = {
        "now": timezone.now(),
        "zone": frame.newsroom_zone(),
        "url_typed": url,
        "refused": refused,
        "signed": signed,
        "found": finds.told(find) if find else None,
        "draft": draft or {},
        "wrong": wrong or {},
        "then": GUIDE if request.POST.get("then") == GUIDE else "",
    }
    return render(request, "desk/sources_add.html", context, status=status)


def _not_yours(request: sign_in.Guest) -> HttpResponse:
    messages.error(request, NOT_YOURS)
    return redirect("desk:sources")
