"""The answer to our question whether a reader still wants our mail: GET asks, POST answers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.audience import sunset
from pipeline.public.readers import visitors
from pipeline.public.readers.doors import door_of


@never_cache
@csrf_exempt  # the token is the authority
@require_http_methods(["GET", "HEAD", "POST"])
def still(request: HttpRequest, token: str) -> HttpResponse:
    """A program that opens every link answers nothing for anybody."""
    door = door_of(token)
    if door is None:
        return render(request, "public/leave.html", {"say": visitors.language_of(request), "letter": None}, status=404)
    is_post = request.method == "POST"
    if is_post:
        sunset.stay(
            subscriber_id=door.reader.id, origin=visitors.origin_of(request), network=visitors.network_of(request),
            now=timezone.now(),
        )  # fmt: skip
    values = {
        "say": visitors.language_of(request, known=door.reader.language), "publisher": door.publisher,
        "address": door.reader.address, "token": token, "is_answered": is_post,
    }  # fmt: skip
    return render(request, "public/still.html", values)
