"""Held stories as the events that held them: seen together, told or let go with one click."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, F, Max, Min, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.articles.gates import holds
from pipeline.articles.models import Hold
from pipeline.desk import frame, sign_in, words
from pipeline.desk.reasons import codes
from pipeline.kernel.pages import local

MOST_BATCHES, PREVIEW = 20, 6
LONGEST_REASON = 300
NOT_YOURS = "Your role may look at articles but not release them. Nothing was changed; ask a desk head."
DECIDED = "Somebody has decided about these already. Nothing was changed."


def batches(*, zone: str) -> list[dict[str, Any]]:
    """Events that hold more than one story, the latest first, each with its newest headlines. Two queries."""
    open_ = holds.open_batches().exclude(batch="").order_by()
    counted = open_.values("batch").annotate(count=Count("id"), since=Min("at"), newest=Max("id"))
    events = {row["batch"]: row for row in counted.filter(count__gt=1).order_by("-newest")[:MOST_BATCHES]}
    shown: dict[str, list[Hold]] = {batch: [] for batch in events}
    place = Window(RowNumber(), partition_by=F("batch"), order_by=F("id").desc())
    newest = open_.filter(batch__in=events).annotate(place=place).filter(place__lte=PREVIEW)
    for hold in newest.select_related("article__source").defer("article__text", "article__related").order_by("place"):
        shown[hold.batch].append(hold)
    return [_batch(events[batch], found, zone=zone) for batch, found in shown.items() if found]


def _batch(event: dict[str, Any], found: list[Hold], *, zone: str) -> dict[str, Any]:
    latest, count = found[0], event["count"]
    return {
        "batch": event["batch"],
        "count": count,
        "source": latest.article.source.name,
        "since": event["since"],
        "since_words": local(event["since"], zone, "%H:%M"),
        "why": codes.sentence(codes.ARTICLE, latest.code, latest.params, zone=zone),
        "stories": [
            {"headline": hold.article.headline, "url": frame.safe_link(hold.article.url), "id": hold.article_id}
            for hold in found
        ],
        "more": count - len(found),
    }


def held_by(batches: list[str]) -> QuerySet[Hold, int]:
    """The ids of articles that these batches hold, as a subquery."""
    return holds.open_batches().filter(batch__in=batches).order_by().values_list("article_id", flat=True)


@sign_in.required
@require_POST
def release(request: sign_in.Guest, hold_id: int) -> HttpResponse:
    """Let a held article go on."""
    hold = get_object_or_404(Hold.objects.select_related("article"), id=hold_id)
    if not request.user.may_edit:
        messages.error(request, NOT_YOURS)
    elif holds.release(hold_id=hold.id, actor=request.user, now=timezone.now()):
        messages.success(request, f"Told: “{hold.article.headline}” is offered to every account and edition now.")
    else:
        messages.warning(request, f"“{hold.article.headline}” was not held any more. Nothing was changed.")
    return _back()


@sign_in.required
@require_POST
def release_batch(request: sign_in.Guest) -> HttpResponse:
    """Tell all that one event held."""
    batch = _as_seen(request)
    if batch:
        done = holds.release_batch(batch=batch, actor=request.user, now=timezone.now())
        said = f"Told: {words.count(done, 'story', 'stories')} offered to every account and edition now."
        _answer(request, done, said)
    return _back()


@sign_in.required
@require_POST
def discard_batch(request: sign_in.Guest) -> HttpResponse:
    """None of what one event held is news."""
    batch = _as_seen(request)
    if batch:
        done = holds.discard_batch(batch=batch, actor=request.user, now=timezone.now(), reason=reason_of(request))
        said = f"Filed as archive: {words.count(done, 'story', 'stories')}, to be found here and never told."
        _answer(request, done, said)
    return _back()


def _as_seen(request: sign_in.Guest) -> str:
    """The batch a person decided about, "" where they may not, or where it is not what they looked at any more."""
    batch, seen = request.POST.get("batch", ""), request.POST.get("count", "")
    if not request.user.may_edit:
        messages.error(request, NOT_YOURS)
        return ""
    count = holds.open_batches().filter(batch=batch).count() if batch else 0
    if not count:
        messages.warning(request, DECIDED)
        return ""
    if str(count) != seen:
        came = f"There are {count} stories now, not the {seen or 'number'} you looked at. Nothing was changed."
        messages.warning(request, f"{came} Look at them again.")
        return ""
    return batch


def reason_of(request: HttpRequest) -> str:
    """The reason given, as one line of printable text."""
    said = "".join(c if c.isprintable() else " " for c in request.POST.get("reason", ""))
    return " ".join(said.split())[:LONGEST_REASON]


def _answer(request: HttpRequest, done: int, said: str) -> None:
    if done:
        messages.success(request, said)
    else:
        messages.warning(request, DECIDED)


def _back() -> HttpResponse:
    return redirect(reverse("desk:articles") + "?state=held")
