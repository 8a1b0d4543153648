"""Accounts are made with the keys their network needs, sealed, and no key is ever shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from pipeline.channels import registry
from pipeline.commands.add_account import run
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.secrets import unseal
from pipeline.posts.models import Account

pytestmark = pytest.mark.django_db


def added(tmp_path: Path, network: str, keys: Any) -> dict[str, Any]:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(keys), encoding="utf-8")
    return run(network=network, handle="@harbour", credentials=path, base_url="", approval=False)


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
