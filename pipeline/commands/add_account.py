"""`dateline add-account`: a social account and its sealed credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.channels import registry
from pipeline.channels.feed import token_of
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal
from pipeline.posts.models import Account


@transaction.atomic
def run(*, network: str, handle: str, credentials: Path, base_url: str, approval: bool) -> dict[str, Any]:
    """Make or reconnect an account. Raises UnusableInput; nothing of the file is printed or logged."""
    if network not in registry.ADAPTERS:
        raise UnusableInput(f"{network!r} has no adapter yet; known are {', '.join(registry.ADAPTERS)}")
    keys = _keys(credentials, network)
    account, made = Account.objects.get_or_create(
        network=network, handle=handle, defaults={"created_at": timezone.now()}
    )
    account.base_url, account.approval, account.state = base_url, approval, Account.State.ACTIVE
    account.credentials = seal(keys, secrets=[config().secret_key], bound_to=str(account))
    account.save()
    feed = f"{config().site_url}/posts/{token_of(account.id, secret=config().secret_key)}.rss"
    return {"account": account.id, "network": network, "handle": handle, "new": made, "feed": feed, "warnings": []}


def _keys(path: Path, network: str) -> dict[str, str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path} is not a readable JSON file: {error}") from error
    try:
        return registry.keys_of(network, record if isinstance(record, dict) else {})
    except registry.MissingKeysError as missing:
        raise UnusableInput(f"{path}: {missing}") from missing
