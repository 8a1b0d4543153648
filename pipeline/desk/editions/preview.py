"""The message as readers get it, shown where nothing of it can act."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from pipeline.delivery.mail import doors, frozen
from pipeline.desk import sign_in
from pipeline.editions import rendered
from pipeline.editions.models import Edition
from pipeline.kernel.config import config

#: No script, no form, no frame, an origin of its own; pictures and the message's own styles are what it is made of.
POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def markup(edition: Edition) -> str:
    """The HTML of nobody in particular: the stored rendering through the same blanks as every reader's."""
    message = frozen(edition)
    return rendered.preview(message, doors=doors(config()), values=rendered.sample_reader(message))


def plain(edition: Edition) -> str:
    """The plain text, likewise."""
    message = frozen(edition)
    return rendered.preview_text(message, doors=doors(config()), values=rendered.sample_reader(message))


@sign_in.required
@require_safe
def message(_: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The HTML part."""
    return _sealed(HttpResponse(markup(_rendered(edition_id)), content_type="text/html; charset=utf-8"))


@sign_in.required
@require_safe
def text(_: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The plain text part."""
    return _sealed(HttpResponse(plain(_rendered(edition_id)), content_type="text/plain; charset=utf-8"))


def _rendered(edition_id: int) -> Edition:
    rows = Edition.objects.select_related("newsletter", "rendering").filter(rendering__isnull=False)
    return get_object_or_404(rows, id=edition_id)


def _sealed(answer: HttpResponse) -> HttpResponse:
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
