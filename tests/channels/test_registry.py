"""Every network that can be posted to has its row, and every row its network."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from pipeline.channels import registry
from pipeline.channels.base import Permanent


@pytest.mark.parametrize("network", registry.ADAPTERS)
def test_a_row_leads_to_an_adapter_of_that_network(network: str) -> None:
    connect = import_module(registry.ADAPTERS[network].module).connect
    assert list(inspect.signature(connect).parameters) == ["keys", "handle", "base_url"]


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (
            {"consumer_key": "a", "consumer_secret": "b", "access_token": "c", "access_token_secret": "d", "x": "y"},
            {"consumer_key": "a", "consumer_secret": "b", "access_token": "c", "access_token_secret": "d"},
        ),
        (
            {"client_id": "a", "access_token": "b", "refresh_token": "c", "client_secret": "d"},
            {"client_id": "a", "access_token": "b", "refresh_token": "c", "client_secret": "d"},
        ),
        (
            {"client_id": "a", "access_token": "b", "refresh_token": "c", "client_secret": ""},
            {"client_id": "a", "access_token": "b", "refresh_token": "c"},
        ),
    ],
)
def test_keys_are_those_that_the_network_uses(record: dict[str, Any], kept: dict[str, str]) -> None:
    assert registry.keys_of("x", record) == kept


def test_missing_keys_are_named_and_no_value_is_shown() -> None:
    with pytest.raises(registry.MissingKeysError, match=r"lacks refresh_token$") as error:
        registry.keys_of("x", {"client_id": "hid", "access_token": "den"})
    assert not {"hid", "den"} & set(str(error.value).split())
    with pytest.raises(Permanent):
        registry.connect("bluesky", keys={}, handle="h")


def test_a_network_without_an_adapter_is_permanent() -> None:
    with pytest.raises(Permanent, match="no adapter for myspace"):
        registry.connect("myspace", keys={}, handle="h")
