"""`dateline add-transport`: another way out for mail, with its sealed settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.utils import timezone

from pipeline.channels.base import Permanent
from pipeline.channels.esp.providers import UnknownProvider, provider_of
from pipeline.commands.unusable import UnusableInput
from pipeline.delivery.feedback import webhooks
from pipeline.delivery.models import Transport
from pipeline.delivery.transports import relay_of, sealed_settings
from pipeline.kernel.config import config


def run(*, name: str, kind: str, provider: str, settings: Path, rank: int) -> dict[str, Any]:
    """Make or change a transport. Raises UnusableInput; nothing of the file is printed or logged."""
    if kind not in Transport.Kind.values:
        raise UnusableInput(f"{kind!r} is no kind of transport; known are {', '.join(Transport.Kind.values)}")
    values = _values(settings)
    _check(kind, provider, values)
    row, made = Transport.objects.update_or_create(
        name=name,
        defaults={
            "kind": kind, "provider": provider, "rank": rank, "state": Transport.State.ACTIVE, "failing_since": None,
            "said": "", "settings": sealed_settings(name, values, config=config()),
        },
        create_defaults={
            "kind": kind, "provider": provider, "rank": rank, "created_at": timezone.now(),
            "settings": sealed_settings(name, values, config=config()),
        },
    )  # fmt: skip
    hook = webhooks.address_of(row, config=config()) if kind == Transport.Kind.ESP else None
    return {"transport": row.name, "kind": row.kind, "rank": row.rank, "new": made, "webhook": hook, "warnings": []}


def _values(path: Path) -> dict[str, str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path} is not a readable JSON file: {error}") from error
    if not isinstance(record, dict):
        raise UnusableInput(f"{path} should hold one JSON object of settings")
    return {str(key): str(value) for key, value in record.items()}


def _check(kind: str, provider: str, values: dict[str, str]) -> None:
    try:
        if kind == Transport.Kind.ESP:
            provider_of(provider, values)
        elif kind == Transport.Kind.RELAY:
            relay_of(values)
    except (UnknownProvider, Permanent) as error:
        raise UnusableInput(str(error)) from error
