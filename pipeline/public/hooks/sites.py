"""Where sites say that there is news: pings, signed webhooks, WebSub. The token is the authority; no cookies."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.sources.models import Source
from pipeline.sources.pushes import envelopes, hints, limits, owners, websub
from pipeline.sources.pushes.envelopes import Unreadable

LARGEST_PING = 64 * 1024
THANKS = "Thanks for the ping."
PING_EXPLAINED = "This is where your site pings when it has news; opening it in a browser does nothing.\n"
HOOK_EXPLAINED = "This is where your site posts signed news; opening it in a browser does nothing.\n"
_PLAIN = "text/plain; charset=utf-8"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,40}")
View = Callable[[HttpRequest, str], HttpResponse]


def _door(view: View) -> View:
    """Senders have no cookies: the token and what is signed with its secret are the authority."""

    @never_cache
    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        return view(request, token) if _TOKEN.fullmatch(token) else _nothing_here()

    return opened


@_door
def ping(request: HttpRequest, token: str) -> HttpResponse:
    """WordPress's Update Services, rssCloud, or any POST: a hint to look. The addresses in it are not even read."""
    source = Source.objects.filter(ping_token=token).only("id", "state").first()
    if source is None:
        return _nothing_here()
    if request.method != "POST":
        return HttpResponse(PING_EXPLAINED, content_type=_PLAIN)
    body = _body(request, most=LARGEST_PING)
    if body is None:
        return HttpResponse("This is too large for a ping.\n", status=413, content_type=_PLAIN)
    if not body.lstrip().startswith(b"<"):
        _hear(source, token)
        return HttpResponse(THANKS + "\n", content_type=_PLAIN)
    try:
        envelopes.ping_method(body)
    except Unreadable as error:
        return HttpResponse(envelopes.fault(str(error), code=error.code), content_type="text/xml")
    _hear(source, token)
    return HttpResponse(envelopes.thanks(THANKS), content_type="text/xml")


def _hear(source: Source, token: str) -> None:
    """A refusal would make WordPress ping twice as often, so what is too much is thanked for and dropped."""
    now = timezone.now()
    if source.state == Source.State.ACTIVE and limits.may_knock(token, now=now):
        hints.hear(source_id=source.id, now=now)


@_door
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """A signed webhook."""
    if request.method != "POST":
        known = owners.is_known(token)
        return HttpResponse(HOOK_EXPLAINED, content_type=_PLAIN) if known else _nothing_here()
    body = _body(request, most=owners.LARGEST)
    answer = owners.receive(token=token, headers=request.headers, body=body, now=timezone.now())
    if answer is owners.UNKNOWN:
        return _nothing_here()
    return HttpResponse(answer.words + "\n", status=answer.status, content_type=_PLAIN)


@_door
def hub(request: HttpRequest, token: str) -> HttpResponse:
    """A hub verifies a subscription (GET) or delivers (POST)."""
    if request.method == "POST":
        body = _body(request, most=websub.LARGEST)
        status = websub.receive(token=token, headers=request.headers, body=body, now=timezone.now())
        return _nothing_here() if status == 404 else HttpResponse(status=status, content_type=_PLAIN)
    answer = websub.verify(token=token, query=request.GET.dict(), now=timezone.now())
    return _nothing_here() if answer is None else HttpResponse(answer, content_type=_PLAIN)


def _nothing_here() -> HttpResponse:
    """One answer for every token we did not give out, whatever was sent with it."""
    return HttpResponse(owners.UNKNOWN.words + "\n", status=404, content_type=_PLAIN)


def _body(request: HttpRequest, *, most: int) -> bytes | None:
    """The raw body; None if it is longer than `most` bytes. One cut off by its sender is what arrived of it."""
    chunked = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    stream = request.META["wsgi.input"] if chunked else request
    try:
        body = stream.read(most + 1)
    except OSError:
        return b""
    return body if len(body) <= most else None
