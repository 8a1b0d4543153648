"""The 26 characters in a tracked link: who signed it, which link of which origin, and whose copy it was.

19 bytes in base64url: body(11) = version and key number(1) | origin(4) | permuted ordinal(4) | link(2),
then a BLAKE2b MAC(8) over the body, its `person` chosen by kind so that no token works at another door.
There is no address and no URL in it: destinations come from our own table, so it cannot be made to
redirect elsewhere. One token has one spelling, because it is counted by it.
"""

from __future__ import annotations

import hashlib
import re
import struct
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from hmac import compare_digest
from typing import NamedTuple, final

from pipeline.kernel.signing import Keyring

VERSION = 1
LENGTH = 26
#: The ordinal of a link that is nobody in particular's: a social post, the popular box, a reader without consent.
NOBODY = 0
#: The ordinal of everybody whose acts are not to be recorded: it leads on, says of whom nothing, and is kept nowhere.
UNRECORDED = 0xFFFF_FFFF

_BODY = struct.Struct(">BIIH")
_WHOLE = struct.Struct(_BODY.format + "8s")
_ROUND = struct.Struct(">IB")
_ROUNDS = 4
_TO_URL = bytes.maketrans(b"+/", b"-_")
#: "+" and "/" are another spelling of the same bits: they become a character base64 refuses.
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")
#: 26 characters hold 156 bits for 152: the last four must be zero.
_LAST = frozenset("AQgw")
_from_bytes = int.from_bytes
_LEADING = re.compile(r"[A-Za-z0-9_-]*")


class Kind(StrEnum):
    """What the link does; each kind has its own signature."""

    CLICK = "click"
    OPEN = "open"
    VIEW = "view"
    LEAVE = "leave"


_PERSON: dict[str, bytes] = {kind.value: f"dl-{kind.value}".encode() for kind in Kind}


class Token(NamedTuple):
    """What a token says.

    `valid`: the MAC is right and the spelling canonical (after any junk behind it was cut off).
    `mangled`: it did not arrive as we wrote it. Where not `valid`, origin and link are still what the
    bytes say (0 where there are none), good enough to redirect by and never to count by; ordinal is 0.
    """

    origin: int
    ordinal: int
    link: int
    valid: bool
    mangled: bool


_UNREADABLE = Token(origin=0, ordinal=NOBODY, link=0, valid=False, mangled=True)


def permute(keyring: Keyring, *, origin: int, number: int, kid: int | None = None) -> int:
    """The number as outsiders see it: a keyed 32-bit Feistel network of four rounds, another one per origin.

    Two readers who compare their links learn neither their places nor how many there are (Luby and
    Rackoff 1988: four rounds of a pseudo-random function give a strong pseudo-random permutation).
    """
    left, right = number >> 16, number & 0xFFFF
    for keyed in _rounds(keyring, origin, kid):
        left, right = right, left ^ _mixed(keyed, right)
    return left << 16 | right


def unpermute(keyring: Keyring, *, origin: int, number: int, kid: int | None = None) -> int:
    """The plain number behind a permuted one."""
    left, right = number >> 16, number & 0xFFFF
    for keyed in reversed(_rounds(keyring, origin, kid)):
        turned = keyed.copy()  # as _mixed does, which as a call of its own would be half a microsecond of every click
        turned.update(left.to_bytes(2))
        left, right = right ^ _from_bytes(turned.digest()), left
    return left << 16 | right


@lru_cache(maxsize=4096)
def _rounds(keyring: Keyring, origin: int, kid: int | None) -> tuple[hashlib.blake2b, ...]:
    """What all numbers of one origin share: at the door it is a seventh of a click."""
    rounds = []
    for step in range(_ROUNDS):
        keyed = keyring.hasher(person=b"dl-ordinal", size=2, kid=kid).copy()
        keyed.update(_ROUND.pack(origin, step))
        rounds.append(keyed)
    return tuple(rounds)


def _mixed(keyed: hashlib.blake2b, half: int) -> int:
    turned = keyed.copy()
    turned.update(half.to_bytes(2))
    return _from_bytes(turned.digest())


def mint(keyring: Keyring, *, kind: str, origin: int, ordinal: int, link: int) -> str:
    """One token, signed with the newest key. Raises as Minter does."""
    return Minter(keyring, kind=kind, origin=origin)(ordinal, link)


