"""The address of the public note on a story that was corrected or withdrawn: nobody can guess one."""

from __future__ import annotations

import base64
import binascii

from pipeline.kernel.config import config
from pipeline.kernel.signing import Keyring

_PERSON = b"dl-story-note"
_NUMBER, _MAC = 8, 12  #: bytes of a token: the article's number, and its signature


def address(article_id: int) -> str:
    """Where the note of a story is: the page exists once there is something to say."""
    return f"{config().site_url}/note/{token_of(article_id, secret=config().secret_key)}"


def token_of(article_id: int, *, secret: str) -> str:
    """What names a story in a note's address."""
    number = article_id.to_bytes(_NUMBER, "big")
    mac = Keyring.from_secret(secret).mac(number, person=_PERSON, size=_MAC)
    return base64.urlsafe_b64encode(number + mac).decode("ascii").rstrip("=")


def article_of(token: str, *, secret: str) -> int | None:
    """The story a token names, None for a token we never gave out."""
    try:
        told = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    number, mac = told[:_NUMBER], told[_NUMBER:]
    good = len(told) == _NUMBER + _MAC and Keyring.from_secret(secret).check(number, mac, person=_PERSON)
    return int.from_bytes(number, "big") if good else None
