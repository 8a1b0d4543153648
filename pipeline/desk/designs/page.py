"""The list of designs, and one design as it is written."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.desk import frame, sign_in
from pipeline.desk.designs import looking
from pipeline.editions.acts.designs import may_design
from pipeline.editions.models import Design, DesignVersion, Newsletter
from pipeline.schedule.newsletters.making import DESIGNS

MOST_VERSIONS = 30
SHIPPED = {
    "morning": "the briefing of a day: a centred nameplate, the lead across the whole width",
    "section": "one section’s page: the section is the nameplate, places open the stories",
    "weekly": "the week’s best: a cover, the most read in large figures, long reads",
    "breaking": "one story, at once: the time before everything else",
}


@sign_in.required
@require_safe
def designs(request: sign_in.Guest) -> HttpResponse:
    """Shipped ones, our own, and who is set in which."""
    return listed(request)


@sign_in.required
@require_safe
def design(request: sign_in.Guest, design_id: int) -> HttpResponse:
    """One design: `version` shows an older one in the editor."""
    row = get_object_or_404(Design, id=design_id)
    asked = request.GET.get("version", "")
    versions = row.versions.order_by("-number")
    shown_version = (versions.filter(number=int(asked)).first() if _is_number(asked) else None) or versions.first()
    return shown(request, row, source=shown_version.source if shown_version else "", at=shown_version)


def _is_number(asked: str) -> bool:
    return asked.isascii() and asked.isdecimal() and len(asked) < 7


def listed(request: sign_in.Guest, *, name: str = "", status: int = 200) -> HttpResponse:
    """The list; `name` is what was typed for a new one."""
    newsletters = list(Newsletter.objects.exclude(state=Newsletter.State.ENDED).select_related("design_version").order_by("name"))  # fmt: skip
    shipped = [
        {"name": key, "about": SHIPPED[key], "used": [one for one in newsletters if not one.own_design and (one.masthead.get("design") or "morning") == key]}
        for key in DESIGNS
    ]  # fmt: skip
    own = [
        {"row": row, "versions": row.versions.count(), "used": [one for one in newsletters if one.design_version and one.design_version.design_id == row.id]}
        for row in Design.objects.order_by("name")
    ]  # fmt: skip
    context = {
        "shipped": shipped, "own": own, "name": name, "may": may_design(request.user), "zone": frame.newsroom_zone(),
        "strays": [one for one in newsletters if one.own_design and one.design_version is None], "now": timezone.now(),
    }  # fmt: skip
    return render(request, "desk/designs/designs.html", context, status=status)


def shown(
    request: sign_in.Guest, row: Design, *, source: str, at: DesignVersion | None, said: str = "", status: int = 200
) -> HttpResponse:
    """The editor with this source in it."""
    versions = list(row.versions.select_related("by").prefetch_related("newsletters").order_by("-number")[:MOST_VERSIONS])  # fmt: skip
    newsletters = list(Newsletter.objects.exclude(state=Newsletter.State.ENDED).order_by("name"))
    context: dict[str, Any] = {
        "design": row, "source": source, "at": at, "said": said, "versions": versions, "newsletters": newsletters,
        "newest": versions[0].number if versions else 0, "cases": [looking.NEWEST, *looking.CASES],
        "may": may_design(request.user), "zone": frame.newsroom_zone(), "now": timezone.now(),
    }  # fmt: skip
    return render(request, "desk/designs/design.html", context, status=status)
