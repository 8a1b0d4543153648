"""Leaving one newsletter: RFC 8058 for mailboxes, a page with one button for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.audience import subscribe
from pipeline.engagement.tokens import Kind
from pipeline.public.letters import Letter, letter_of


@never_cache
@csrf_exempt  # the token is the authority (RFC 8058 section 3.1: no cookies, no context)
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST leaves; neither redirects. A link that is not ours gets the same kind of answer and does nothing."""
    letter = letter_of(token, kind=Kind.LEAVE)
    if request.method == "POST":
        return _left(request, letter)
    return render(
        request,
        "public/leave.html",
        {"letter": _words(letter), "token": token},
        status=200 if letter else 404,
    )


def _left(request: HttpRequest, letter: Letter | None) -> HttpResponse:
    if letter:
        subscribe.leave(
            subscriber_id=letter.delivery.subscriber_id,
            topic_id=letter.topic_id,
            origin="one-click" if "List-Unsubscribe" in request.POST else "page",
            now=timezone.now(),
        )
    return render(request, "public/left.html", {"letter": _words(letter)})


def _words(letter: Letter | None) -> dict[str, str] | None:
    if letter is None:
        return None
    newsletter = letter.delivery.send.edition.newsletter
    return {"name": newsletter.name, "publisher": newsletter.from_name, "address": letter.delivery.address}
