"""Editions listed, and one edition told: its state, its stories with reasons, what stands before sending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.audience.counts import lately
from pipeline.desk import frame, sign_in, today, words
from pipeline.desk.editions import preview, problems, results, stories
from pipeline.desk.editions.composing import history, truth
from pipeline.editions.acts import ordering, review
from pipeline.editions.choosing.pool import cutoff_of, frame_of
from pipeline.editions.models import Block, Edition, Newsletter
from pipeline.kernel.pages import ago, local
from pipeline.schedule.newsletters import sentences
from pipeline.staff import people

PAGE = 25
LONGEST_LINE, LONGEST_NOTE = 300, 5000
READY, HELD, APPROVED = Edition.State.READY, Edition.State.HELD, Edition.State.APPROVED
SKIPPABLE = (Edition.State.PLANNED, Edition.State.COLLECTING, READY, HELD)
#: What happens below the minimum, by policy.
BELOW: Mapping[str, str] = {
    Newsletter.BelowMinimum.SKIP: "with fewer it is skipped, and its stories wait for the next",
    Newsletter.BelowMinimum.SHORTEN: "with fewer it leaves all the same, shortened",
    Newsletter.BelowMinimum.FILL: "with fewer, evergreens and then what readers liked make up the number",
    Newsletter.BelowMinimum.ASK: "with fewer it is held until a person decides",
}
CHOICES: Mapping[str, str] = {
    Newsletter.ReaderChoice.FIRST: "Blocks of topics a reader follows come first for them.",
    Newsletter.ReaderChoice.ONLY: "Of the blocks with a topic, a reader gets those they follow.",
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


@dataclass(frozen=True, slots=True)
class Unkept:
    """What somebody wrote that was not taken, and why. `story` is the article it was for; None is the edition.

    `clashes` are the fields somebody else wrote meanwhile: both are shown, and one is chosen.
    """

    why: str
    draft: Mapping[str, str] = field(default_factory=dict)
    story: int | None = None
    clashes: tuple[str, ...] = ()


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


def shown(request: sign_in.Guest, *, edition_id: int, unkept: Unkept | None = None, status: int = 200) -> HttpResponse:
    """The page of an edition; what somebody wrote that was not taken is shown again."""
    row = get_object_or_404(
        today.counted().select_related("newsletter", "approved_by", "send", "rendering"), id=edition_id
    )
    now, may_edit = timezone.now(), people.may_edit(request.user, row.newsletter_id)
    kept = {"subject": row.subject, "preheader": row.preheader, "note": row.note}
    mine = unkept.draft if unkept and unkept.story is None else {}
    context = {
        **told(row, now=now, may_edit=may_edit),
        "now": now,
        "may_edit": may_edit,
        **(_looked_at(request, row, now=now) if hasattr(row, "rendering") else {"reader": None}),
        "draft": {**kept, **mine},
        "kept": kept,
        "unkept": unkept,
        "results": results.of(row.send) if hasattr(row, "send") else None,
    }
    return render(request, "desk/edition.html", context, status=status)


def _looked_at(request: sign_in.Guest, row: Edition, *, now: datetime) -> dict[str, Any]:
    """The letter, as what and as whose it is shown. Who may only look is not told which addresses are readers'."""
    look = preview.look_of(request, row)
    address = request.GET.get("as", "").replace("\0", "").strip()[:254] if request.user.may_edit else ""
    segment = request.GET.get("segment", "") if request.user.may_edit else ""
    somebody = truth.somebody(row, address=address, segment=segment, now=now)
    if somebody is not None:
        look = replace(look, follows=tuple(somebody["follows"]))
    return {
        "reader": preview.as_reader(row, look),
        "look_query": look.query,
        "switches": preview.switches(row, look),
        "somebody": somebody,
        "asked_as": {"address": address, "segment": segment},
        "segments": truth.segments() if request.user.may_edit else [],
        "inboxes": truth.inboxes(row.subject, row.preheader),
        "meters": truth.meters(row, zone=frame.zone_of(row.newsletter)),
    }


def told(row: Edition, *, now: datetime, may_edit: bool) -> dict[str, Any]:
    """An edition as plain data."""
    zone, items, blocks = frame.zone_of(row.newsletter), ordering.loaded(row.id), list(row.newsletter.blocks.all())
    acts, row_ = _acts(row, now=now, zone=zone), today.edition_row(row, now=now)
    shown_ = stories.told(blocks, items, zone=zone)
    return {
        "edition": row_ | {"revision": row.revision, "composed_at": row.composed_at, "leaves_at": row.leaves_at},
        "zone": zone,
        "blocks": shown_,
        "takers": stories.takers(blocks),
        "left_out": stories.left_out(items, zone=zone),
        "findings": problems.grouped(row, blocks, items, written=acts["write"] and may_edit),
        "composing": being_composed(row),
        "made": _made(row, now=now, zone=zone),
        "todo": _todo(row, blocks) if row.state == HELD and may_edit else None,
        "preview": _preview(row),
        "acts": acts,
        "history": history.acts(row, items),
        "changes": history.told(row, blocks, may=may_edit and row.state in review.CHANGEABLE),
    }


