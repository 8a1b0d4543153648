"""Signing up from a site's own script: POST JSON, open to every origin, without credentials."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.request import RawPostDataException
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pipeline.audience.words import Words, words
from pipeline.public.readers import join, visitors

LARGEST = 8192
HOUR_S = "3600"


@never_cache
@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def join_by_script(request: HttpRequest) -> JsonResponse:
    """`{"address", "topics": [slug], "language"}` -> 202 `{"code": "asked", "said"}`; 422, 429 or 400 with the same keys."""
    if request.method == "OPTIONS":
        return _open(JsonResponse({}))
    given = _given(request)
    say = visitors.language_of(request)
    if given is None:
        said = "The body must be a JSON object of at most 8 kB. Nothing was kept. Send address and topics."
        return _open(JsonResponse({"code": "unreadable", "said": said}, status=400))
    if isinstance(given.get("language"), str):
        say = words(given["language"])
    asked = _asked(given, say)
    answer = join.take(request, asked)
    return _open(_said(answer, asked, say))


def _said(answer: join.Answer, asked: join.Asked, say: Words) -> JsonResponse:
    address = asked.address.strip()[:100]
    if not answer.wrong:
        return JsonResponse({"code": "asked", "said": say("join.sent", address=address)}, status=202)
    said = say(f"wrong.{answer.wrong}", address=address, domain=answer.domain)
    return JsonResponse({"code": answer.wrong, "said": said}, status=429 if answer.wrong == "busy" else 422)


def _asked(given: dict[str, Any], say: Words) -> join.Asked:
    topics = given.get("topics")
    slugs = [slug for slug in topics if isinstance(slug, str)] if isinstance(topics, list) else []
    return join.Asked(
        address=_text(given, "address")[:320], topics=tuple(slugs[:100]), form="api", language=say.language,
        trap=_text(given, join.TRAP),
    )  # fmt: skip


def _given(request: HttpRequest) -> dict[str, Any] | None:
    try:
        body = request.read(LARGEST + 1)
        found = json.loads(body) if len(body) <= LARGEST else None
    except (OSError, ValueError, RecursionError, RawPostDataException):
        return None
    return found if isinstance(found, dict) else None


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _open(answer: JsonResponse) -> JsonResponse:
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Allow-Methods"] = "POST"
    answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
    if answer.status_code == 429:
        answer.headers["Retry-After"] = HOUR_S
    return answer