def minter(keyring: Keyring, *, kind: str, origin: int) -> Minter:
    """A `(ordinal, link) -> str` for merging many mails; its `mint_row` serves a whole mail at once."""
    return Minter(keyring, kind=kind, origin=origin)


@final
class Minter:
    """Mints many tokens of one kind and origin with one key. Calling it gives one token as text."""

    __slots__ = ("_base", "_head", "_keyring", "_kid", "_origin")

    def __init__(self, keyring: Keyring, *, kind: str, origin: int) -> None:
        """Raises KeyError for an unknown kind, struct.error for an origin outside 32 bits."""
        self._keyring, self._kid, self._origin = keyring, keyring.newest, origin
        self._base = keyring.hasher(person=_PERSON[kind], kid=self._kid)
        self._head = struct.pack(">BI", VERSION << 4 | self._kid, origin)

    def __call__(self, ordinal: int, link: int) -> str:
        """One token."""
        return self.mint_row(ordinal, (link,))[0].decode("ascii")

    def mint_row(self, ordinal: int, links: Sequence[int]) -> list[bytes]:
        """One reader's tokens for several links: the ordinal is permuted once for all.

        Raises struct.error for an ordinal outside 32 bits, OverflowError for a link outside 16.
        """
        hidden = permute(self._keyring, origin=self._origin, number=ordinal, kid=self._kid)
        shared = self._head + struct.pack(">I", hidden)
        row = []
        for link in links:
            body = shared + link.to_bytes(2, "big")
            keyed = self._base.copy()
            keyed.update(body)
            row.append(b2a_base64(body + keyed.digest(), newline=False)[:LENGTH].translate(_TO_URL))
        return row


def read(keyring: Keyring, token: str, *, kind: str) -> Token:
    """Read a token as it arrived, junk and all. Never raises for anything a reader can send."""
    return reader(keyring, kind=kind)(token)


@lru_cache(maxsize=64)
def reader(keyring: Keyring, *, kind: str) -> Reader:
    """The reader of one kind of token, for the doors where many come."""
    return Reader(keyring, kind=kind)


@final
class Reader:
    """Reads tokens of one kind, whichever key of the ring signed them. Calling it with a text gives a Token."""

    __slots__ = ("_keyring", "_signing")

    def __init__(self, keyring: Keyring, *, kind: str) -> None:
        """Raises KeyError for an unknown kind."""
        self._keyring, person = keyring, _PERSON[kind]
        self._signing = {VERSION << 4 | kid: keyring.hasher(person=person, kid=kid) for kid in keyring.numbers}

    def __call__(self, token: str) -> Token:
        """One token, as `read`."""
        if len(token) == LENGTH and token[-1] in _LAST:
            try:
                raw = a2b_base64(token.encode("ascii").translate(_FROM_URL) + b"==", strict_mode=True)
            except (Base64Error, UnicodeEncodeError):
                return self._mangled(token)
            return self._judged(raw, mangled=False)
        return self._mangled(token)

    def _judged(self, raw: bytes, *, mangled: bool) -> Token:
        head, origin, hidden, link, mac = _WHOLE.unpack(raw)
        base = self._signing.get(head)
        if base is not None:
            keyed = base.copy()
            keyed.update(raw[: _BODY.size])
            if compare_digest(keyed.digest(), mac):
                ordinal = unpermute(self._keyring, origin=origin, number=hidden, kid=head & 15)
                return Token(origin, ordinal, link, True, mangled)
        return Token(origin, NOBODY, link, False, True)

    def _mangled(self, token: str) -> Token:
        """What is left of a token that a gateway cut, or put a quotation mark or a full stop behind."""
        found = _LEADING.match(token[: LENGTH + 1])
        text = found[0][:LENGTH] if found else ""
        if len(text) == LENGTH and text[-1] in _LAST:
            return self._judged(_decoded(text), mangled=True)
        raw = _decoded(text)
        if len(raw) < _BODY.size:
            return _UNREADABLE
        _, origin, _, link = _BODY.unpack(raw[: _BODY.size])
        return Token(origin, NOBODY, link, False, True)


def _decoded(text: str) -> bytes:
    """The whole bytes in base64url text of any length; trailing bits that fill no byte are dropped."""
    usable = text if len(text) % 4 != 1 else text[:-1]
    return a2b_base64(usable.encode("ascii").translate(_FROM_URL) + b"=" * (-len(usable) % 4))
