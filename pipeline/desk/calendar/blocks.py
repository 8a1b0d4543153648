"""The blocks of a newsletter as rows of a form: what each is filled with, and in which order they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.http.request import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.desk import frame, sign_in
from pipeline.desk.calendar.settings import tried
from pipeline.desk.sources.terms import faults
from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.rules import Fallback, Order, Rule, UnusableRule
from pipeline.editions.models import Block, Newsletter
from pipeline.schedule.newsletters import changing
from pipeline.schedule.newsletters.changing import Part

KINDS = ("lead", "top", "section", "opinion", "popular", "related", "sponsor", "note")
MOST = 20
_LISTS = ("sections", "exclude", "topics")
_NUMBERS = ("most_age_h", "per_author", "per_section")
#: What a rule says where nothing is written: not kept, so that a stored rule stays as short as it was.
_USUAL: Mapping[str, Any] = {"count": 3, "minimum": 0, "order": "newest", "fallback": "shorten"}


class BlockForm(forms.Form):
    """One block."""

    id = forms.IntegerField(required=False)
    place = forms.IntegerField(min_value=0, max_value=999)
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    title = forms.CharField(max_length=80, required=False)
    count = forms.IntegerField(min_value=1, max_value=100)
    minimum = forms.IntegerField(min_value=0, max_value=100, required=False)
    sections = forms.CharField(max_length=400, required=False)
    exclude = forms.CharField(max_length=400, required=False)
    topics = forms.CharField(max_length=400, required=False)
    most_age_h = forms.IntegerField(min_value=1, max_value=1440, required=False)
    per_author = forms.IntegerField(min_value=1, max_value=100, required=False)
    per_section = forms.IntegerField(min_value=1, max_value=100, required=False)
    order = forms.ChoiceField(choices=[(one.value, one.value) for one in Order])
    fallback = forms.ChoiceField(choices=[(one.value, one.value) for one in Fallback])

    def part(self, kept: Mapping[int, Block]) -> Part:
        """The block as it is wanted; what the form does not show of its rule stays."""
        told = self.cleaned_data
        before = kept.get(told["id"] or 0)
        rule = {
            key: value for key, value in (before.rule if before else {}).items() if key not in BlockForm.base_fields
        }
        lists = {name: _listed(told[name]) for name in _LISTS}
        plain = {name: told[name] for name in ("count", "minimum", "order", "fallback", *_NUMBERS)}
        stored = before.rule if before else {}
        wanted = {**lists, **plain}
        rule |= {key: value for key, value in wanted.items() if value and (value != _USUAL.get(key) or key in stored)}
        return Part(told["kind"], told["title"].strip(), rule, before.id if before else None)


def _listed(said: str) -> list[str]:
    return [one.strip() for one in said.split(",") if one.strip()]


@sign_in.required
@require_safe
def blocks(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """The blocks as they are kept, and one empty row."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    return _shown(request, row, [_typed(block) for block in row.blocks.all()], {})


@sign_in.required
@require_POST
def try_blocks(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """What these blocks would choose today: a piece of the page. Nothing is kept."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    parts, _, wrong = _read(request.POST, row)

    def act() -> None:
        if wrong:
            raise Refused("A block needs another answer; the fault stands beside it once you keep them.")
        changing.change_blocks(newsletter_id=row.id, parts=parts, seen="", actor=request.user, now=timezone.now())

    return tried(request, row, act)


@sign_in.required
@require_POST
def keep_blocks(request: sign_in.Guest, newsletter_id: int) -> HttpResponse:
    """These blocks from the next draft on."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    parts, drafts, wrong = _read(request.POST, row)
    if wrong:
        return _shown(request, row, drafts, wrong, status=422)
    try:
        said = changing.change_blocks(
            newsletter_id=row.id, parts=parts, seen=request.POST.get("seen", ""), actor=request.user,
            now=timezone.now(), reason=request.POST.get("reason", ""),
        )  # fmt: skip
    except Refused as error:
        messages.error(request, str(error))
        return _shown(request, row, drafts, {}, status=409 if isinstance(error, changing.Overtaken) else 422)
    messages.success(request, said)
    return redirect("desk:blocks", newsletter_id=row.id)


def _read(given: QueryDict, row: Newsletter) -> tuple[list[Part], list[dict[str, str]], dict[int, dict[str, str]]]:
    """The blocks in their order, every row as it was typed, and what is wrong with which."""
    kept = {block.id: block for block in row.blocks.all()}
    drafts: list[dict[str, str]] = []
    wrong: dict[int, dict[str, str]] = {}
    parts: list[tuple[int, int, Part]] = []
    for number in range(MOST):
        if f"b{number}-kind" not in given:
            break
        draft = {name: given.get(f"b{number}-{name}", "") for name in (*BlockForm.base_fields, "gone")}
        if draft["gone"] or not draft["kind"]:
            continue
        form = BlockForm(draft)
        drafts.append(draft)
        if form.is_valid():
            parts.append((form.cleaned_data["place"], len(parts), form.part(kept)))
        else:
            wrong[len(drafts) - 1] = faults(form)
    return [part for _, _, part in sorted(parts, key=lambda one: one[:2])], drafts, wrong


def _typed(block: Block) -> dict[str, str]:
    rule = block.rule
    plain = {name: str(rule.get(name) or _USUAL.get(name, "")) for name in ("count", "minimum", "order", "fallback", *_NUMBERS)}  # fmt: skip
    lists = {name: ", ".join(map(str, rule.get(name, []))) for name in _LISTS}
    return {"id": str(block.id), "place": str(block.position * 10), "kind": block.kind, "title": block.title, **plain, **lists}  # fmt: skip


def _said(draft: Mapping[str, str], row: Newsletter) -> str:
    """The rule of a kept block as an editor reads it."""
    block = next((one for one in row.blocks.all() if str(one.id) == draft.get("id")), None)
    if block is None:
        return ""
    try:
        return Rule.of(position=block.position, kind=block.kind, title=block.title, rule=block.rule).sentence()
    except UnusableRule as error:
        return f"It cannot be read: {error}."


def _shown(
    request: sign_in.Guest, row: Newsletter, drafts: list[dict[str, str]], wrong: Mapping[int, Mapping[str, str]], *,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    empty = dict.fromkeys(BlockForm.base_fields, "") | {"count": "3", "minimum": "0", "order": "newest", "fallback": "shorten", "place": str(10 * len(drafts) + 10)}  # fmt: skip
    rows = [{"draft": draft, "wrong": wrong.get(number, {}), "said": _said(draft, row)} for number, draft in enumerate(drafts)]  # fmt: skip
    may = changing.may_change(request.user, row.id) and row.state != Newsletter.State.ENDED
    if may and len(rows) < MOST:
        rows.append({"draft": empty, "wrong": {}, "said": ""})
    context = {
        "newsletter": row, "rows": rows, "kinds": KINDS, "seen": changing.mark_of_blocks(row), "may": may,
        "count_wrong": len(wrong), "zone": frame.zone_of(row), "now": timezone.now(),
    }  # fmt: skip
    return render(request, "desk/calendar/blocks.html", context, status=status)
