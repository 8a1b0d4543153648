"""Adding a source: one address in, what was found shown, and only a second word adds it."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import frame, sign_in
from pipeline.desk.sources import finds
from pipeline.desk.sources.terms import TermsForm, faults, typed
from pipeline.kernel.config import config
from pipeline.kernel.outbound.patient import Patient
from pipeline.sources import discover, steer
from pipeline.sources.discover import NothingToWatch
from pipeline.sources.steer import Terms

LONGEST_URL, LONGEST_NAME = 500, 120
#: What the guide's form says, so that whoever came from there goes back there.
GUIDE = "guide"
NOT_YOURS = "Your role may look at sources but not add or change them. Nothing was changed; ask a desk head."
NO_ADDRESS = "Give the address of a site or of its feed, such as dispatch.example.org."
TOO_OLD = "What was found is more than an hour old, or not ours. Nothing was added; look at the site again."


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
    terms = form.terms() if form.is_valid() else None
    source, made = steer.add(found, name=name, terms=terms, actor=request.user, now=timezone.now())
    if made:
        messages.success(
            request, f"Added: {source.name}. Its first look begins now; what is there already is known and never told."
        )
    else:
        messages.success(request, f"{source.name} was watched already; the ways it lacked were added.")
    if request.POST.get("then") == GUIDE:
        return redirect("desk:guide")
    return redirect("desk:source", source_id=source.id)


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
