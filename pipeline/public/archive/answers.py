"""Answers that may be kept, and are asked about again: strong ETag, Last-Modified, 304."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

#: A story that is withdrawn must leave every cache soon.
CACHE = "public, max-age=60"


def kept(request: HttpRequest, answer: HttpResponse, *, changed_at: datetime | None) -> HttpResponse:
    """The answer, or 304 to who has these very bytes (RFC 9110 13)."""
    etag = f'"{hashlib.blake2b(answer.content, digest_size=12).hexdigest()}"'
    stamp = int(changed_at.timestamp()) if changed_at else None
    answer.headers["ETag"], answer.headers["Cache-Control"] = etag, CACHE
    if stamp is not None:
        answer.headers["Last-Modified"] = http_date(stamp)
    return get_conditional_response(request, etag=etag, last_modified=stamp, response=answer) or answer
