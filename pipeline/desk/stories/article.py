"""One article told whole: why it is where it is, what it said when, what was said of it, and its kill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.articles.gates import holds
from pipeline.articles.models import Article
from pipeline.delivery.models import Send
from pipeline.desk import frame, sign_in, words
from pipeline.desk.stories import articles
from pipeline.desk.stories.holds import reason_of
from pipeline.editions.models import Item
from pipeline.kernel.pages import number
from pipeline.staff.models import JournalEntry

MOST_NAMES, MOST_ACTS = 30, 30
NOT_YOURS = "Your role may look at articles but not kill them. Nothing was changed; ask a desk head."
NO_REASON = "Say why, in a few words: it stands in the history of this story. Nothing was changed."
VERSIONS: Mapping[str, str] = {
    "first": "first reading",
    "cosmetic": "small changes, told to nobody",
    "material": "says something else in substance",
    "correction": "carries a correction",
    "retraction": "withdrawn by the site",
}
BULLETINS: Mapping[str, str] = {
    "new": "told as news",
    "update": "told as updated",
    "correction": "told as corrected",
    "retraction": "told as withdrawn",
    "kill": "told as killed",
    "gone": "told as gone from the site",
}
NAMES: Mapping[str, str] = {
    "wp_id": "WordPress number",
    "guid": "id in the feed",
    "url": "address",
    "canonical": "address it names itself",
}
VERBS: Mapping[str, str] = {"release": "released it", "kill": "killed it"}
MARKERS: Mapping[str, str] = {"note": "editor’s note", "retraction": "withdrawal"}


@sign_in.required
@require_safe
def article(request: sign_in.Guest, article_id: int) -> HttpResponse:
    """One article."""
    row = get_object_or_404(Article.objects.select_related("source"), id=article_id)
    zone = frame.newsroom_zone()
    [shown] = articles.rows([row], zone=zone)
    context = {
        "now": timezone.now(),
        "zone": zone,
        "may_edit": request.user.may_edit,
        "article": shown | _whole(row),
        "times": _times(row),
        "figures": _figures(row.params),
        "versions": [
            {"number": v.number, "kind": VERSIONS.get(v.kind, words.readable(v.kind)), "at": v.at, "headline": v.headline}
            for v in row.versions.defer("text").order_by("-number")
        ],
        "bulletins": [
            {"kind": BULLETINS.get(b.kind, words.readable(b.kind)), "at": b.at, "said": b.said}
            for b in row.bulletins.order_by("-at", "-id")
        ],
        "names": [
            {"kind": NAMES.get(a.kind, words.readable(a.kind)), "value": a.value}
            for a in row.aliases.order_by("kind", "value")[:MOST_NAMES]
        ],
        "history": _history(row),
        "reach": _reach(row),
    }  # fmt: skip
    return render(request, "desk/article.html", context)


def _whole(row: Article) -> dict[str, Any]:
    dateline = row.dateline or {}
    return {
        "standfirst": row.standfirst,
        "authors": ", ".join(str(name) for name in row.authors),
        "language": row.language,
        "dateline": ", ".join(str(dateline[name]) for name in ("place", "date", "agency") if dateline.get(name)),
        "paywalled": row.paywalled,
        "markers": [
            {"kind": MARKERS.get(mark.get("kind", ""), words.readable(mark.get("kind", ""))), "text": mark.get("text", "")}
            for mark in row.markers
        ],
        "killed": row.state == Article.State.KILLED,
        "source_id": row.source_id,
    }  # fmt: skip


def _times(row: Article) -> list[dict[str, Any]]:
    told = [
        ("Published, says the site", row.published_at),
        ("Changed, says the site", row.modified_at),
        ("First seen", row.first_seen_at),
        ("Read", row.read_at),
        ("May be told", row.settles_at),
        ("Told", row.announced_at),
        ("Page missing since", row.missing_at),
        ("Taken out", row.killed_at),
    ]
    return [{"name": name, "at": at} for name, at in told if at]


def _figures(params: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the gate weighed, as it was kept."""
    return [{"name": words.readable(name), "value": str(value)} for name, value in params.items()]


def _history(row: Article) -> list[dict[str, Any]]:
    """Acts of people on this story, the latest first."""
    acts = JournalEntry.objects.filter(subject="article", subject_id=row.id).select_related("actor")
    return [
        {"at": act.at, "who": str(act.actor or "Dateline"), "what": VERBS.get(act.verb, words.readable(act.verb)), "reason": act.reason}
        for act in acts.order_by("-id")[:MOST_ACTS]
    ]  # fmt: skip


def _reach(row: Article) -> str:
    """How many have it already, before somebody kills it."""
    editions = Item.objects.filter(article=row, picked=True).values("edition_id")
    left = [Send.State.SUBMITTING, Send.State.PAUSED, Send.State.SUBMITTED]
    sent = Send.objects.filter(edition_id__in=editions, state__in=left)
    readers = sent.aggregate(n=Sum("recipients"))["n"] or 0
    if not readers:
        return "It is in no mail that has left."
    return f"It is in mail to {number(readers)} readers that has left or is leaving; that part cannot be recalled."


@sign_in.required
@require_POST
def kill(request: sign_in.Guest, article_id: int) -> HttpResponse:
    """Take a story out of everything that has not left yet."""
    row = get_object_or_404(Article.objects.only("id", "headline"), id=article_id)
    reason = reason_of(request)
    if not request.user.may_edit:
        messages.error(request, NOT_YOURS)
    elif not reason:
        messages.error(request, NO_REASON)
    elif holds.kill(article_id=row.id, actor=request.user, now=timezone.now(), reason=reason):
        messages.success(request, "Killed: it leaves everything that has not left yet. What was sent stays sent.")
    else:
        messages.warning(request, "It was killed before. Nothing was changed.")
    return redirect("desk:article", article_id=row.id)
