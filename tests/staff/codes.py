"""What an authenticator on a phone would show."""

from __future__ import annotations

import base64
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP


def shown(secret: str, *, at: datetime) -> str:
    """The code of a base32 secret at a moment."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(at.timestamp())).decode()  # noqa: S303
