"""Editions listed, and one edition told: its state, its items with reasons, what stands before sending."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.audience import recipients
from pipeline.desk import frame, sign_in, today, words
from pipeline.desk.editions import preview, results
from pipeline.editions.acts import review
from pipeline.editions.choosing.pool import rules_of
from pipeline.editions.models import Edition, Item
from pipeline.editions.preflight import BLOCK, CLIPPED_BYTES, CONFIRM, NOTE
from pipeline.editions.choosing.select import POPULAR
from pipeline.kernel.pages import local
from pipeline.staff.models import JournalEntry

PAGE = 25
MOST_LEFT_OUT = 60  #: of one reason; the heading says how many there are
LONGEST_LINE, LONGEST_NOTE = 300, 5000
LEVELS = (
    (BLOCK, "Blocks sending", "trouble"),
    (CONFIRM, "Please confirm", "needs"),
    (NOTE, "Nice to have", "waiting"),
)
READY, HELD, APPROVED = Edition.State.READY, Edition.State.HELD, Edition.State.APPROVED
SKIPPABLE = (Edition.State.PLANNED, Edition.State.COLLECTING, READY, HELD)
#: Acts as the journal keeps them, as a history shows them.
VERBS = {
    "approve": "approved it",
    "undo": "took the approval back",
    "skip": "skipped it",
    "rewrite": "changed the words",
    "withdraw": "took a killed story out",
}


class WordsForm(forms.Form):
    """What an editor may write. One line stays one line: a subject is a header."""

    subject = forms.CharField(max_length=LONGEST_LINE, required=False)
    preheader = forms.CharField(max_length=LONGEST_LINE, required=False)
    note = forms.CharField(max_length=LONGEST_NOTE, required=False)

    def clean_subject(self) -> str:
        return " ".join(str(self.cleaned_data["subject"]).split())

    def clean_preheader(self) -> str:
        return " ".join(str(self.cleaned_data["preheader"]).split())


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """Every edition, newest slot first, by state where asked."""
    found, state = today.counted().order_by("-slot_at", "-id"), request.GET.get("state", "")
    if state in Edition.State.values:
        found = found.filter(state=state)
    part, now = Paginator(found, PAGE).get_page(request.GET.get("page")), timezone.now()
    context = {
        "now": now,
        "rows": [today.edition_row(row, now=now) for row in part],
        "pages": frame.pages(part),
        "state": state if state in Edition.State.values else "",
        "states": [(value, words.badge("edition", value)) for value in Edition.State.values],
    }
    return render(request, "desk/editions.html", context)


@sign_in.required
@require_safe
def edition(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """One edition."""
    return shown(request, edition_id=edition_id)


def shown(
    request: sign_in.Guest,
    *,
    edition_id: int,
    draft: Mapping[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of an edition; `draft` is what someone wrote that was not taken, and `refused` says why."""
    row = get_object_or_404(
        today.counted().select_related("newsletter", "approved_by", "send", "rendering"), id=edition_id
    )
    now = timezone.now()
    context = {
        **told(row, now=now),
        "now": now,
        "may_edit": request.user.may_edit,
        "draft": draft or {"subject": row.subject, "preheader": row.preheader, "note": row.note},
        "kept": {"subject": row.subject, "preheader": row.preheader, "note": row.note},
        "refused": refused,
        "results": results.of(row.send) if hasattr(row, "send") else None,
    }
    return render(request, "desk/edition.html", context, status=status)


def told(row: Edition, *, now: datetime) -> dict[str, Any]:
    """An edition as plain data."""
    zone = frame.zone_of(row.newsletter)
    items = list(row.items.select_related("article", "block").defer("article__text", "article__related"))
    row_ = today.edition_row(row, now=now)
    return {
        "edition": row_ | {"revision": row.revision, "composed_at": row.composed_at, "leaves_at": row.leaves_at},
        "zone": zone,
        "blocks": _blocks(row, items, zone=zone),
        "left_out": _left_out(items, zone=zone),
        "findings": _findings(row),
        "preview": _preview(row),
        "acts": _acts(row, now=now, zone=zone),
        "history": _history(row),
    }


def _preview(row: Edition) -> dict[str, Any] | None:
    if not hasattr(row, "rendering"):
        return None
    size = len(preview.markup(row).encode())
    return {
        "size": f"{round(size / 1000)} KB of {CLIPPED_BYTES // 1000}",
        "share": min(100, round(100 * size / CLIPPED_BYTES)),
        "links": len(row.rendering.links),
        "sender": f"{row.newsletter.from_name} <{row.newsletter.from_address}>",
    }


