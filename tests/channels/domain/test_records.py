"""DMARC's tree walk (RFC 9989) and DKIM's keys, as published."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.domain.records import Policy, policy_of, public_key, tags

#: (From domain, {name below _dmarc: record}, where it is found, what applies, the organisation)
WALKS = [
    ("a.example", {"a.example": "v=DMARC1; p=reject"}, "a.example", "reject", "a.example"),
    ("news.a.example", {"a.example": "v=DMARC1; p=reject; sp=none"}, "a.example", "none", "a.example"),
    ("news.a.example", {"a.example": "v=DMARC1; p=quarantine"}, "a.example", "quarantine", "a.example"),
    ("news.a.example", {"news.a.example": "v=DMARC1; p=none", "a.example": "v=DMARC1; p=reject"}, "news.a.example", "none", "a.example"),
    ("x.news.a.example", {"news.a.example": "v=DMARC1; p=none; psd=n", "a.example": "v=DMARC1; p=reject"}, "news.a.example", "none", "news.a.example"),
    ("bank.gov.example", {"gov.example": "v=DMARC1; p=reject; psd=y"}, "gov.example", "reject", "bank.gov.example"),
    ("www.bank.gov.example", {"gov.example": "v=DMARC1; p=reject; psd=y; sp=quarantine"}, "gov.example", "quarantine", "bank.gov.example"),
    ("1.2.3.4.5.6.7.8.9.example", {"5.6.7.8.9.example": "v=DMARC1; p=none"}, "5.6.7.8.9.example", "none", "5.6.7.8.9.example"),
]  # fmt: skip


def asked(zone: dict[str, str]) -> tuple[list[str], object]:
    names: list[str] = []

    def texts(name: str) -> list[str]:
        names.append(name)
        found = zone.get(name.removeprefix("_dmarc."))
        return [found] if found else []

    return names, texts


@pytest.mark.parametrize(("domain", "zone", "at", "asks", "organisation"), WALKS)
def test_the_walk_finds_the_policy_that_applies(
    domain: str, zone: dict[str, str], at: str, asks: str, organisation: str
) -> None:
    names, texts = asked(zone)
    found = policy_of(domain, texts)  # type: ignore[arg-type]
    assert found is not None
    assert (found.at, found.asks, found.organisation) == (at, asks, organisation)
    assert len(names) <= 8


def test_a_name_of_many_labels_is_asked_eight_times_at_most_and_skips_to_its_last_seven() -> None:
    names, texts = asked({})
    assert policy_of(".".join("abcdefghijkl") + ".example", texts) is None  # type: ignore[arg-type]
    assert len(names) == 8
    assert names[0].startswith("_dmarc.a.b.") and names[1] == "_dmarc.g.h.i.j.k.l.example"


@pytest.mark.parametrize("text", ["v=DMARC2; p=none", "p=none", "hello", "v=spf1 -all"])
def test_what_is_no_dmarc_record_is_none(text: str) -> None:
    assert policy_of("a.example", lambda _name: [text]) is None


def test_two_records_are_none() -> None:
    assert policy_of("a.example", lambda _name: ["v=DMARC1; p=none", "v=DMARC1; p=reject"]) is None


@pytest.mark.parametrize(
    ("record", "domain", "aligned"),
    [
        ("v=DMARC1; p=none", "bounce.a.example", True),
        ("v=DMARC1; p=none", "a.example", True),
        ("v=DMARC1; p=none; aspf=s", "bounce.a.example", False),
        ("v=DMARC1; p=none; aspf=s", "news.a.example", True),
        ("v=DMARC1; p=none", "bounce.b.example", False),
        ("v=DMARC1; p=none", "nota.example", False),
    ],
)
def test_alignment_is_by_organisation_or_exact(record: str, domain: str, aligned: bool) -> None:
    policy = Policy(at="a.example", record=record, asks="none", organisation="a.example")
    assert policy.aligned(domain, of="news.a.example", strictly="aspf") is aligned


def rsa_record(bits: int) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def test_keys_are_read_with_their_strength() -> None:
    strong, weak = public_key(rsa_record(2048)), public_key(rsa_record(1024))
    assert (strong.bits, strong.problem) == (2048, "")
    assert weak.bits == 1024 and "2048" in weak.problem
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    edwards = public_key(f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}")
    assert (edwards.algorithm, edwards.problem) == ("ed25519", "")


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("v=DKIM1; p=", "revoked"),
        ("v=DKIM1; k=rsa; p=MIIBIjAN", "cannot be read"),
        ("v=DKIM1; k=rsa; p=!!!", "cannot be read"),
        ("v=spf1 -all", "not a DKIM key"),
        ("v=DKIM1; k=ed25519; p=AAAA", "32 bytes"),
    ],
)
def test_a_key_nobody_can_use_says_why(record: str, problem: str) -> None:
    assert problem in public_key(record).problem


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert public_key(text).algorithm is not None
    assert all(name == name.lower() for name in tags(text)) or tags(text)
