"""The guide's pages: what is done, what is missing, and one form a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article
from pipeline.channels.base import MailServer, Permanent
from pipeline.channels.domain.checks import as_text
from pipeline.delivery.domains import looked_at
from pipeline.delivery.letters import relay
from pipeline.delivery.message import mail
from pipeline.desk import frame, sign_in
from pipeline.desk.guide import forms, steps
from pipeline.desk.words import Badge
from pipeline.editions.choosing.newest import newest
from pipeline.editions.models import Newsletter
from pipeline.kernel.config import config
from pipeline.schedule.newsletters.changing import mark_of, may_change
from pipeline.sources.models import Source
from pipeline.staff.models import Role

DONE, NOT_YET, EXTRA = Badge("done", "done"), Badge("missing", "needs"), Badge("if you like", "off")
#: How a record of DNS stands; the words are doctor's.
LEVELS = {
    "ok": Badge("as it should be", "done"),
    "look": Badge("look at it", "needs"),
    "bad": Badge("to mend", "trouble"),
    "unknown": Badge("not known", "off"),
}


@sign_in.required
@require_safe
def guide(request: sign_in.Guest) -> HttpResponse:
    """All steps."""
    return shown(request, "guide", {})


@sign_in.required
@require_safe
def site(request: sign_in.Guest) -> HttpResponse:
    """The address of the site, which the sources room finds its way from."""
    return shown(request, "site", {"newest": [article.headline for article in newest(most=3)]})


@sign_in.required
@require_safe
def newsletter(request: sign_in.Guest) -> HttpResponse:
    """Name, times, approval."""
    return shown(request, "newsletter", {"draft": begun(), "wrong": {}, "may": may_make(request)})


@sign_in.required
@require_safe
def sender(request: sign_in.Guest) -> HttpResponse:
    """From, postal address, the way out; DNS is asked for by the page itself."""
    return shown(request, "sender", sender_context(request))


@sign_in.required
@require_safe
def dns(request: sign_in.Guest) -> HttpResponse:
    """What DNS says of our domains against what receivers ask for: a piece of the sender's page."""
    found = looked_at(config=config())
    domains = [
        {
            "name": domain,
            "rows": [{"badge": LEVELS[row.level], "what": row.what, "expected": row.expected, "found": row.found, "mend": row.mend} for row in rows],
            "records": as_text(rows),
        }
        for domain, rows in found.items()
    ]  # fmt: skip
    context = {
        "domains": domains,
        "now": timezone.now(),
        "zone": frame.newsroom_zone(),
        "whole": "HX-Request" not in request.headers,
    }
    return render(request, "desk/guide/dns.html", context)


@sign_in.required
@require_safe
def design(request: sign_in.Guest) -> HttpResponse:
    """The four designs, and how this newsletter's looks."""
    row = steps.first_newsletter()
    return shown(request, "design", {"draft": looks_of(row) if row else {}, "wrong": {}, "may": may_set(request, row)})


@sign_in.required
@require_safe
def readers(request: sign_in.Guest) -> HttpResponse:
    """Oneself first, then others."""
    row = steps.first_newsletter()
    snippet = config().site_url + reverse("join_snippet")
    return shown(
        request,
        "readers",
        {"snippet": snippet, "join": config().site_url + reverse("join"), "is_reader": _follows(request, row)},
    )


@sign_in.required
@require_safe
def accounts(request: sign_in.Guest) -> HttpResponse:
    """How an account is connected."""
    return shown(request, "accounts", {})


@sign_in.required
@require_safe
def test(request: sign_in.Guest) -> HttpResponse:
    """The button, and what stands in its way."""
    row = steps.first_newsletter()
    stories = Article.objects.exclude(headline="").exists()
    return shown(
        request, "test", {"lacks": steps.sender_lacks(row) if row else [], "has_stories": stories, "told": None}
    )


def shown(request: sign_in.Guest, key: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """One page of the guide, with every step beside it."""
    found, row = steps.steps(), steps.first_newsletter()
    rows = [
        {"key": step.key, "title": step.title, "said": step.said, "url": step.url, "act": step.act, "page": reverse(f"desk:guide_{step.key}"), "badge": DONE if step.done else EXTRA if step.optional else NOT_YET}
        for step in found
    ]  # fmt: skip
    left = steps.missing(found)
    whole = {
        "steps": rows, "at": key, "left": len(left), "next": left[0] if left else None, "newsletter": row,
        "me": request.user.email, "is_admin": request.user.role == Role.ADMIN, "may_edit": request.user.may_edit,
        "seen": mark_of(row) if row else "", "now": timezone.now(), "zone": frame.newsroom_zone(), **context,
    }  # fmt: skip
    return render(request, f"desk/guide/{key}.html", whole, status=status)


def begun() -> dict[str, Any]:
    """What the form of a new newsletter begins with: the site's name and clock."""
    first = Source.objects.order_by("id").first()
    return {
        "name": "Morning Brief",
        "at": "06:30",
        "days": [day for day, _ in forms.WEEKDAYS],
        "zone": frame.newsroom_zone(),
        "approval": Newsletter.Approval.EDITOR,
        "publisher": first.name if first else "",
        "sender": "",
    }


def sender_context(request: sign_in.Guest, **more: Any) -> dict[str, Any]:
    """The sender's two forms as they stand; `more` puts what was typed in their place."""
    row, settings = steps.first_newsletter(), config()
    try:
        named = relay.named(settings)
    except Permanent as error:
        named, more = None, {**more, "trouble": str(error)}
    usual = {"host": "", "port": "", "security": "smtp+starttls", "username": ""}
    return {
        "who": {"from_name": row.from_name, "from_address": row.from_address, "postal_address": row.masthead.get("postal_address") or settings.postal_address} if row else {},
        "relay": forms.relay_typed(named) if named else usual,
        "has_password": bool(named and named.password),
        "environment": _environment(),
        "is_named": named is not None,
        "wrong": {}, "wrong_relay": {}, "trouble": "", "may": may_set(request, row), "schemes": SCHEMES, **more,
    }  # fmt: skip


SCHEMES = (
    ("smtp+starttls", "STARTTLS, usually port 587"),
    ("smtps", "TLS from the first byte, usually port 465"),
    ("smtp", "none: a mail catcher, or a server on this machine"),
)


def _environment() -> str:
    """Which server the environment names, without its password."""
    if not config().smtp_url:
        return ""
    server: MailServer = mail.server(config())
    return f"{server.host}:{server.port}"


def looks_of(row: Newsletter) -> dict[str, str]:
    """The masthead as its form shows it."""
    first = {
        "design": "morning",
        "paper": "ivory",
        "typeface": "mixed",
        "accent": "#9b1c2e",
        "tagline": "",
        "logo_url": "",
    }
    return {name: str(row.masthead.get(name) or usual) for name, usual in first.items()}


def may_make(request: sign_in.Guest) -> bool:
    """Whether this person may make newsletters."""
    return request.user.role in {Role.ADMIN, Role.HEAD} and not request.user.is_limited


def may_set(request: sign_in.Guest, row: Newsletter | None) -> bool:
    """Whether this person may set this newsletter up."""
    return row is not None and may_change(request.user, row.id)


def _follows(request: sign_in.Guest, row: Newsletter | None) -> bool:
    mine = row and row.topic.subscriptions.filter(left_at=None, subscriber__address=request.user.email.lower())
    return bool(mine and mine.exists())
