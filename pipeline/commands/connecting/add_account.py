"""`dateline add-account`: a social account, its sealed credentials and the rules it posts by."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.channels import registry
from pipeline.channels.base import ChannelError, Keys, Permanent, Roomy
from pipeline.channels.consent import networks as consents
from pipeline.channels.consent.asking import ConsentError, code_in
from pipeline.channels.consent.listener import Listener, is_loopback
from pipeline.channels.feed import token_of
from pipeline.commands.unusable import UnusableInput
from pipeline.delivery.posting import access
from pipeline.kernel.clocks import zone_named
from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal
from pipeline.posts.models import Account
from pipeline.posts.rules.rules import Rules, UnusableRules
from pipeline.posts.words.kept import Words

#: Where a browser is led back to, unless told otherwise: the app must name the same address.
REDIRECT = "http://127.0.0.1:8765/authorised"
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Browser:
    """How a person is asked for consent: `say` shows a line, `pasted` is the address that they were led to."""

    redirect: str = REDIRECT
    paste: bool = False
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    pasted: Callable[[], str] = sys.stdin.readline
    patience_s: float = PATIENCE_S


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
    browser: Browser | None = None,
) -> dict[str, Any]:
    """Make or reconnect an account. Raises UnusableInput; nothing of the credentials is printed or logged.

    `rules` is a JSON file with "rules" and "words" as `posts.rules.rules` and `posts.words.kept` read them. What is
    not given is left as it was. With a `browser` the credentials are the app's, and the account's come of a consent.
    """
    probe, now = Account(network=network, handle=handle), timezone.now()
    _set_rules(probe, rules)
    probe.zone = _zone(zone) if zone else probe.zone
    record = record if isinstance(record := _record(credentials), dict) else {}
    keys = (
        Keys(_keys(record, network, named=credentials))
        if browser is None
        else _consented(record, network, base_url, browser)
    )
    with transaction.atomic():
        account, made = Account.objects.get_or_create(network=network, handle=handle, defaults={"created_at": now})
        account.base_url, account.approval, account.state = base_url, approval, Account.State.ACTIVE
        account.said, account.refreshing_until, account.token_until = "", None, keys.until
        account.credentials = seal(dict(keys.values), secrets=config().secrets, bound_to=str(account))
        _set_rules(account, rules)
        account.zone = _zone(zone) if zone else account.zone
        account.budget_usd = account.budget_usd if budget_usd is None else budget_usd
        account.app = app or account.app
        account.save()
    feed = f"{config().site_url}/posts/{token_of(account.id, secret=config().secret_key)}.rss"
    told = {"rules": Rules.of(account.rules).sentence(), "feed": feed, "warnings": _learnt(account, now=now)}
    return {"account": account.id, "network": network, "handle": handle, "new": made, **told}


def _consented(app: Mapping[str, Any], network: str, base_url: str, browser: Browser) -> Keys:
    """Ask a person in their browser, wait for the answer, and exchange its code. Nothing is stored before."""
    given = {name: str(value) for name, value in app.items()}
    home = base_url or (config().x_base_url if network == "x" else "")
    try:
        asked = consents.begin(network, app=given, redirect=browser.redirect, base_url=home)
        if browser.paste or not is_loopback(browser.redirect):
            browser.say(f"Open {asked.address}\nand paste the address that you are led to:")
            answer = browser.pasted()
        else:
            with Listener(browser.redirect) as listener:
                browser.say(f"Open {asked.address}\nand come back: waiting at {browser.redirect}")
                answer = listener.wait(timeout_s=browser.patience_s)
        keys = consents.finish(network, app=given, code=code_in(answer, asked), asked=asked, base_url=home)
        return Keys(registry.keys_of(network, keys.values), until=keys.until)
    except (ConsentError, registry.MissingKeysError) as error:
        raise UnusableInput(str(error)) from error


def _learnt(account: Account, *, now: datetime) -> list[str]:
    """A server that sets limits of its own is asked for them, so that the first post fits; it may be away."""
    try:
        line = access.channel_of(account)
    except ChannelError as error:
        return [str(error)]
    if isinstance(line, Roomy):
        access.learn(account, line, now=now)
        if "limit" not in account.capacity:
            return ["the server did not tell its limits: the network's usual ones are used until it does"]
    return []


def _keys(record: Mapping[str, Any], network: str, *, named: Path) -> dict[str, str]:
    try:
        return registry.keys_of(network, record)
    except registry.MissingKeysError as error:
        raise UnusableInput(f"{named}: {error}") from error
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
