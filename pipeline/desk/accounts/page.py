"""One account: what it may, what it spends, what its template makes of the newest story, who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.articles.models import Article
from pipeline.desk import frame, sign_in
from pipeline.desk.stories.holds import reason_of
from pipeline.desk.stories.timeline import account_row
from pipeline.posts import wording
from pipeline.posts.acts import accounts, review
from pipeline.posts.models import Account
from pipeline.posts.variants import Brief
from pipeline.staff.models import JournalEntry

MOST_ACTS = 20


@sign_in.required
@require_safe
def account(request: sign_in.Guest, account_id: int) -> HttpResponse:
    """The account as it is kept."""
    row = get_object_or_404(Account, id=account_id)
    return _shown(request, row, template=row.template)


@sign_in.required
@require_POST
def template(request: sign_in.Guest, account_id: int) -> HttpResponse:
    """Try a template, or keep it where the button says so; what was typed comes back with its fault."""
    row = get_object_or_404(Account, id=account_id)
    typed = request.POST.get("template", "")
    if request.POST.get("keep") != "yes":
        return _shown(request, row, template=typed)
    try:
        accounts.keep_template(account_id=row.id, template=typed, actor=request.user, now=timezone.now())
    except review.Refused as error:
        messages.error(request, str(error))
        return _shown(request, row, template=typed)
    messages.success(request, "Kept: posts made from now on are set in it. Those that wait keep their words.")
    return redirect("desk:social_account", account_id=row.id)


@sign_in.required
@require_POST
def pause(request: sign_in.Guest, account_id: int) -> HttpResponse:
    """Nothing leaves on it."""
    return _turned(request, account_id, accounts.pause, "Paused: nothing leaves on it.", reason=reason_of(request))


@sign_in.required
@require_POST
def resume(request: sign_in.Guest, account_id: int) -> HttpResponse:
    """It posts again."""
    said = "It posts again: what waited leaves by its rules, what is too old expires."
    return _turned(request, account_id, accounts.resume, said)


def _turned(request: sign_in.Guest, account_id: int, act: Any, said: str, **how: Any) -> HttpResponse:
    row = get_object_or_404(Account.objects.only("id"), id=account_id)
    try:
        act(account_id=row.id, actor=request.user, now=timezone.now(), **how)
    except review.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("desk:social_account", account_id=row.id)


def _shown(request: sign_in.Guest, row: Account, *, template: str) -> HttpResponse:
    now = timezone.now()
    context = {
        "now": now,
        "zone": frame.newsroom_zone(),
        "account": account_row(row, now=now),
        "may": accounts.may_steer(request.user, row),
        "template": template,
        "changed": template.replace("\r\n", "\n") != row.template,
        "tried": accounts.attempt(row, template=template, brief=_brief()),
        "longest": accounts.LONGEST,
        "history": _history(row),
    }
    return render(request, "desk/accounts/page.html", context)


def _brief() -> Brief:
    """The newest story that was told, else one made up."""
    told = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at__isnull=False)
    newest = told.order_by("-announced_at", "-id").first()
    return wording.brief_of(newest, link=accounts.SAMPLE.link) if newest else accounts.SAMPLE


def _history(row: Account) -> list[dict[str, Any]]:
    acts = JournalEntry.objects.filter(subject="account", subject_id=row.id).select_related("actor").order_by("-id")
    return [
        {"at": act.at, "who": str(act.actor or "Dateline"), "what": act.verb, "reason": act.reason}
        for act in acts[:MOST_ACTS]
    ]
