"""`dateline add-account`: a social account and its sealed credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal
from pipeline.posts.models import Account

#: What each adapter needs; names as the networks' own consoles show them.
NEEDED = {
    "x": ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
    "agora": ("token",),
}


@transaction.atomic
def run(*, network: str, handle: str, credentials: Path, base_url: str, approval: bool) -> dict[str, Any]:
    """Make or reconnect an account. Raises UnusableInput; nothing of the file is printed or logged."""
    if network not in NEEDED:
        raise UnusableInput(f"{network!r} has no adapter yet; known are {', '.join(NEEDED)}")
    keys = _keys(credentials, network)
    account, made = Account.objects.get_or_create(
        network=network, handle=handle, defaults={"created_at": timezone.now()}
    )
    account.base_url, account.approval, account.state = base_url, approval, Account.State.ACTIVE
    account.credentials = seal(keys, secrets=[config().secret_key], bound_to=str(account))
    account.save()
    return {"account": account.id, "network": network, "handle": handle, "new": made, "warnings": []}


def _keys(path: Path, network: str) -> dict[str, str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path} is not a readable JSON file: {error}") from error
    missing = [name for name in NEEDED[network] if not (isinstance(record, dict) and record.get(name))]
    if missing:
        raise UnusableInput(f"{path} lacks {', '.join(missing)}")
    return {name: str(record[name]) for name in NEEDED[network]}
