"""What our own pages sign: when a form was shown, and whose choices a link without a mail leads to."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from pipeline.kernel.config import config
from pipeline.kernel.signing import Keyring

#: Faster than this nobody reads a form and types an address; older than this a form is shown anew.
SHORTEST, LONGEST = timedelta(seconds=2), timedelta(hours=24)
_SHOWN, _READER = b"dl-form-shown", b"dl-reader-door"
_SIZE, _MAC = 6, 12
_SHAPE = re.compile(r"[A-Za-z0-9_-]{24}")


def shown(*, now: datetime) -> str:
    """The seal of a form shown now."""
    return _signed(int(now.timestamp()), person=_SHOWN)


def age(seal: str, *, now: datetime) -> timedelta | None:
    """How long ago a sealed form was shown; None for what is no seal of ours or is too old."""
    at = _read(seal, person=_SHOWN)
    if at is None:
        return None
    since = timedelta(seconds=now.timestamp() - at)
    return since if since <= LONGEST else None


def reader_door(subscriber_id: int) -> str:
    """24 characters that open one reader's choices: for letters and pages that belong to no edition."""
    return _signed(subscriber_id, person=_READER)


def reader_of(token: str) -> int | None:
    """The subscriber a door was made for; None for what we did not sign."""
    return _read(token, person=_READER)


def _signed(number: int, *, person: bytes) -> str:
    body = number.to_bytes(_SIZE, "big")
    return urlsafe_b64encode(body + _keyring().mac(body, person=person, size=_MAC)).decode()


def _read(token: str, *, person: bytes) -> int | None:
    if not _SHAPE.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    if not _keyring().vouches(raw[:_SIZE], raw[_SIZE:], person=person):
        return None
    return int.from_bytes(raw[:_SIZE], "big")


def _keyring() -> Keyring:
    return config().keyring
