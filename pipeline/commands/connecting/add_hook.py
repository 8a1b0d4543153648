"""`dateline add-hook`: another program is told what happens here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.commands.unusable import UnusableInput
from pipeline.hooks.events import UnknownEvent
from pipeline.hooks.tell import open_hook
from pipeline.staff.journal import note


@transaction.atomic
def run(*, url: str, name: str, events: Iterable[str]) -> dict[str, Any]:
    """The hook with its secret, shown this once. Raises UnusableInput."""
    now = timezone.now()
    try:
        hook, secret = open_hook(url=url, events=events, name=name or url, now=now)
    except (UnknownEvent, ValueError) as error:
        raise UnusableInput(str(error)) from None
    note(verb="open_hook", subject="hook", subject_id=hook.id, now=now, events=hook.events)
    warnings = [] if url.startswith("https://") else ["this address is not encrypted: bodies travel in the open"]
    return {"hook": hook.id, "name": hook.name, "events": hook.events, "secret": secret, "warnings": warnings}
