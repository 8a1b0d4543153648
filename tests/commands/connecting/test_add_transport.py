"""A way out for mail is added once, its keys are sealed, and its webhook's address is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.commands.connecting import add_transport
from pipeline.commands.unusable import UnusableInput
from pipeline.delivery import transports
from pipeline.delivery.feedback import webhooks
from pipeline.delivery.models import Transport
from pipeline.kernel.config import config

pytestmark = pytest.mark.django_db


def keys(folder: Path, **values: str) -> Path:
    path = folder / "keys.json"
    path.write_text(json.dumps(values))
    return path


def test_a_provider_is_added_with_its_keys_sealed_and_its_webhook_told(tmp_path: Path) -> None:
    path = keys(tmp_path, api_key="key-123", sender_domain="mail.example.org")
    told = add_transport.run(name="mailgun-eu", kind="esp", provider="mailgun", settings=path, rank=2)
    row = Transport.objects.get()
    assert (told["new"], row.rank, row.kind) == (True, 2, "esp")
    assert b"key-123" not in bytes(row.settings)
    assert transports.settings_of(row, config=config())["api_key"] == "key-123"
    assert told["webhook"] == webhooks.address_of(row, config=config())


def test_adding_it_again_changes_its_keys_and_mends_it(tmp_path: Path) -> None:
    for key in ("old", "new"):
        told = add_transport.run(
            name="r", kind="relay", provider="", settings=keys(tmp_path, url=f"smtp://{key}.example.org:25"), rank=1
        )
    assert (told["new"], told["webhook"]) == (False, None)
    assert transports.settings_of(Transport.objects.get(), config=config())["url"].startswith("smtp://new.")


@pytest.mark.parametrize(
    ("kind", "provider", "text", "said"),
    [
        ("pigeon", "", "{}", "pigeon"),
        ("esp", "nobody", "{}", "nobody"),
        ("relay", "", "{}", "url"),
        ("mx", "", "[]", "object"),
        ("mx", "", "{", "JSON"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line_and_adds_nothing(
    tmp_path: Path, kind: str, provider: str, text: str, said: str
) -> None:
    (tmp_path / "k.json").write_text(text)
    with pytest.raises(UnusableInput, match=said):
        add_transport.run(name="x", kind=kind, provider=provider, settings=tmp_path / "k.json", rank=1)
    assert not Transport.objects.exists()
