"""Telling: a row for each hook that asked, in the caller's transaction; posting is another's work."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction

from pipeline.hooks.events import EVENTS, UnknownEvent, known
from pipeline.hooks.models import Hook, Notice
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, wake
from pipeline.kernel.secrets import seal, unseal

LOCK = 0x68_6F_6F_6B
KEPT_TOLD, KEPT_GIVEN_UP = timedelta(days=7), timedelta(days=30)


def tell(*, event: str, body: Mapping[str, Any], now: datetime) -> int:
    """Note an event for whoever asked; for how many. Raises UnknownEvent. `body` is plain JSON."""
    if event not in EVENTS:
        raise UnknownEvent(event)
    hooks = [hook for hook in Hook.objects.exclude(state=Hook.State.OFF).order_by("id") if event in hook.events]
    resting = {"state": Notice.State.GIVEN_UP, "said": "the hook was resting"}
    Notice.objects.bulk_create(
        Notice(
            hook=hook, event=event, body=dict(body), at=now, due_at=now,
            **(resting if hook.state == Hook.State.RESTING else {}),
        )
        for hook in hooks
    )  # fmt: skip
    if any(hook.state == Hook.State.ACTIVE for hook in hooks):
        wake(Job.HOOKS_DELIVER)
    return len(hooks)


@transaction.atomic
def open_hook(*, url: str, events: Iterable[str], name: str, now: datetime) -> tuple[Hook, str]:
    """A hook and its secret, shown this once; the same address again gets a new secret and is woken.

    Raises UnknownEvent, and ValueError for what is no address.
    """
    asked = known(events)
    if not asked:
        raise UnknownEvent(f"choose at least one event of {', '.join(EVENTS)}")
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
        raise ValueError("the address of a hook begins with https:// and holds no password")
    with connection.cursor() as cursor:  # pressed twice at once there would be two, and each event told twice
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    hook = Hook.objects.select_for_update().filter(url=url).first() or Hook(url=url, created_at=now)
    hook.name, hook.events, hook.state, hook.failing_since = name[:80], asked, Hook.State.ACTIVE, None
    hook.save()
    secret = secrets.token_urlsafe(32)
    hook.secret = seal({"secret": secret}, secrets=config().secrets, bound_to=_place(hook))
    hook.save(update_fields=["secret"])
    return hook, secret


def secret_of(hook: Hook) -> str:
    """The shared secret. Raises Sealed where our own key has changed."""
    return unseal(hook.secret, secrets=config().secrets, bound_to=_place(hook))["secret"]


def forget(*, now: datetime) -> int:
    """Notices nobody needs any more: told a week ago, given up a month ago; how many."""
    told, _ = Notice.objects.filter(state=Notice.State.TOLD, at__lt=now - KEPT_TOLD).delete()
    given_up, _ = Notice.objects.filter(state=Notice.State.GIVEN_UP, at__lt=now - KEPT_GIVEN_UP).delete()
    return told + given_up


def _place(hook: Hook) -> str:
    return f"hook {hook.id}"