def _blocks(row: Edition, items: list[Item], *, zone: str) -> list[dict[str, Any]]:
    """The newsletter's blocks in reading order, each with its rule and its picks."""
    blocks, number_ = [], 0
    for rule in rules_of(row.newsletter):
        picks = sorted(
            (i for i in items if i.picked and i.block and i.block.position == rule.position),
            key=lambda i: i.position,
        )
        title = rule.title or {"lead": "Lead", POPULAR: "Most Popular"}.get(rule.kind, rule.kind.title())
        blocks.append(
            {
                "title": title,
                "rule": rule.sentence(),
                "items": [_item(i, number_ + n, zone=zone) for n, i in enumerate(picks, start=1)],
            }
        )
        number_ += len(picks)
    return blocks


def _item(item: Item, place: int, *, zone: str) -> dict[str, Any]:
    article = item.article
    return {
        "number": place,
        "headline": article.headline,
        "url": frame.safe_link(article.url),
        "section": words.place(article.section_path),
        "place": (article.dateline or {}).get("place") or "",
        "authors": ", ".join(str(name) for name in article.authors),
        "published_at": article.published_at or article.first_seen_at,
        "label": item.label,
        "why": words.sentence(words.ITEM, item.code, item.params, zone=zone),
    }


def _left_out(items: list[Item], *, zone: str) -> list[dict[str, Any]]:
    """Near misses by reason, in the order of words.WHY_NOT; the newest of each."""
    groups: dict[str, list[Item]] = {}
    for item in sorted((i for i in items if not i.picked), key=lambda i: i.article.first_seen_at, reverse=True):
        groups.setdefault(item.code, []).append(item)
    order = {code: n for n, code in enumerate(words.WHY_NOT)}
    return [
        {
            "title": words.WHY_NOT.get(code, words.readable(code).capitalize()),
            "count": len(groups[code]),
            "items": [_item(item, 0, zone=zone) for item in groups[code][:MOST_LEFT_OUT]],
        }
        for code in sorted(groups, key=lambda code: order.get(code, len(order)))
    ]


def _findings(row: Edition) -> list[dict[str, Any]]:
    found = [
        (level, title, tone, [f["sentence"] for f in row.preflight if f.get("level") == level])
        for level, title, tone in LEVELS
    ]
    return [{"title": title, "tone": tone, "sentences": sentences} for _, title, tone, sentences in found if sentences]


def _acts(row: Edition, *, now: datetime, zone: str) -> dict[str, Any]:
    """What may be done now, and the words on each button."""
    acts: dict[str, Any] = {
        "approve": None,
        "undo": None,
        "skip": row.state in SKIPPABLE,
        "write": row.state in (READY, HELD),
    }
    if row.state == READY or (row.state == HELD and row.code in review.APPROVABLE_HOLDS):
        readers = recipients.count(topic_id=row.newsletter.topic_id)
        acts["approve"] = f"Send to {words.count(readers, 'reader')} {_leaving(row, now=now, zone=zone)}"
        acts["readers"] = f"{words.count(readers, 'reader')} chose {row.newsletter.name} and may be mailed now."
        acts["undo_s"] = row.newsletter.undo_s
    if row.state == APPROVED:
        acts["undo"] = f"Take back: do not send at {local(row.leaves_at, zone, words.CLOCK)}"
    return acts


def _leaving(row: Edition, *, now: datetime, zone: str) -> str:
    """When it would leave if it were approved now: at its slot, or when the undo window has passed."""
    if row.slot_at <= now + timedelta(seconds=row.newsletter.undo_s):
        return f"in {words.duration(row.newsletter.undo_s)}"
    there = row.slot_at.astimezone(ZoneInfo(zone))
    day = "" if there.date() == now.astimezone(there.tzinfo).date() else f"{there:%a %-d %b} "
    return f"{day}at {there:%H:%M} {zone}".strip()


def _history(row: Edition) -> list[dict[str, Any]]:
    """Who did what to it, newest first."""
    entries = (
        JournalEntry.objects.filter(subject="edition", subject_id=row.id).select_related("actor").order_by("-id")[:PAGE]
    )
    return [
        {
            "at": e.at,
            "who": str(e.actor or "Dateline"),
            "what": VERBS.get(e.verb, words.readable(e.verb)),
            "reason": e.reason,
        }
        for e in entries
    ]
