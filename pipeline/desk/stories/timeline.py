"""What will go out, when, and why not sooner; what each account may still spend; where wrong text is live."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.paginator import Paginator
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.desk import frame, sign_in, words
from pipeline.desk.reasons import codes
from pipeline.desk.stories import posts, responses
from pipeline.kernel.pages import ago
from pipeline.posts import budget
from pipeline.posts.acts import brake, ledger, review
from pipeline.posts.models import Account, Post, Variant
from pipeline.posts.rules.rules import Rules, UnusableRules

AHEAD, MOST, MOST_WRONG = timedelta(hours=24), 50, 30
ACTS = {"publish": "post", "reply": "answer", "edit": "edit of a post", "delete": "deletion of a post"}
KINDS = {
    "correction": "corrected",
    "retraction": "withdrawn by the site",
    "gone": "gone from the site",
    "kill": "killed",
}


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """Every post, newest first, by state where asked."""
    found, state = posts.posts(), request.GET.get("state", "")
    if state in Post.State.values:
        found = found.filter(state=state)
    page = Paginator(found, posts.PAGE).get_page(request.GET.get("page"))
    zone, now = frame.newsroom_zone(), timezone.now()
    first = not state and page.number == 1
    heard = responses.heard(page)
    context = {
        "now": now,
        "ahead": ahead(now=now, zone=zone) if first else [],
        "wrong": wrong(now=now) if first else [],
        "accounts": accounts(now=now) if first else [],
        "stopped": brake.is_pulled(),
        "may": review.may(request.user),
        "zone": zone,
        "rows": [posts.row(post, zone=zone) | {"heard": heard.get(post.id)} for post in page],
        "pages": frame.pages(page),
        "state": state if state in Post.State.values else "",
        "states": [(value, words.badge("post", value)) for value in Post.State.values],
    }
    return render(request, "desk/posts.html", context)


def ahead(*, now: datetime, zone: str) -> list[dict[str, Any]]:
    """What is to leave in the next day or waits for a person, in the order of its time."""
    due = Q(state=Post.State.DUE, due_at__lte=now + AHEAD) | Q(state__in=[Post.State.DRAFT, Post.State.HELD])
    other = Variant.objects.filter(post=OuterRef("pk"), chosen=False).order_by("id")
    others = ArraySubquery(other.values(told=JSONObject(id="id", text="text", tone="tone")))
    rows = posts.posts().filter(due).annotate(others=others).order_by("due_at", "id")[:MOST]
    return [_row(post, zone=zone) for post in rows]


def _row(post: Post, *, zone: str) -> dict[str, Any]:
    doubtful = post.code in review.DOUBTFUL
    waits = post.state in (Post.State.DRAFT, Post.State.HELD)
    return posts.row(post, zone=zone) | {
        "act": ACTS[post.act],
        "breaking": post.is_breaking,
        "format": post.format,
        "cost": f"${post.cost_usd}" if post.cost_usd else "",
        "others": getattr(post, "others", []),
        "approve": waits and not doubtful,
        "hold": post.state in (Post.State.DRAFT, Post.State.DUE),
        "cancel": not doubtful,
        "settle": doubtful,
    }


def accounts(*, now: datetime) -> list[dict[str, Any]]:
    """Each account with its rules in words and its money."""
    return [account_row(account, now=now) for account in Account.objects.order_by("network", "handle")]


def account_row(account: Account, *, now: datetime) -> dict[str, Any]:
    """An account as templates show it."""
    try:
        rules = Rules.of(account.rules).sentence()
    except UnusableRules as error:
        rules = f"Its rules cannot be meant: {error}."
    money = ""
    if account.budget_usd is not None:
        purse = budget.purse_of(account, now=now)
        money = f"${purse.spent:.2f} of ${purse.budget:.2f} spent this month"
    limited = account.limited_until if account.limited_until and account.limited_until > now else None
    return {
        "id": account.id,
        "name": str(account),
        "is_active": account.state == Account.State.ACTIVE,
        "zone": account.zone,
        "sections": ", ".join(map(str, account.sections)),
        "rules": rules,
        "state": "" if account.state == Account.State.ACTIVE else f"This account is {account.state}.",
        "said": account.said,
        "money": money,
        "limited": f"The network asked it to wait, until {ago(limited, now)}." if limited else "",
        "approval": account.approval,
    }


def wrong(*, now: datetime) -> list[dict[str, Any]]:
    """Where wrong text is still live, for how long, and what is being done."""
    return [_wrong(one) for one in ledger.still_live(now=now)[:MOST_WRONG]]


def _wrong(one: ledger.Wrong) -> dict[str, Any]:
    doing = f"{ACTS[one.next_act]}: {one.next_state}" if one.next_act else "nothing yet"
    why = codes.sentence(codes.POST, one.next_code) if one.next_code else ""
    return {
        "post": one.post_id,
        "act": one.act_id,
        "account": one.account,
        "headline": one.headline,
        "kind": KINDS.get(one.kind, words.readable(one.kind)),
        "since": one.since,
        "clicks": one.clicks,
        "doing": doing,
        "why": why,
        "remote_url": frame.safe_link(one.remote_url),
        "confirm": one.next_state == Post.State.DRAFT,
    }
