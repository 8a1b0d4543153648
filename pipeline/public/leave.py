"""Leaving: RFC 8058 for mailboxes, a page with one button for people, and the way back for mistakes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.audience import subscribe
from pipeline.audience.models import Subscription
from pipeline.engagement.tokens import Kind
from pipeline.public.letters import Letter, letter_of
from pipeline.public.readers import visitors
from pipeline.public.readers.doors import Door, door_of


@never_cache
@csrf_exempt  # the token is the authority (RFC 8058 section 3.1: no cookies, no context)
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST leaves; neither redirects. A link that is not ours gets the same kind of answer and does nothing."""
    letter = letter_of(token, kind=Kind.LEAVE)
    if request.method == "POST":
        return _left(request, letter, token)
    values = _values(request, letter, token)
    return render(request, "public/leave.html", values, status=200 if letter else 404)


def _left(request: HttpRequest, letter: Letter | None, token: str) -> HttpResponse:
    if letter:
        subscribe.leave(
            subscriber_id=letter.delivery.subscriber_id,
            topic_id=letter.topic_id,
            origin="one-click" if "List-Unsubscribe" in request.POST else "page",
            now=timezone.now(),
        )
    return render(request, "public/left.html", {**_values(request, letter, token), "how": "one"})


@never_cache
@csrf_exempt
@require_http_methods(["POST"])
def leave_all(request: HttpRequest, token: str) -> HttpResponse:
    """Every newsletter of this reader ends, and no import brings the address back."""
    door = door_of(token)
    if door:
        subscribe.leave_all(subscriber_id=door.reader.id, origin="page", now=timezone.now())
    return render(
        request, "public/left.html", {**_values(request, door.letter if door else None, token, door), "how": "all"}
    )


@never_cache
@csrf_exempt
@require_http_methods(["POST"])
def come_back(request: HttpRequest, token: str) -> HttpResponse:
    """What was just left comes again: one newsletter from a mail's link, all that ended together from the reader's."""
    door = door_of(token)
    if door is None:
        return render(request, "public/leave.html", _values(request, None, token), status=404)
    is_all = "all" in request.POST or door.letter is None
    topics = _ended_together(door) if is_all or door.letter is None else {door.letter.topic_id: _name(door.letter)}
    came = subscribe.come_back(
        subscriber_id=door.reader.id, topic_ids=topics, origin="page", network=visitors.network_of(request),
        now=timezone.now(),
    )  # fmt: skip
    values = _values(request, door.letter, token, door)
    values |= {"how": "back" if came else "barred", "names": ", ".join(topics.values())}
    return render(request, "public/left.html", values)


def _ended_together(door: Door) -> dict[int, str]:
    """The topics whose end is the reader's latest."""
    ended = Subscription.objects.filter(subscriber=door.reader).exclude(left_at=None).order_by("-left_at")
    last = ended.values_list("left_at", flat=True).first()
    return dict(ended.filter(left_at=last).order_by("topic__name").values_list("topic_id", "topic__name"))


def _name(letter: Letter) -> str:
    return str(letter.delivery.send.edition.newsletter.name)


def _values(request: HttpRequest, letter: Letter | None, token: str, door: Door | None = None) -> dict[str, Any]:
    reader = letter.delivery.subscriber if letter else door.reader if door else None
    return {
        "say": visitors.language_of(request, known=reader.language if reader else ""),
        "letter": words_of(letter) if letter else None,
        "address": letter.delivery.address if letter else reader.address if reader else "",
        "publisher": door.publisher if door else visitors.publisher(),
        "token": token,
        "is_known": reader is not None,
    }


def words_of(letter: Letter) -> dict[str, str]:
    """What a page says of the copy its link came from."""
    newsletter = letter.delivery.send.edition.newsletter
    return {"name": newsletter.name, "publisher": newsletter.from_name, "address": letter.delivery.address}
