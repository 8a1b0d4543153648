"""Sign finished messages (RFC 6376, 8463): relaxed/relaxed, one hash of the body for all signatures.

The merge's quoted-printable leaves no blank at a line's end, no two in a row and one line end at the close, so that
relaxed canonicalisation of a body changes nothing and need not be done; `sign` refuses what it can see is otherwise.
RSA-2048 costs some 300 us in OpenSSL, whatever surrounds it; Ed25519 a tenth of it, and Microsoft and Yahoo do not
read it: it is a second signature or none.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

#: Signed where present; a name twice forbids anybody to add another (RFC 6376 8.15).
SIGNED = (
    "from", "from", "to", "to", "subject", "subject", "date", "message-id", "reply-to", "list-id",
    "list-unsubscribe", "list-unsubscribe-post", "list-archive", "feedback-id", "mime-version", "content-type",
    "content-language",
)  # fmt: skip
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]+|\r\n(?=[ \t]))*)\r\n")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_LEAST_BITS = 1024  # RFC 8301
_LINE = 72


class UnusableKey(ValueError):
    """The settings for signing cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key with the selector under which DNS shows its other half."""

    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes]  #: a SHA-256 digest -> the signature


def keys(pem: str, *, selectors: str) -> tuple[Key, ...]:
    """The keys of a PEM text, each with its selector in the same order. Raises UnusableKey."""
    blocks, names = [found[0] for found in _PEM.finditer(pem)], selectors.split()
    if not blocks or len(blocks) != len(names):
        raise UnusableKey(f"{len(blocks)} private keys and {len(names)} selectors: each key needs one")
    return tuple(_key(block, selector=name) for block, name in zip(blocks, names, strict=True))


def _key(block: str, *, selector: str) -> Key:
    try:
        private = load_pem_private_key(block.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UnusableKey(f"the key of selector {selector} cannot be read: {error}") from error
    if _NAME.fullmatch(selector) is None:
        raise UnusableKey(f"not a selector: {selector!a}")
    if isinstance(private, Ed25519PrivateKey):
        return Key(selector, "ed25519-sha256", private.sign)
    if not isinstance(private, RSAPrivateKey) or private.key_size < _LEAST_BITS:
        raise UnusableKey(f"the key of selector {selector} is neither RSA of {_LEAST_BITS} bits or more nor Ed25519")
    padding, digest, rsa = PKCS1v15(), Prehashed(SHA256()), private
    return Key(selector, "rsa-sha256", lambda hashed: rsa.sign(hashed, padding, digest))


class Signer:
    """Puts one signature for each key above a message; made once for a batch."""

    def __init__(self, keys: Sequence[Key], *, domain: str, now: datetime) -> None:
        """Raises UnusableKey where the domain cannot stand in a signature."""
        if _NAME.fullmatch(domain) is None:
            raise UnusableKey(f"not a domain to sign for: {domain!a}")
        at = int(now.timestamp())
        names = _folded(":".join(SIGNED))
        self._parts = [
            (
                key.sign,
                f"v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={domain}; s={key.selector}; t={at};\r\n"
                f" h={names};\r\n bh=".encode(),
            )
            for key in keys
        ]
        self._canonical = [b" ".join(text.split()) for _, text in self._parts]

    def sign(self, message: bytes) -> bytes:
        """The message with its signatures. Raises ValueError for one whose body is not its own canonical form."""
        end = message.find(b"\r\n\r\n")
        if end < 0 or not message.endswith(b"\r\n") or message.endswith(b"\r\n\r\n"):
            raise ValueError("a message without headers, without body or with another end than one line end")
        body = b64encode(sha256(memoryview(message)[end + 4 :]).digest())
        signed = _signed_fields(message[: end + 2])
        lines = []
        for (sign, text), canonical in zip(self._parts, self._canonical, strict=True):
            digest = sha256(b"%bdkim-signature:%b%b; b=" % (signed, canonical, body)).digest()
            lines.append(b"DKIM-Signature: %b%b;\r\n b=%b\r\n" % (text, body, _wrapped(b64encode(sign(digest)))))
        return b"".join((*lines, message))


def _signed_fields(head: bytes) -> bytes:
    """The signed fields in relaxed form, in the order of SIGNED; of those that repeat the lowest is used first."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(head):
        found.setdefault(name.lower(), []).append(value)
    return b"".join(
        b"%b:%b\r\n" % (name, b" ".join(values.pop().split())) for name in _NAMES if (values := found.get(name))
    )


_NAMES = tuple(name.encode() for name in SIGNED)


def _wrapped(signature: bytes) -> bytes:
    return b"\r\n ".join(signature[at : at + _LINE] for at in range(0, len(signature), _LINE))


def _folded(names: str) -> str:
    lines, line = [], ""
    for name in names.split(":"):
        if len(line) + len(name) > _LINE - 4:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n ".join([*lines, line]).removesuffix(":")