def may_place(row: Edition) -> bool:
    """Whether stories of it can be moved now."""
    return row.state in review.CHANGEABLE and row.composed_at is not None and not being_composed(row)


def being_composed(row: Edition) -> bool:
    """Whether a worker has it in hand, so that what stands here is about to change; not while it waits for stories."""
    return row.state == Edition.State.COLLECTING and row.code in {"", review.TAKEN_BACK}


def _preview(row: Edition) -> dict[str, Any] | None:
    if not hasattr(row, "rendering"):
        return None
    sender = f"{row.newsletter.from_name} <{row.newsletter.from_address}>"
    return problems.meter(row) | {"links": len(row.rendering.links), "sender": sender}


def _made(row: Edition, *, now: datetime, zone: str) -> list[str]:
    """The newsletter's settings that decide what is in it, as sentences."""
    newsletter, cutoff = row.newsletter, cutoff_of(row)
    if newsletter.kind == Newsletter.Kind.ALERT:
        return ["An alert carries the one story it was raised for."]
    after = "it has passed: nothing changes by itself any more" if cutoff <= now else "until then new stories come in"
    minimum = words.count(newsletter.minimum, "story", "stories")
    carry, since = newsletter.carry_editions, frame_of(row).since
    bites = since > cutoff - timedelta(hours=newsletter.max_age_h)
    said = [
        f"Cut-off {local(cutoff, zone, words.CLOCK)} ({ago(cutoff, now)}); {after}.",
        f"At least {minimum}; {BELOW[newsletter.below_minimum]}.",
        f"Nothing older than {newsletter.max_age_h} h at the cut-off.",
        f"The first edition reaches back {newsletter.first_window_h} h"
        + (f", to {local(since, zone)}: nothing older is taken." if bites else "."),
        f"A story without room waits for {words.count(carry, 'edition')}." if carry else "A story without room is given up.",
        CHOICES.get(newsletter.reader_choice, ""),
        "Who had a story from another newsletter this week is spared it." if newsletter.remembers_readers else "",
    ]  # fmt: skip
    return [sentence for sentence in said if sentence]


def _todo(row: Edition, blocks: Iterable[Block]) -> dict[str, Any]:
    """What an editor can do about an edition that is held, with the places to do it."""
    add, again = ("Put in some of those left out", "left"), ("press “Keep and compose again”", "words")
    name = str(row.params.get("block", ""))
    block = next((b for b in blocks if name in {b.title, f"block {b.position}"}), None)
    short = ("See the block", f"block-{block.position}") if block else ("See the blocks", "items")
    ways: Mapping[str, list[tuple[str, str]]] = {
        "asks_below_minimum": [("Send it as it is, with the button below", ""), add, ("Skip it", "")],
        "asks_short_block": [short, ("Send it as it is, with the button below", ""), add, ("Skip it", "")],
        "unusable_design": [("Correct the newsletter’s design", ""), again],
        "unusable_rule": [("Correct the rule of the block", "items"), again],
        "preflight": [("Mend what blocks sending", "checks")],
    }
    line = problems.line_of_design(row) if row.code == "unusable_design" else None
    return {"ways": [{"words": said, "anchor": anchor} for said, anchor in ways.get(row.code, [])], "line": line}


def _acts(row: Edition, *, now: datetime, zone: str) -> dict[str, Any]:
    """What may be done now, and the words on each button."""
    acts: dict[str, Any] = {
        "approve": None,
        "undo": None,
        "skip": row.state in SKIPPABLE,
        "again": row.state in (READY, HELD),
        "write": row.state in (READY, HELD),
        "place": may_place(row),
    }
    if row.state == READY or (row.state == HELD and row.code in review.APPROVABLE_HOLDS):
        letter = row.newsletter
        counted = lately(
            topic_id=letter.topic_id, segment=letter.segment, slot_at=row.slot_at, now=now, rests=letter.judges_silence
        )
        acts["approve"] = f"Send to {words.count(counted.found.due, 'reader')} {_leaving(row, now=now, zone=zone)}"
        acts["readers"] = sentences.reach(letter, counted.found) + words.counted_at(counted.at, zone)
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
