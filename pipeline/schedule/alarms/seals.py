"""The signed links of a notice: for one person, one edition, until it leaves. They open a page; they decide nothing."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.kernel.config import config

_PERSON = b"dl-decide"
_BODY = struct.Struct(">QQQ")
_MAC = 16


@dataclass(frozen=True, slots=True)
class Sealed:
    """For whom, for which edition, and until when."""

    user_id: int
    edition_id: int
    until: datetime


def seal(sealed: Sealed) -> str:
    """54 characters of base64url."""
    body = _BODY.pack(sealed.user_id, sealed.edition_id, int(sealed.until.timestamp()))
    mac = config().keyring.mac(body, person=_PERSON, size=_MAC)
    return _written(body + mac)


def opened(token: str) -> Sealed | None:
    """What a link says, under any secret that is still believed; None for one we never gave out."""
    try:
        told = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = told[: _BODY.size], told[_BODY.size :]
    if len(mac) != _MAC or _written(told) != token or not config().keyring.vouches(body, mac, person=_PERSON):
        return None
    user_id, edition_id, until = _BODY.unpack(body)
    return Sealed(user_id, edition_id, datetime.fromtimestamp(until, tz=UTC))


def _written(told: bytes) -> str:
    return base64.urlsafe_b64encode(told).decode("ascii").rstrip("=")
