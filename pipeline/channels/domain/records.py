"""Reading DMARC and DKIM records, and finding a domain's policy by the tree walk (RFC 9989, 6376, 8301). Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

Texts = Callable[[str], list[str]]  #: the TXT records of a name; [] where there are none

#: RFC 9989 4.10: a walk from a long name skips to its last seven labels, so that it asks eight times at most.
_MOST_LABELS = 7


def tags(record: str) -> dict[str, str]:
    """`v=DMARC1; p=none` as a mapping: names in lower case, the first of a name counts, blanks around are dropped."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip().lower() not in found:
            found[name.strip().lower()] = value.strip()
    return found


@dataclass(frozen=True, slots=True)
class Policy:
    """What applies to mail from a domain. `at` is where the record is, `asks` the p, sp or np that applies to it."""

    at: str
    record: str
    asks: str
    organisation: str  #: the domain relaxed alignment compares

    def aligned(self, domain: str, *, of: str, strictly: str) -> bool:
        """Whether `domain` (that SPF or DKIM proved) is aligned with the From domain `of`; `strictly` is aspf or adkim."""
        if tags(self.record).get(strictly, "r").lower() == "s":
            return domain.lower() == of.lower()
        ours = self.organisation.lower()
        return domain.lower() == ours or domain.lower().endswith("." + ours)


def _walk(domain: str) -> Iterator[str]:
    labels = domain.lower().rstrip(".").split(".")
    yield ".".join(labels)
    rest = labels[1:]
    if len(labels) > _MOST_LABELS:
        rest = labels[-_MOST_LABELS:]
    while rest:
        yield ".".join(rest)
        rest = rest[1:]


def policy_of(domain: str, texts: Texts) -> Policy | None:
    """The policy of mail from a domain, by RFC 9989 4.10.1 and 4.10.2; None where nobody above it has one."""
    found: list[tuple[str, str]] = []
    for name in _walk(domain):
        records = [text for text in texts(f"_dmarc.{name}") if tags(text).get("v") == "DMARC1"]
        if len(records) == 1:  # several are none
            found.append((name, records[0]))
            if tags(records[0]).get("psd", "u").lower() in ("n", "y"):
                break
    if not found:
        return None
    organisation = _organisation(domain, found)
    own = next((pair for pair in found if pair[0] == domain.lower().rstrip(".")), None)
    at, record = own or next((pair for pair in found if pair[0] == organisation), found[-1])
    said = tags(record)
    asks = said.get("p", "none") if own else said.get("sp", said.get("p", "none"))
    return Policy(at=at, record=record, asks=asks.lower(), organisation=organisation)


def _organisation(domain: str, found: list[tuple[str, str]]) -> str:
    """RFC 9989 4.10.2: psd=n is it; one label below psd=y; else the record nearest the root."""
    name, record = found[-1]
    if tags(record).get("psd", "u").lower() == "y" and name != domain.lower().rstrip("."):
        return ".".join(domain.lower().rstrip(".").split(".")[-(name.count(".") + 2) :])
    return name


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A DKIM key as published. `problem` is a sentence, "" where it can be used."""

    algorithm: str
    bits: int
    value: str
    problem: str = ""


def public_key(record: str) -> PublicKey:
    """Read a DKIM key record (RFC 6376 3.6.1, 8301, 8463)."""
    said = tags(record)
    algorithm, value = said.get("k", "rsa").lower(), "".join(said.get("p", "").split())
    if said.get("v", "DKIM1") != "DKIM1" or "p" not in said:
        return PublicKey(algorithm, 0, value, "it is not a DKIM key")
    if not value:
        return PublicKey(algorithm, 0, value, "the key is revoked (p= is empty)")
    testing = "the key says it is only tested (t=y)" if "y" in said.get("t", "").lower().split(":") else ""
    try:
        raw = base64.b64decode(value, validate=True)
        if algorithm == "ed25519":
            return PublicKey(algorithm, 256, value, testing if len(raw) == 32 else "an Ed25519 key has 32 bytes")
        key = load_der_public_key(raw)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return PublicKey(algorithm, 0, value, "the key cannot be read; a part of a split record may be missing")
    if not isinstance(key, RSAPublicKey):
        return PublicKey(algorithm, 0, value, "the key is not RSA")
    weak = f"{key.key_size} bits are too few: 2048 are asked for" if key.key_size < 2048 else ""
    return PublicKey(algorithm, key.key_size, value, weak or testing)
