"""`dateline add-account`: a social account, its sealed credentials and the rules it posts by."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.channels import registry
from pipeline.channels.base import Permanent
from pipeline.channels.feed import token_of
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.clocks import zone_named
from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal
from pipeline.posts.models import Account
from pipeline.posts.rules.rules import Rules, UnusableRules
from pipeline.posts.words.kept import Words


@transaction.atomic
def run(
    *,
    network: str,
    handle: str,
    credentials: Path,
    base_url: str,
    approval: bool,
    rules: Path | None = None,
    zone: str = "",
    budget_usd: Decimal | None = None,
    app: str = "",
) -> dict[str, Any]:
    """Make or reconnect an account. Raises UnusableInput; nothing of the credentials is printed or logged.

    `rules` is a JSON file with "rules" and "words" as `posts.rules.rules` and `posts.words.kept` read them. What is
    not given is left as it was.
    """
    keys = _keys(credentials, network)
    account, made = Account.objects.get_or_create(
        network=network, handle=handle, defaults={"created_at": timezone.now()}
    )
    account.base_url, account.approval, account.state = base_url, approval, Account.State.ACTIVE
    account.said, account.refreshing_until, account.token_until = "", None, None
    account.credentials = seal(keys, secrets=[config().secret_key], bound_to=str(account))
    _set_rules(account, rules)
    account.zone = _zone(zone) if zone else account.zone
    account.budget_usd = account.budget_usd if budget_usd is None else budget_usd
    account.app = app or account.app
    account.save()
    feed = f"{config().site_url}/posts/{token_of(account.id, secret=config().secret_key)}.rss"
    told = {"rules": Rules.of(account.rules).sentence(), "feed": feed, "warnings": []}
    return {"account": account.id, "network": network, "handle": handle, "new": made, **told}


def _keys(path: Path, network: str) -> dict[str, str]:
    try:
        return registry.keys_of(network, record if isinstance(record := _record(path), dict) else {})
    except registry.MissingKeysError as error:
        raise UnusableInput(f"{path}: {error}") from error
    except Permanent as error:
        raise UnusableInput(str(error)) from error


def _set_rules(account: Account, path: Path | None) -> None:
    if path is None:
        return
    record = _record(path)
    if not isinstance(record, dict):
        raise UnusableInput(f"{path} holds no JSON object")
    if unknown := set(record) - {"rules", "words"}:
        raise UnusableInput(f"{path}: {min(unknown)} is neither rules nor words")
    try:
        Rules.of(record.get("rules", account.rules))
        Words.of(record.get("words", account.words))
    except UnusableRules as error:
        raise UnusableInput(f"{path}: {error}") from error
    account.rules, account.words = record.get("rules", account.rules), record.get("words", account.words)


def _record(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path} is not a readable JSON file: {error}") from error


def _zone(name: str) -> str:
    try:
        return zone_named(name).key
    except ValueError as error:
        raise UnusableInput(str(error)) from error
