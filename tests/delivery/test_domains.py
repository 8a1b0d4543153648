"""What our domains should look like follows from the newsletters, the settings and the ways out."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.utils import timezone
from rich.console import Console

from pipeline.channels.domain.ask import NameServers
from pipeline.channels.domain.records import public_key
from pipeline.commands.running import doctor_domain
from pipeline.delivery import domains
from pipeline.delivery.domains import looked_at, published_keys, wanted_of
from pipeline.delivery.models import Transport
from pipeline.delivery.transports import sealed_settings
from pipeline.kernel.config import Config, config
from tests.channels.domain.conftest import through
from tests.factories import audience, editions
from tests.factories.name_server import NameServer

pytestmark = pytest.mark.django_db


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def told(**fields: str) -> Config:
    return replace(config(), bounce_domain="bounce.dispatch.example", **fields)


def test_each_from_domain_is_looked_at_once() -> None:
    for n, address in enumerate(["brief@dispatch.example", "evening@Dispatch.example", "brief@écho.example"]):
        topic = audience.topic(slug=f"t{n}")
        editions.newsletter(slug=f"n{n}", topic=topic, from_address=address)
    found = wanted_of(config=told(), names=NameServers())
    assert [one.domain for one in found] == ["dispatch.example", "xn--cho-9la.example"]


def test_without_newsletters_the_settings_say_whom_we_send_as() -> None:
    [one] = wanted_of(config=told(mail_from="digest@other.example"), names=NameServers())
    assert (one.domain, one.tls, one.addresses) == ("other.example", None, ())


def test_a_provider_is_included_where_there_is_no_relay() -> None:
    Transport.objects.create(name="m", kind="esp", provider="mailgun", created_at=timezone.now())
    [one] = wanted_of(config=told(), names=NameServers())
    assert one.include == "mailgun.org"
    [one] = wanted_of(config=told(smtp_url="smtp://127.0.0.1:1"), names=NameServers())
    assert one.include == "" and one.tls is not None


def test_the_readers_servers_are_knocked_at_only_where_mail_goes_straight_to_them() -> None:
    config_ = told()
    [one] = wanted_of(config=config_, names=NameServers())
    assert one.outgoing is None
    sealed = sealed_settings("own", {"port": "1"}, config=config_)
    Transport.objects.create(name="own", kind="mx", settings=sealed, created_at=timezone.now())
    with NameServer({("gmail.com", "MX"): ["5 mx.example."], ("mx.example", "A"): ["127.0.0.1"]}) as server:
        [one] = wanted_of(config=config_, names=through(server))
    assert one.outgoing is not None
    assert (one.outgoing.port, one.outgoing.host, one.outgoing.known) == (1, "", True)


def test_every_provider_has_a_name_to_include() -> None:
    from pipeline.channels.esp.providers import PROVIDERS

    assert set(domains.SPF_NAMES) == set(PROVIDERS)


def test_the_published_half_of_each_key_is_told_with_its_selector() -> None:
    strong, edwards = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        ed25519.Ed25519PrivateKey.generate(),
    )
    found = published_keys(told(dkim_key=pem(strong) + pem(edwards), dkim_selector="r1 e1"))
    assert [selector for selector, _ in found] == ["r1", "e1"]
    assert [public_key(record).bits for _, record in found] == [2048, 256]
    assert base64.b64decode(public_key(found[1][1]).value) == edwards.public_key().public_bytes_raw()
    assert published_keys(told(dkim_key="-----BEGIN X-----nonsense", dkim_selector="r1")) == ()


def test_the_doctor_shows_what_to_publish_ready_to_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    editions.newsletter(from_address="brief@dispatch.example")
    with NameServer({("dispatch.example", "A"): ["192.0.2.1"]}) as server:
        names = through(server)
        monkeypatch.setattr(domains, "NameServers", lambda: names)
        screen = io.StringIO()
        bad = doctor_domain.show(told(), console=Console(file=screen, width=300))
    said = screen.getvalue()
    assert bad >= 3
    assert '_dmarc.dispatch.example. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@dispatch.example"' in said.splitlines()
    assert 'bounce.dispatch.example. IN TXT "v=spf1 mx -all"' in said.splitlines()


def test_a_machine_without_dns_fails_nothing() -> None:
    editions.newsletter(from_address="brief@dispatch.example")
    names = NameServers()
    names._silent = "no name server"
    [found] = looked_at(config=told(site_url="https://www.dispatch.example"), names=names).values()
    assert {row.level for row in found} <= {"unknown", "ok", "look"}
