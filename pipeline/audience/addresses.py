"""One way to spell a reader's address, and the keyed hash it is remembered by."""

from __future__ import annotations

import hashlib
import unicodedata

from email_validator import EmailNotValidError, validate_email


class NotAnAddress(ValueError):
    """The text is not a usable mail address; the message says what is wrong with it."""


def normal(address: str) -> str:
    """The stored spelling: lower case, Unicode NFC, the domain in letters people read. Raises NotAnAddress."""
    try:
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise NotAnAddress(f"{address.strip()[:100]!r} is not a mail address: {error}") from error
    return unicodedata.normalize("NFC", found.normalized.lower())


def address_hash(address: str, *, key: bytes) -> bytes:
    """16 bytes that recognise an address without holding it (suppressions outlive the reader's data)."""
    return hashlib.blake2b(address.encode(), key=key[:64], digest_size=16, person=b"dl-address").digest()
