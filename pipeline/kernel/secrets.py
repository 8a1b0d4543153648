"""Credentials at rest: MultiFernet, so that keys rotate without a flag day."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Sealed(Exception):
    """A stored credential cannot be opened with any key we have; the account must be connected again."""


def _fernet(secret: str) -> Fernet:
    return Fernet(
        base64.urlsafe_b64encode(hashlib.blake2b(secret.encode(), digest_size=32, person=b"dl-credentials").digest())
    )


def seal(values: Mapping[str, str], *, secrets: list[str], bound_to: str) -> str:
    """Encrypt credentials for one row; `bound_to` names the row, so that a copied ciphertext opens nowhere else."""
    text = json.dumps({"for": bound_to, "values": dict(values)})
    return MultiFernet([_fernet(secret) for secret in secrets]).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, secrets: list[str], bound_to: str) -> dict[str, str]:
    """Open what `seal` made. Raises Sealed."""
    if not sealed:
        return {}
    try:
        data = json.loads(MultiFernet([_fernet(secret) for secret in secrets]).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise Sealed(
            "the stored credentials were encrypted with another secret key: connect the account again"
        ) from error
    if data["for"] != bound_to:
        raise Sealed(f"these credentials belong to {data['for']}, not to {bound_to}")
    return {str(key): str(value) for key, value in data["values"].items()}
