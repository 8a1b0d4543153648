"""Results: a list of what was sent lately, and all that is known of one edition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.delivery.models import Send
from pipeline.desk import frame, sign_in, words
from pipeline.desk.editions.results import RUNNING
from pipeline.desk.reasons import codes
from pipeline.desk.results import curve, export, figures, groups, places, versions
from pipeline.engagement.keeping import reports
from pipeline.engagement.keeping.expire import COUNTS_FOR, EVENTS_FOR
from pipeline.engagement.models import Mode
from pipeline.kernel.pages import local, number

PAGE = 15
LEFT_THE_DESK = (
    Send.State.SUBMITTED,
    Send.State.FAILED,
    Send.State.CANCELLED,
    Send.State.SUBMITTING,
    Send.State.PAUSED,
)
#: How a picture came to be fetched, in the order they are shown.
OPENS = {
    "direct": "by the reader's own mail program",
    "proxy": "by a webmail's proxy, perhaps for a reader",
    "apple": "by Apple Mail by itself, whether or not anyone read",
    "machine": "by another machine",
}
TRACKING = {
    Mode.OFF: "This newsletter counts no clicks: only what was delivered is known.",
    Mode.AGGREGATE: "Clicks are counted; whose they were is forgotten when the day after next begins.",
    Mode.CONSENTED: "Clicks are kept for readers who agreed to it; of all others they are only counted.",
}


@dataclass(frozen=True, slots=True)
class Known:
    """One send with its figures, those of its like, and its report."""

    send: Send
    one: figures.Figures
    earlier: list[figures.Figures]
    seen: reports.Told


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """What was sent, the latest first."""
    sent = Send.objects.filter(state__in=LEFT_THE_DESK, recipients__gt=0).select_related("edition__newsletter")
    part = Paginator(sent.order_by("-edition__slot_at", "-id"), PAGE).get_page(request.GET.get("page"))
    rows = [figures.as_row(one) for one in figures.of(part)]
    context = {"now": timezone.now(), "rows": rows, "pages": frame.pages(part)}
    return render(request, "desk/results/listing.html", context)


@sign_in.required
@require_safe
def results(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """One edition's."""
    return render(request, "desk/results/results.html", told(known(edition_id)))


@sign_in.required
@require_safe
def as_json(_request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The same as JSON."""
    answer = JsonResponse(_whole(known(edition_id)), json_dumps_params={"ensure_ascii": False, "indent": 1})
    return _named(answer, edition_id, "json")


@sign_in.required
@require_safe
def as_csv(_request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The same as CSV."""
    answer = HttpResponse(export.as_csv(_whole(known(edition_id))), content_type="text/csv; charset=utf-8")
    return _named(answer, edition_id, "csv")


def _named(answer: HttpResponse, edition_id: int, kind: str) -> HttpResponse:
    answer.headers["Content-Disposition"] = f'attachment; filename="edition-{edition_id}.{kind}"'
    return answer


def _whole(found: Known) -> dict[str, Any]:
    shown = places.told(found.send, found.seen.links) | _groups(found) | {"curve": _curve(found)}
    return export.as_json(found.one, found.earlier, found.seen, shown)


def known(edition_id: int) -> Known:
    """What every way to tell it starts from. Seven queries."""
    row = get_object_or_404(
        Send.objects.select_related("edition__newsletter", "edition__approved_by", "origin"), edition_id=edition_id
    )
    one, *earlier = figures.of([row, *figures.of_its_like(row)])
    return Known(row, one, earlier, reports.told(row.origin_id))


def told(found: Known) -> dict[str, Any]:
    """The whole page as plain data; none of its queries is over events of mail."""
    row, one, seen, now = found.send, found.one, found.seen, timezone.now()
    return {
        "now": now,
        "zone": one.zone,
        "edition_id": row.edition_id,
        "name": one.name,
        "subject": row.edition.subject,
        "slot_at": one.slot_at,
        "running": row.state in RUNNING,
        "badge_": words.badge("send", row.state),
        "headline": figures.headline(one, found.earlier, running=row.state in RUNNING),
        "opens": _opens(seen, one),
        "filtered": _filtered(seen),
        "waiting": seen.waiting,
        "computed_at": seen.computed_at,
        "curve": _curve(found),
        "ended": row.state == Send.State.SUBMITTED,
        "enough": curve.ENOUGH,
        "floor": places.FLOOR,
        **places.told(row, seen.links),
        **_groups(found),
        "left_out": places.left_out_but_read(row),
        **versions.told(row, delivered=one.delivered, zone=one.zone),
        "compared": [figures.as_row(each) for each in (one, *found.earlier)],
        "weekday": local(one.slot_at, one.zone, "%A").split()[0],
        "kept": _kept(row),
    }


def _groups(found: Known) -> dict[str, Any]:
    return groups.told(found.send, found.one, found.seen.made_of, ended=found.send.state == Send.State.SUBMITTED)


def _curve(found: Known) -> curve.Curve | None:
    return curve.of(found.seen.curve, start=int(found.send.origin.started_at.timestamp()) // 60)


def _opens(seen: reports.Told, one: figures.Figures) -> dict[str, Any] | None:
    total = sum(seen.opens.values())
    if not total:
        return None
    return {
        "people": number(seen.people.get("open", 0)),
        "share": figures.share(seen.people.get("open", 0), one.delivered),
        "total": total,
        "apple": figures.share(seen.opens["apple"], total),
        "rows": [(says, seen.opens[kind]) for kind, says in OPENS.items() if seen.opens[kind]],
    }


def _filtered(seen: reports.Told) -> dict[str, Any]:
    rows = sorted(seen.filtered, key=lambda row: -row.events)
    return {
        "events": sum(row.events for row in rows),
        "rows": [{"what": words.count(row.events, row.kind), "why": codes.rule(row.rule), "rule": row.rule} for row in rows],
    }  # fmt: skip


def _kept(row: Send) -> list[str]:
    return [
        TRACKING[Mode(row.edition.newsletter.tracking)],
        "Readers who do not want to be counted stand in “delivered” and nowhere else on this page.",
        f"Single acts are removed after {EVENTS_FOR.days} days, counts after {COUNTS_FOR.days // 30} months; removing them changes no number told here.",
        f"A place fewer than {places.FLOOR} people used is told as “under {places.FLOOR}”.",
    ]  # fmt: skip
