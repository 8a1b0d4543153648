"""The message as readers get it, shown where nothing of it can act."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from pipeline.delivery.message.mail import doors
from pipeline.delivery.message.renderings import frozen
from pipeline.desk import sign_in
from pipeline.editions import rendered
from pipeline.editions.models import Edition
from pipeline.kernel.config import config

#: No script, no form, no frame, an origin of its own; pictures and the message's own styles are what it is made of.
POLICY = (
    "default-src 'none'; img-src data:{pictures}; style-src 'unsafe-inline'; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
#: Where pictures come from: attributes and styles of the message before its blanks are filled, so that the open
#: picture is not among them and a look at the desk asks nothing of the tracking door.
_PICTURE = re.compile(r"""(?:\bsrc="|\bbackground="|url\(\s*['"]?)(https?://[A-Za-z0-9.-]+(?::\d{1,5})?)(?=[/?"')])""")


def markup(edition: Edition) -> str:
    """The HTML of nobody in particular: the stored rendering through the same blanks as every reader's."""
    message = frozen(edition)
    return rendered.preview(message, doors=doors(config()), values=rendered.sample_reader(message))


def plain(edition: Edition) -> str:
    """The plain text, likewise."""
    message = frozen(edition)
    return rendered.preview_text(message, doors=doors(config()), values=rendered.sample_reader(message))


@sign_in.required
@xframe_options_sameorigin
@require_safe
def message(_: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The HTML part."""
    edition = _rendered(edition_id)
    pictures = sorted(set(_PICTURE.findall(edition.rendering.html)))
    return _sealed(HttpResponse(markup(edition), content_type="text/html; charset=utf-8"), pictures=pictures)


@sign_in.required
@require_safe
def text(_: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The plain text part."""
    return _sealed(HttpResponse(plain(_rendered(edition_id)), content_type="text/plain; charset=utf-8"))


def _rendered(edition_id: int) -> Edition:
    rows = Edition.objects.select_related("newsletter", "rendering").filter(rendering__isnull=False)
    return get_object_or_404(rows, id=edition_id)


def _sealed(answer: HttpResponse, *, pictures: Sequence[str] = ()) -> HttpResponse:
    allowed = "".join(f" {origin}" for origin in pictures)
    answer.headers["Content-Security-Policy"] = POLICY.format(pictures=allowed)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
