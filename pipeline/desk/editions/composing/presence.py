"""Who else has this edition open, and what they are at: each page says so every while, and is told of the others."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in
from pipeline.desk.editions.acts import number_of
from pipeline.desk.editions.stories import title_of
from pipeline.editions.models import Edition
from pipeline.staff import presence

SUBJECT = "edition"
WORDS, STORY = "words", "story-"


@sign_in.required
@require_POST
def here(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The beat of an open page, answered with who else is here. Three queries and one statement."""
    row, now = get_object_or_404(Edition.objects.only("id"), id=edition_id), timezone.now()
    part = "".join(c for c in request.POST.get("part", "") if c.isprintable())
    presence.beat(user=request.user, subject=SUBJECT, subject_id=row.id, part=part, now=now)
    found = presence.others(subject=SUBJECT, subject_id=row.id, but=request.user, now=now)
    named = _stories(row, [one.part for one in found])
    return render(request, "desk/edition_here.html", {"here_now": [_said(one, named) for one in found]})


def _said(one: presence.Here, stories: dict[str, str]) -> str:
    if one.part == WORDS:
        return f"{one.name} is editing the subject, preview line and note."
    if one.part in stories:
        return f"{one.name} is editing {stories[one.part]}."
    return f"{one.name} has this page open."


def _stories(row: Edition, parts: list[str]) -> dict[str, str]:
    """What parts of the page are called: a story by its headline and its block."""
    ids = [number_of(part.removeprefix(STORY)) for part in parts if part.startswith(STORY)]
    if not ids:
        return {}
    rows = row.items.filter(article_id__in=ids, picked=True).select_related("article", "block")
    return {
        f"{STORY}{item.article_id}": f"“{item.overrides.get('headline') or item.article.headline}”"
        + (f" in {title_of(item.block)}" if item.block else "")
        for item in rows
    }
