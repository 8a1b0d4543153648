"""What the guide's forms do, by POST. Every act belongs to a room below; here it gets its words."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from pipeline.audience.addresses import NotAnAddress
from pipeline.audience.subscribe import ask, confirm
from pipeline.channels.base import Permanent
from pipeline.delivery.letters import relay, trials
from pipeline.delivery.message import mail
from pipeline.desk import sign_in
from pipeline.desk.designs import looking
from pipeline.desk.guide import forms, page, steps
from pipeline.desk.sources.terms import faults
from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.newest import trial_content
from pipeline.editions.choosing.rules import UnusableRule
from pipeline.editions.models import Newsletter
from pipeline.kernel.config import config
from pipeline.schedule.newsletters import changing
from pipeline.schedule.newsletters.making import make
from pipeline.sources.models import Source
from pipeline.staff.journal import note
from pipeline.staff.models import Role

FIRST = "Make the newsletter first: this belongs to it. Nothing was changed."
ADMINS = "Only an administrator names the mail server: it holds a password. Nothing was changed."


@sign_in.required
@require_POST
def make_newsletter(request: sign_in.Guest) -> HttpResponse:
    """The newsletter, from its plan."""
    if not page.may_make(request):
        messages.error(request, changing.NOT_YOURS)
        return redirect("desk:guide")
    form = forms.NewsletterForm(request.POST)
    draft = {name: request.POST.get(name, "") for name in form.fields} | {"days": request.POST.getlist("days")}
    if not form.is_valid():
        return page.shown(request, "newsletter", {"draft": draft, "wrong": faults(form), "may": True}, status=422)
    first = Source.objects.order_by("id").first()
    try:
        made = make(form.plan(home_url=first.home_url if first else ""), now=timezone.now(), actor=request.user)
    except Refused as error:
        messages.error(request, str(error))
        return page.shown(request, "newsletter", {"draft": draft, "wrong": {}, "may": True}, status=422)
    messages.success(request, f"{made.name} is made. Nothing leaves before its first time, and nobody gets it yet.")
    return redirect("desk:guide_sender" if made == steps.first_newsletter() else _page_of(made))


def _page_of(made: Newsletter) -> str:
    return f"/desk/newsletters/{made.id}/"


@sign_in.required
@require_POST
def keep_sender(request: sign_in.Guest) -> HttpResponse:
    """From and the postal address."""
    row = steps.first_newsletter()
    form = forms.SenderForm(request.POST)
    if row is None:
        return _first(request)
    typed = {name: request.POST.get(name, "") for name in form.fields}
    if form.is_valid() and _changed(request, row, form.wanted()):
        return redirect("desk:guide_sender")
    return page.shown(request, "sender", page.sender_context(request, who=typed, wrong=faults(form)), status=422)


@sign_in.required
@require_POST
def keep_relay(request: sign_in.Guest) -> HttpResponse:
    """Knock at the server that was named; it is kept if it lets us in."""
    if request.user.role != Role.ADMIN:
        messages.error(request, ADMINS)
        return redirect("desk:guide_sender")
    form, settings = forms.RelayForm(request.POST), config()
    typed = {name: request.POST.get(name, "") for name in ("host", "port", "security", "username")}
    if not form.is_valid():
        context = page.sender_context(request, relay=typed, wrong_relay=faults(form))
        return page.shown(request, "sender", context, status=422)
    url = form.url(kept_password=_kept_password(typed["host"]))
    try:
        said = relay.probe(mail.server_at(url), sender=settings.mail_from)
    except relay.TROUBLE as error:
        trouble = f"{typed['host']} could not be used: {relay.in_words(error)}. Nothing was kept; the password has to be typed again."
        return page.shown(request, "sender", page.sender_context(request, relay=typed, trouble=trouble), status=422)
    relay.name_relay(url=url, actor=request.user, now=timezone.now(), config=settings)
    messages.success(request, f"Kept, and mail can leave: {said}")
    return redirect("desk:guide_sender")


def _kept_password(host: str) -> str:
    """The password kept for this very server: an empty field leaves it, another server never hears it."""
    try:
        kept = relay.named(config())
    except Permanent:
        return ""
    return kept.password if kept and kept.host == host else ""


@sign_in.required
@require_POST
def probe(request: sign_in.Guest) -> HttpResponse:
    """Knock at the server letters take now."""
    if not request.user.may_edit:
        messages.error(request, changing.NOT_YOURS)
        return redirect("desk:guide_sender")
    try:
        messages.success(request, relay.probe(relay.server_of(config()), sender=config().mail_from))
    except (*relay.TROUBLE, Permanent, mail.NoMailServer) as error:
        messages.error(request, f"The mail server could not be used: {relay.in_words(error)}. Nothing was changed.")
    return redirect("desk:guide_sender")


@sign_in.required
@xframe_options_sameorigin
@require_POST
def try_design(request: sign_in.Guest) -> HttpResponse:
    """The newest stories in the looks of the form, for the frame beside it. Nothing is kept."""
    row, form = steps.first_newsletter(), forms.DesignForm(request.POST)
    if row is None or not form.is_valid():
        return looking.said("; ".join(faults(form).values()) or FIRST)
    looks = {name.removeprefix("masthead."): value for name, value in form.wanted().items()}
    row.masthead = {**row.masthead, **looks}
    return looking.letter(row, source="", case=looking.NEWEST, scheme=request.POST.get("scheme", ""))


@sign_in.required
@require_POST
def keep_design(request: sign_in.Guest) -> HttpResponse:
    """These looks, from the next draft on."""
    row, form = steps.first_newsletter(), forms.DesignForm(request.POST)
    if row is None:
        return _first(request)
    typed = {name: request.POST.get(name, "") for name in form.fields}
    if form.is_valid() and _changed(request, row, form.wanted()):
        return redirect("desk:guide_design")
    may = page.may_set(request, row)
    return page.shown(request, "design", {"draft": typed, "wrong": faults(form), "may": may}, status=422)


@sign_in.required
@require_POST
def add_me(request: sign_in.Guest) -> HttpResponse:
    """The editor as a reader: whoever is signed in said so, so nothing has to be confirmed by mail."""
    row, now = steps.first_newsletter(), timezone.now()
    if row is None or not request.user.may_edit:
        return _first(request)
    try:
        reader = ask(address=request.user.email, topic=row.topic, origin="desk guide", now=now, wording="Add me")
    except NotAnAddress as error:
        messages.error(request, f"{error}. Nothing was changed.")
        return redirect("desk:guide_readers")
    confirm(subscriber_id=reader.id, topic_id=row.topic_id, origin="desk guide", now=now)
    messages.success(request, f"{request.user.email} follows {row.name} from now on, like any reader.")
    return redirect("desk:guide_readers")


@sign_in.required
@require_POST
def send_test(request: sign_in.Guest) -> HttpResponse:
    """One digest to whoever asks, and what the server said of it."""
    row, now = steps.first_newsletter(), timezone.now()
    if row is None or not request.user.may_edit:
        return _first(request)
    try:
        content = trial_content(row, now=now)
    except UnusableRule as error:
        messages.error(request, f"A block cannot be read: {error}. Nothing was sent.")
        return redirect("desk:guide_test")
    told = trials.send(row, content, address=request.user.email, config=config(), now=now)
    note(
        verb=steps.TESTED, subject="newsletter", subject_id=row.id, now=now, actor=request.user, taken=told.taken,
        said=told.said[:300], to=request.user.email,
    )  # fmt: skip
    context = {"lacks": steps.sender_lacks(row), "has_stories": bool(content.blocks), "told": told}
    return page.shown(request, "test", context, status=200 if told.taken else 422)


def _changed(request: sign_in.Guest, row: Newsletter, wanted: dict[str, object]) -> bool:
    try:
        said = changing.change(
            newsletter_id=row.id, wanted=wanted, seen=request.POST.get("seen", ""),
            actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except Refused as error:
        messages.error(request, str(error))
        return False
    messages.success(request, said)
    return True


def _first(request: sign_in.Guest) -> HttpResponse:
    messages.error(request, FIRST if request.user.may_edit else changing.NOT_YOURS)
    return redirect("desk:guide")
