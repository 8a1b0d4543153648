"""The queue, a send opened in it, and acts on several rows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.desk import frame, sign_in, words
from pipeline.desk.editions import results
from pipeline.desk.queue import acts, providers, rows
from pipeline.desk.stories.holds import reason_of
from pipeline.posts.acts.review import may as may_post
from pipeline.staff.people import may_edit

PAGE, BATCHES, MOST_TOLD = 40, 25, 5
NO_REASON = "Say why, in a few words: it stands in the history of each. Nothing was changed."
NOTHING = "You chose nothing, so nothing was changed."
NO_ACT = "That cannot be done to rows of this state. Nothing was changed."
_BATCH = {
    Batch.State.PENDING: words.Badge("waiting", "waiting"),
    Batch.State.CLAIMED: words.Badge("being handed over", "moving"),
    Batch.State.DONE: words.Badge("done", "done"),
}
_COLUMNS = ("accepted", "deferred", "refused", "unknown")


@sign_in.required
@require_safe
def queue(request: sign_in.Guest) -> HttpResponse:
    """The table, by state where asked; with one state chosen, its rows can be acted on together."""
    now, zone = timezone.now(), frame.newsroom_zone()
    found, state = rows.listed(now=now, zone=zone), _stage(request.GET.get("state", ""))
    chosen = [row for row in found if state in (None, row.stage)]
    part = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
    shown, there = list(part), {row.stage for row in found}
    context = {
        "pages": frame.pages(part),
        "now": now,
        "zone": zone,
        "rows": shown,
        "state": state or "",
        "states": [(stage.value, rows.BADGES[stage]) for stage in rows.Stage if stage in there or stage == state],
        "acts": acts.offered(state, shown) if state and (request.user.may_edit or may_post(request.user)) else [],
        "lanes": providers.lanes(now=now),
    }
    return render(request, "desk/queue/queue.html", context)


def _stage(said: str) -> rows.Stage | None:
    return rows.Stage(said) if said in set(rows.Stage) else None


@sign_in.required
@require_POST
def act(request: sign_in.Guest) -> HttpResponse:
    """Do one thing to the chosen rows of one state, and say what became of each."""
    stage, wanted, keys = (
        _stage(request.POST.get("state", "")),
        request.POST.get("act", ""),
        request.POST.getlist("row"),
    )
    chosen = acts.ACTS.get(wanted)
    back = redirect(reverse("desk:queue") + (f"?state={stage}" if stage else ""))
    if stage is None or chosen is None or stage not in chosen.stages:
        messages.error(request, NO_ACT)
    elif not keys:
        messages.warning(request, NOTHING)
    elif chosen.asks_why and not reason_of(request):
        messages.error(request, NO_REASON)
    else:
        _tell(request, chosen, keys[: 2 * rows.MOST], stage)
    return back


def _tell(request: sign_in.Guest, chosen: acts.Act, keys: list[str], stage: rows.Stage) -> None:
    now = timezone.now()
    found = rows.listed(now=now, zone=frame.newsroom_zone())
    made, refused = acts.done(
        chosen, keys=keys, stage=stage, rows=found, actor=request.user, reason=reason_of(request), now=now
    )
    if made:
        messages.success(request, f"{chosen.label}: done to {made} of {made + len(refused)}.")
    for line in refused[:MOST_TOLD]:
        messages.warning(request, f"Not done. {line}")
    if len(refused) > MOST_TOLD:
        messages.warning(request, f"Not done to {len(refused) - MOST_TOLD} more; they stay as they were.")


@sign_in.required
@require_safe
def send(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """One send: how far, batch by batch, and what can be done about the rest."""
    row, now = _found(edition_id), timezone.now()
    newsletter = row.edition.newsletter
    part = Paginator(Batch.objects.filter(send=row).order_by("number"), BATCHES).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "zone": frame.zone_of(newsletter),
        "name": newsletter.name,
        "subject": row.edition.subject,
        "slot_at": row.edition.slot_at,
        "started": row.created_at,
        "ended": row.ended_at,
        "expires": row.expires_at,
        "spread": words.duration(newsletter.pace_s) if newsletter.pace_s else "",
        "results": results.progress(row),
        "may_edit": may_edit(request.user, newsletter.id),
        "batches": _batches(list(part)),
        "pages": frame.pages(part),
        "lanes": [lane for lane in providers.lanes(now=now) if lane["transport"] == (row.transport or "the relay")],
    }
    return render(request, "desk/queue/send.html", context)


def _found(edition_id: int) -> Send:
    return get_object_or_404(Send.objects.select_related("edition__newsletter"), edition_id=edition_id)


def _batches(part: list[Batch]) -> list[dict[str, Any]]:
    """Batches of a page with their counts. One query."""
    counted: dict[int, dict[str, int]] = {batch.id: {} for batch in part}
    found = Delivery.objects.filter(batch_id__in=counted).values_list("batch_id", "state").annotate(Count("id"))
    for batch_id, state, n in found:
        counted[batch_id][state] = n
    return [
        {
            "number": batch.number + 1,
            "badge": _BATCH[Batch.State(batch.state)],
            "due": batch.due_at,
            "host": batch.host if batch.state == Batch.State.CLAIMED else "",
            "readers": sum(counted[batch.id].values()),
            "counts": [(state, counted[batch.id].get(state, 0)) for state in _COLUMNS],
            "others": sum(n for state, n in counted[batch.id].items() if state not in _COLUMNS),
        }
        for batch in part
    ]


@sign_in.required
@require_safe
def by_provider(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The send by provider, asked for once its page stands: it reads every delivery of a sample."""
    row, now = _found(edition_id), timezone.now()
    return render(request, "desk/queue/providers.html", providers.table(row, now=now))
