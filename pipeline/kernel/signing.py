"""Signatures for what readers carry around: keyed BLAKE2b (RFC 7693), several keys at once.

The newest key signs, every key checks, so a new secret does not void the mail that is already out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

#: A token has four bits for its key's number; 0 is never given out, so that zeroed bytes name no key.
KEY_IDS = range(1, 16)
_PERSON_BYTES = hashlib.blake2b.PERSON_SIZE


class Keyring:
    """Keys by number. `person` (at most 16 bytes) separates uses: what is signed for one is void for another."""

    __slots__ = ("_hashers", "_keys", "newest")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Raises ValueError where there is no key, a number is outside 1..15, or a key is shorter than 16 bytes."""
        if not keys or any(kid not in KEY_IDS for kid in keys):
            raise ValueError("a keyring needs at least one key, numbered 1 to 15")
        if any(not 16 <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE for key in keys.values()):
            raise ValueError("a key has 16 to 64 bytes")
        self._keys = dict(keys)
        self._hashers: dict[tuple[int, bytes, int], hashlib.blake2b] = {}
        self.newest = max(keys)

    @classmethod
    def from_secret(cls, secret: str, *, older: Sequence[str] = ()) -> Keyring:
        """Key 1 from one secret; with `older` (oldest first) those are keys 1, 2, ... and `secret` is the newest.

        An empty text in `older` retires that key and keeps the numbers of the others.
        """
        secrets = [*older, secret]
        if not secret:
            raise ValueError("the secret is empty")
        return cls({kid: _stretched(text) for kid, text in enumerate(secrets, start=1) if text})

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the keys this ring holds."""
        return frozenset(self._keys)

    def hasher(self, *, person: bytes, size: int = 8, kid: int | None = None) -> hashlib.blake2b:
        """A keyed hash object to `.copy()`, made once per use: half the cost of keying it each time.

        Raises KeyError for a key number this ring does not hold.
        """
        place = (self.newest if kid is None else kid, person, size)
        found = self._hashers.get(place)
        if found is None:
            if len(person) > _PERSON_BYTES:
                raise ValueError(f"person {person!r} is longer than {_PERSON_BYTES} bytes")
            found = hashlib.blake2b(key=self._keys[place[0]], person=person, digest_size=size)
            self._hashers[place] = found
        return found

    def mac(self, body: bytes, *, person: bytes, size: int = 8, kid: int | None = None) -> bytes:
        """Sign `body` with the newest key, or with key `kid`; `size` in bytes."""
        keyed = self.hasher(person=person, size=size, kid=kid).copy()
        keyed.update(body)
        return keyed.digest()

    def check(self, body: bytes, mac: bytes, *, person: bytes, kid: int | None = None) -> bool:
        """Whether `mac` is this ring's over `body`, in constant time. An unknown key or an odd size is a plain no."""
        known = (self.newest if kid is None else kid) in self._keys
        if not known or not 1 <= len(mac) <= hashlib.blake2b.MAX_DIGEST_SIZE:
            return False
        return hmac.compare_digest(self.mac(body, person=person, size=len(mac), kid=kid), mac)

    def vouches(self, body: bytes, mac: bytes, *, person: bytes) -> bool:
        """Whether any key of this ring signed `body`: for what carries no key number."""
        return any(self.check(body, mac, person=person, kid=kid) for kid in self._keys)

    def derive(self, label: str, *, kid: int | None = None) -> bytes:
        """32 bytes of key for another use; labels of any length, never the same bytes for two labels."""
        return self.mac(label.encode(), person=b"dl-derive", size=32, kid=kid)


@lru_cache(maxsize=8)
def ring(secret: str, older: tuple[str, ...]) -> Keyring:
    """The keyring of these secrets, made once."""
    return Keyring.from_secret(secret, older=older)


def _stretched(secret: str) -> bytes:
    """A key from a secret that is already random; this spreads it, it does not slow a guess of a weak one."""
    return hashlib.blake2b(secret.encode(), person=b"dl-keyring", digest_size=32).digest()


_NUMBER, _NUMBER_MAC = 8, 12  #: bytes of a numbered token: the number, and its signature


def numbered_token(number: int, *, secret: str, person: bytes) -> str:
    """A row's number that nobody can guess or count up from: 27 characters of base64url."""
    body = number.to_bytes(_NUMBER, "big")
    mac = Keyring.from_secret(secret).mac(body, person=person, size=_NUMBER_MAC)
    return base64.urlsafe_b64encode(body + mac).decode("ascii").rstrip("=")


def number_in(token: str, *, secrets: Iterable[str], person: bytes) -> int | None:
    """The number of a token of `numbered_token` under any of these secrets, None for one we never gave out."""
    try:
        told = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = told[:_NUMBER], told[_NUMBER:]
    rings = (Keyring.from_secret(secret) for secret in secrets)
    good = len(told) == _NUMBER + _NUMBER_MAC and any(one.check(body, mac, person=person) for one in rings)
    return int.from_bytes(body, "big") if good else None
