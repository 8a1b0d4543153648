"""The link of a confirmation letter: GET asks, POST confirms."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.audience.joining import confirming, seals
from pipeline.audience.joining.confirming import State
from pipeline.editions.render import dated
from pipeline.public.readers import visitors

STATUS = {State.OPEN: 200, State.USED: 200, State.OLD: 410, State.UNKNOWN: 404}


@never_cache
@csrf_exempt  # the token is the authority
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """What stands behind the link; only a POST of an open one does anything."""
    now, is_post = timezone.now(), request.method == "POST"
    if is_post:
        network = visitors.network_of(request)
        found = confirming.confirm(token, origin=visitors.origin_of(request), network=network, now=now)
    else:
        found = confirming.found(token, now=now)
    say = visitors.language_of(request, known=found.language)
    values = {
        "say": say,
        "state": "done" if is_post and found.state == State.OPEN else found.state.value,
        "names": ", ".join(found.names),
        "address": found.address,
        "until": dated(found.expires_at, say.language) if found.expires_at else "",
        "token": token,
        "door": seals.reader_door(found.reader_id) if found.reader_id and is_post and found.state == State.OPEN else "",
        "publisher": visitors.publisher(),
    }
    return render(request, "public/confirm.html", values, status=STATUS[found.state])
