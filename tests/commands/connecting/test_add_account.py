"""Accounts are made with the keys their network needs, sealed, and no key is ever shown."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from pipeline.channels import registry
from pipeline.commands.connecting.add_account import run
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.secrets import unseal
from pipeline.posts.models import Account

pytestmark = pytest.mark.django_db


RULES = {"rules": {"per_hour": 4, "quiet": ["23:00", "06:30"]}, "words": {"mentions": {"EU": "@eu"}}}


def added(tmp_path: Path, network: str, keys: Any, rules: Any = None, **options: Any) -> dict[str, Any]:
    path, told = tmp_path / "keys.json", tmp_path / "rules.json"
    path.write_text(json.dumps(keys), encoding="utf-8")
    told.write_text(json.dumps(rules), encoding="utf-8")
    fixed: dict[str, Any] = {"network": network, "handle": "@harbour", "credentials": path}
    return run(**fixed, base_url="", approval=False, rules=None if rules is None else told, **options)


@pytest.mark.parametrize("network", registry.ADAPTERS)
def test_every_network_takes_any_of_its_sets_of_keys_and_connects(tmp_path: Path, network: str) -> None:
    adapter = registry.adapter_of(network)
    for number, needed in enumerate(adapter.needs):
        given = dict.fromkeys(needed, f"https://k.example/99/s3cret-{number}")
        answer = added(tmp_path, network, {**given, "stray": "x"})
        assert "s3cret" not in json.dumps(answer)
        account = Account.objects.get(id=answer["account"])
        kept = unseal(account.credentials, secrets=[config().secret_key], bound_to=str(account))
        assert kept == given
        assert registry.connect(network, keys=kept, handle="@harbour", base_url="http://127.0.0.1:9").network == network
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    ("network", "keys", "said"),
    [
        ("myspace", {}, "no adapter"),
        ("linkedin", {"access_token": "s3cret"}, "lacks organisation"),
        ("slack", {"token": "s3cret"}, "lacks"),
        ("x", ["s3cret"], "lacks"),
        ("x", "s3cret", "lacks"),
    ],
)
def test_a_file_without_the_keys_makes_nothing_and_says_what_is_missing(
    tmp_path: Path, network: str, keys: Any, said: str
) -> None:
    with pytest.raises(UnusableInput, match=said) as refused:
        added(tmp_path, network, keys)
    assert "s3cret" not in str(refused.value)
    assert Account.objects.count() == 0


def test_the_address_of_its_feed_is_told_and_works(tmp_path: Path) -> None:
    answer = added(tmp_path, "feed", {})
    path = answer["feed"].removeprefix(config().site_url)
    assert Client().get(path).status_code == 200


def test_rules_zone_and_budget_come_with_it_and_stay_when_it_is_connected_again(tmp_path: Path) -> None:
    known = {"zone": "Europe/Brussels", "budget_usd": Decimal("12.50"), "app": "desk"}
    first = added(tmp_path, "agora", {"token": "a"}, RULES, **known)
    Account.objects.update(state="broken", said="the keys ran out")
    again = added(tmp_path, "agora", {"token": "b"})
    account = Account.objects.get()
    assert (first["new"], again["new"], first["account"]) == (True, False, again["account"])
    assert (account.rules, account.words) == (RULES["rules"], RULES["words"])
    assert {name: getattr(account, name) for name in known} == known
    assert (account.state, account.said) == ("active", "")
    assert again["rules"] == "quiet from 23:00 to 06:30; at most 4 an hour"


@pytest.mark.parametrize(
    ("rules", "options", "said"),
    [
        ({"rules": {"per_huor": 4}}, {}, "per_huor"),
        ({"words": {"mention": {}}}, {}, "mention"),
        ({"rule": {}}, {}, "neither"),
        ([], {}, "no JSON object"),
        (None, {"zone": "Brussels"}, "not a time zone"),
    ],
)
def test_rules_that_cannot_be_meant_make_nothing(
    tmp_path: Path, rules: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnusableInput, match=said):
        added(tmp_path, "agora", {"token": "a"}, rules, **options)
    assert not Account.objects.exists()
