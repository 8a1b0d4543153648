"""Where e-mail service providers tell what became of mail: `/esp/<provider>/<token>`. Checked, recorded, thanked."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.channels.base import Permanent
from pipeline.delivery.feedback.apply import record_all
from pipeline.delivery.feedback.webhooks import events_of, transport_of
from pipeline.delivery.models import Transport
from pipeline.delivery.transports import settings_of
from pipeline.kernel.config import config
from pipeline.kernel.outbound.client import client
from pipeline.kernel.outbound.http import FetchError

NOBODY = "There is nothing here.\n"
EXPLAINED = "This is where your e-mail provider posts its events; opening it in a browser does nothing.\n"
_PLAIN = "text/plain; charset=utf-8"


@never_cache
@csrf_exempt  # the token and the provider's signature are the authority
@require_http_methods(["GET", "HEAD", "POST"])
def hook(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """GET explains, POST records. One answer for every address we did not give out."""
    row = transport_of(provider=provider, token=token, config=config())
    if row is None:
        return HttpResponse(NOBODY, status=404, content_type=_PLAIN)
    if request.method != "POST":
        return HttpResponse(EXPLAINED, content_type=_PLAIN)
    try:
        _ = request.body
    except RequestDataTooBig:
        return HttpResponse("too large\n", status=413, content_type=_PLAIN)
    except (UnreadablePostError, ValueError):  # a length that is no number
        return HttpResponse("cut off\n", status=400, content_type=_PLAIN)
    return _posted(request, row)


def _posted(request: HttpRequest, row: Transport) -> HttpResponse:
    from pipeline.channels.esp import hooks  # boto3 takes a third of a second, and most houses have no provider

    try:
        keys = settings_of(row, config=config())
        told = hooks.told(request, provider=row.provider, settings=keys, fetch=_fetch)
    except hooks.NotSigned:
        return HttpResponse("not signed\n", status=403, content_type=_PLAIN)
    except (hooks.Unreadable, UnicodeDecodeError):
        return HttpResponse("not understood\n", status=400, content_type=_PLAIN)
    except (Permanent, FetchError):  # asked again later
        return HttpResponse("not set up\n", status=503, content_type=_PLAIN)
    now = timezone.now()
    record_all(events_of(told, transport=row.name, keyring=config().keyring, now=now), now=now)
    return HttpResponse("thanks\n", content_type=_PLAIN)


def _fetch(address: str) -> bytes:
    return client().get(address, limit_bytes=65536).body
