"""`dateline add-push`: an address where a site tells us its news, with the secret it signs with."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.articles.addresses import comparable
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.sources.models import Push, Source
from pipeline.sources.pushes import owners, signatures
from pipeline.staff.journal import note

KINDS = {kind.value: kind for kind in (Push.Kind.WEBHOOK, Push.Kind.GHOST, Push.Kind.PING)}


@transaction.atomic
def run(*, source: str, kind: str) -> dict[str, Any]:
    """The address to paste into the site, and for signed kinds a fresh secret. Raises UnusableInput."""
    now = timezone.now()
    if kind not in KINDS:
        raise UnusableInput(f"{kind!r} is no kind of push; known are {', '.join(KINDS)}")
    found = _source(source)
    told: dict[str, Any] = {"source": found.id, "name": found.name, "kind": kind}
    if KINDS[kind] is Push.Kind.PING:
        return {**told, "endpoint": f"{config().site_url}/ping/{found.ping_token}", "warnings": _warnings()}
    push, secret = owners.open_hook(source_id=found.id, kind=KINDS[kind], now=now)
    note(verb="open_webhook", subject="source", subject_id=found.id, now=now, kind=kind)
    return {
        **told,
        "endpoint": owners.address(push),
        "secret": secret,
        "header": owners.HEADERS[KINDS[kind]],
        "example": _example(push, secret, found, now=now) if KINDS[kind] is Push.Kind.WEBHOOK else None,
        "warnings": _warnings(),
    }


def _source(given: str) -> Source:
    if given.isascii() and given.isdigit():
        found = Source.objects.filter(id=int(given)).first() if len(given) < 18 else None
    else:
        found = next((one for one in Source.objects.all() if comparable(one.home_url) == comparable(given)), None)
    if found is None:
        raise UnusableInput(f"no source is {given}: `dateline watch URL` adds one and prints its number")
    return found


def _example(push: Push, secret: str, source: Source, *, now: datetime) -> str:
    """A request for a shell, good for five minutes. An update of a story nobody knows is a hint to look, no more."""
    story = {"event": "updated", "id": "example", "url": f"{source.home_url.rstrip('/')}/example/"}
    body = json.dumps(story)
    signed = signatures.dateline_header(secret=secret, body=body.encode(), at=now)
    words = [
        "curl",
        "-H",
        f"{owners.HEADERS[Push.Kind.WEBHOOK]}: {signed}",
        "--data-binary",
        body,
        owners.address(push),
    ]
    return shlex.join(words)


def _warnings() -> list[str]:
    local = "127.0.0.1" in config().site_url or "localhost" in config().site_url
    return ["DATELINE_SITE_URL is on this machine: a site elsewhere cannot reach it"] if local else []
