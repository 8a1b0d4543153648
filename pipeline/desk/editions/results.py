"""What became of a send: handed over or not, in words what readers did, and who is in doubt."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.delivery.models import Delivery, Send
from pipeline.desk import frame, sign_in, words
from pipeline.desk.queue import counts
from pipeline.desk.reasons import codes
from pipeline.desk.results import figures
from pipeline.staff.people import may_edit

PAGE = 100
MOST_UNKNOWN = 50  #: on the edition's own page; the list holds every one
RUNNING = (Send.State.PLANNED, Send.State.PREPARING, Send.State.SUBMITTING)
ENDED = (Send.State.SUBMITTED, Send.State.FAILED, Send.State.CANCELLED)
#: What each state of a delivery means, in the order they are shown.
MEANS = {
    Delivery.State.ACCEPTED: "The next mail server took it. That is not yet a reader's inbox.",
    Delivery.State.PENDING: "Not handed over yet.",
    Delivery.State.DEFERRED: "The server asked us to come back later; that happens by itself.",
    Delivery.State.REFUSED: "The server will not take it for this address.",
    Delivery.State.BOUNCED: "It was accepted and came back.",
    Delivery.State.COMPLAINED: "The reader reported it as unwanted; this address is not mailed again.",
    Delivery.State.SUPPRESSED: "The reader left, paused, turned the dial down or was suppressed between the freeze and the handing over, or had all its stories this week.",
    Delivery.State.CANCELLED: "An editor cancelled it before it left.",
    Delivery.State.UNKNOWN: "All of it left us, no answer came back. Each may have it; none is mailed again by itself.",
}


def of(send: Send) -> dict[str, Any]:
    """What an edition's own page shows of its send: how far it is, its figures in words, who is in doubt. Ten queries."""
    one, *earlier = figures.of([send, *figures.of_its_like(send)])
    headline = figures.headline(one, earlier, running=send.state in RUNNING)
    return {**progress(send), "headline": headline, "unknown": _unknown(send)}


def progress(send: Send) -> dict[str, Any]:
    """How far it is. Two queries, and neither reads what was accepted."""
    count = counts.of([send])[send.id]
    by_state, waiting, done = count.by_state, count.waiting, count.done
    return {
        "edition_id": send.edition_id,
        "state": send.state,
        "badge": words.badge("send", send.state),
        "why": codes.sentence(codes.SEND, send.code, send.params) if send.code else "",
        "live": send.state in RUNNING,
        "may_pause": send.state == Send.State.SUBMITTING,
        "may_resume": send.state == Send.State.PAUSED,
        "may_cancel": send.state not in ENDED,
        "may_confirm": send.state == Send.State.ASKING,
        "may_go_on": send.state in (Send.State.CANCELLED, Send.State.FAILED),
        "may_resend": send.state in ENDED and by_state.get(Delivery.State.UNKNOWN, 0) > 0,
        "doubtful": by_state.get(Delivery.State.UNKNOWN, 0),
        "expected": send.expected,
        "recipients": send.recipients,
        "done": done,
        "waiting": waiting,
        "accepted": by_state.get(Delivery.State.ACCEPTED, 0),
        "share": figures.share(done, send.recipients),
        "counts": [
            {
                "state": state.value,
                "badge": words.badge("delivery", state),
                "n": by_state.get(state, 0),
                "means": means,
            }
            for state, means in MEANS.items()
            if by_state.get(state) or state in (Delivery.State.ACCEPTED, Delivery.State.UNKNOWN)
        ],
    }


def _unknown(send: Send) -> list[dict[str, Any]]:
    rows = Delivery.objects.filter(send=send, state=Delivery.State.UNKNOWN).order_by("ordinal")[:MOST_UNKNOWN]
    return [_delivery(row) for row in rows]


def _delivery(row: Delivery) -> dict[str, Any]:
    said = f"{row.smtp_code} {row.reason}" if row.smtp_code else row.reason
    return {
        "address": row.address,
        "badge": words.badge("delivery", row.state),
        "said": said.strip(),
        "at": row.answered_at,
        "next": row.next_try_at,
        "tries": row.tries,
    }


@sign_in.required
@require_safe
def fragment(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The moving part of a send, which asks for itself while it moves; when it stands still, with what can be done then."""
    send = get_object_or_404(Send.objects.select_related("edition"), edition_id=edition_id)
    shown = progress(send)
    context = {
        "results": shown,
        "may_edit": may_edit(request.user, send.edition.newsletter_id),
        "swap": not shown["live"],
        "back_to": "queue" if request.GET.get("to") == "queue" else "",
    }
    return render(request, "desk/progress.html", context)


@sign_in.required
@require_safe
def deliveries(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Every delivery, by state where asked: each number leads to its list."""
    send = get_object_or_404(Send.objects.select_related("edition__newsletter"), edition_id=edition_id)
    found, state = Delivery.objects.filter(send=send).order_by("ordinal"), request.GET.get("state", "")
    if state in Delivery.State.values:
        found = found.filter(state=state)
    count = counts.of([send])[send.id]
    pages = Paginator(found, PAGE)
    pages.count = count.of(state) if state in Delivery.State.values else count.recipients
    part = pages.get_page(request.GET.get("page"))
    newsletter = send.edition.newsletter
    context = {
        "now": timezone.now(),
        "zone": frame.zone_of(newsletter),
        "name": newsletter.name,
        "slot_at": send.edition.slot_at,
        "edition_id": edition_id,
        "rows": [_delivery(row) for row in part],
        "pages": frame.pages(part),
        "state": state if state in Delivery.State.values else "",
        "states": [(value, words.badge("delivery", value)) for value in Delivery.State.values],
        "means": MEANS[Delivery.State(state)] if state in Delivery.State.values else "",
    }
    return render(request, "desk/deliveries.html", context)
