"""One reader: what they chose, how we count them, what happened, and what may be done for them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.audience import sunset
from pipeline.audience.care import finding, steering
from pipeline.audience.choices import Choice, a_week
from pipeline.audience.models import Subscriber, Subscription, Suppression
from pipeline.delivery.privacy import erasing
from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone
from pipeline.desk.readers import timeline, words
from pipeline.editions.models import Newsletter
from pipeline.engagement.models import Mode

#: What becomes of a reader's rows, as erasing counts them.
GOES = {
    "subscriptions": "what they follow and followed",
    "consents": "what they said, where and when",
    "confirmations": "letters that asked them to confirm",
    "interests": "sections they read",
    "refused_imports": "refused rows of lists that name them",
}
STAYS = {
    "deliveries": "mails, as outcomes of their editions, without an address",
    "feedback": "what came back, without an address and without its words",
    "acts": "clicks and openings, as numbers, no longer theirs",
}


def known(subscriber_id: int) -> Subscriber:
    """The reader; an erased one is not found."""
    return get_object_or_404(Subscriber.objects.exclude(state=Subscriber.State.ERASED), id=subscriber_id)


@sign_in.required
@require_safe
def reader(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """The page."""
    row, may = known(subscriber_id), steering.may(request.user)
    resting = _resting(row)
    suppressed = Suppression.objects.filter(address_hash=bytes(row.address_hash)).first()
    context = {
        **_frame(row, may=may),
        "suppressed": suppressed,
        "suppressed_why": words.SUPPRESSED[Suppression.Reason(suppressed.reason)] if suppressed else "",
        "not_ours": steering.THEIRS.get(Suppression.Reason(suppressed.reason), "") if suppressed else "",
        "facts": _facts(row),
        "choices": [
            _choice(one, resting=resting)
            for one in row.subscriptions.select_related("topic").order_by("left_at", "topic__name")
        ],
        "happenings": timeline.of(row, suppressed=suppressed),
    }
    return render(request, "desk/readers/reader.html", context)


@sign_in.required
@require_safe
def erasing_preview(request: sign_in.Guest, subscriber_id: int) -> HttpResponse:
    """What erasing would take, and what it would leave."""
    row, may = known(subscriber_id), steering.may(request.user)
    found = asdict(erasing.preview(address=row.address))
    context = {
        **_frame(row, may=may),
        "goes": [(what, found[name]) for name, what in GOES.items()],
        "stays": [(what, found[name]) for name, what in STAYS.items()],
    }
    return render(request, "desk/readers/erase.html", context)


def _frame(row: Subscriber, *, may: bool) -> dict[str, Any]:
    return {
        "reader_id": row.id,
        "address": row.address if may else finding.masked(row.address),
        "name": row.name if may else "",
        "state": words.STATES[Subscriber.State(row.state)],
        "may": may,
        "zone": newsroom_zone(),
        "now": timezone.now(),
    }


def _facts(row: Subscriber) -> dict[str, Any]:
    return {
        "joined": row.joined_at,
        "seen": row.last_human_at,
        "asked_again": row.asked_again_at,
        "tracking": words.TRACKING[Subscriber.Tracking(row.tracking)],
        "tracking_at": row.tracking_at,
        "language": row.language,
        "zone": row.zone,
        "wants_at": row.wants_at,
    }


def _resting(row: Subscriber) -> frozenset[int]:
    """Topics of newsletters that do not go to this reader, who was asked whether they are wanted and did not answer."""
    if not sunset.is_silent(row.id, now=timezone.now()):
        return frozenset()
    judging = Newsletter.objects.filter(asks_again=True, tracking=Mode.CONSENTED)
    return frozenset(judging.values_list("topic_id", flat=True))


def _choice(row: Subscription, *, resting: frozenset[int]) -> dict[str, Any]:
    follows = row.left_at is None
    choice = Choice(row.topic_id, follows=follows, pace=row.pace, paused_until=row.paused_until)
    return {
        "topic_id": row.topic_id,
        "name": row.topic.name,
        "follows": follows,
        "since": row.since,
        "left_at": row.left_at,
        "pace": words.PACES[Subscription.Pace(row.pace)],
        "paused_until": row.paused_until,
        "a_week": a_week(row.topic.per_week, choice),
        "rests": follows and row.topic_id in resting,
    }
