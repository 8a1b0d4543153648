"""A mail from the bounce mailbox: which of our copies it is about, and what it says of it. Bytes in, one Event out.

The return path of each copy carries a MAC. A mail to a return path whose MAC is wrong was made up by somebody who wants
one of our readers suppressed: it is kept as `forged`, and does nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

from pipeline.delivery.feedback.bounces import read
from pipeline.delivery.feedback.events import Event, kind_of
from pipeline.delivery.message.mail import read_envelope_sender
from pipeline.engagement import tokens
from pipeline.kernel.signing import Keyring

FORGED = "forged"
MOST_BYTES = 2_000_000  #: of a mail that are looked at
#: Headers in which mail servers and filters leave the address a mail was really delivered to.
_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to", "to")
_RETURN_PATH = re.compile(rb"\bb\+[0-9a-f]{1,16}\.[0-9a-f]{1,16}\.[0-9a-f]{12}@", re.IGNORECASE)
_LOOKS_LIKE_OURS = re.compile(r"\bb\+[\w.+-]*@", re.IGNORECASE)
_LEAVE = re.compile(rb"/u/([A-Za-z0-9_-]{26})\b")
_MESSAGE_ID = re.compile(rb"<[0-9a-f]{30}@[\w.-]{1,200}>")
_MOST = 20  #: marks of each kind that are tried


def event_of(raw: bytes, *, at: datetime, secrets: Sequence[str], keyring: Keyring, bounce_domain: str) -> Event:
    """What one mail tells; whatever it is, it makes one row, so that reading it again is seen to be a repetition."""
    bounce, identity = read(raw), f"mail:{hashlib.blake2b(raw, digest_size=20).hexdigest()}"
    copy, forged = _return_path(raw, secrets=secrets, bounce_domain=bounce_domain)
    if forged:
        return Event(id=identity, kind="other", way="mailbox", at=at, reason=FORGED)
    body = raw[:MOST_BYTES]
    return Event(
        id=identity,
        kind=kind_of(bounce),
        way="mailbox",
        at=at,
        address=bounce.recipient,
        reason=bounce.reason,
        status=bounce.status,
        copy=copy or _token(body, keyring=keyring) or _returned_path(body, secrets=secrets),
        message_ids=tuple(found.decode() for found in _MESSAGE_ID.findall(body)[:_MOST]),
    )


def _return_path(raw: bytes, *, secrets: Sequence[str], bounce_domain: str) -> tuple[tuple[int, int] | None, bool]:
    """The copy named by the address this mail came to; True where it pretends to be a return path of ours."""
    pretended = False
    for address in _came_to(raw):
        local, _, domain = address.lower().rpartition("@")
        copy = read_envelope_sender(f"{local}@{domain}", secrets=secrets)
        if copy is not None:
            return copy, False
        pretended = pretended or domain == bounce_domain.lower()
    return None, pretended


def _came_to(raw: bytes) -> Iterator[str]:
    try:
        mail = message_from_bytes(raw[:MOST_BYTES].partition(b"\n\n")[0].partition(b"\r\n\r\n")[0] + b"\n\n")
    except (RecursionError, MessageError, ValueError, LookupError, TypeError, AttributeError):
        return
    for name in _DELIVERED_TO:
        for value in _values(mail, name)[:_MOST]:
            for found in re.finditer(r"[^\s<>,;:\"]{1,120}@[\w.-]{1,253}", value[:2000]):
                if _LOOKS_LIKE_OURS.match(found[0]):
                    yield found[0]


def _values(mail: Message, name: str) -> list[str]:
    return [str(value) for key, value in mail.raw_items() if key.lower() == name]


def _token(body: bytes, *, keyring: Keyring) -> tuple[int, int] | None:
    """Of the returned List-Unsubscribe header: a signed link names its copy."""
    for found in _LEAVE.findall(body)[:_MOST]:
        token = tokens.read(keyring, found.decode(), kind=tokens.Kind.LEAVE)
        if token.valid:
            return token.origin, token.ordinal
    return None


def _returned_path(body: bytes, *, secrets: Sequence[str]) -> tuple[int, int] | None:
    """Of the returned headers, or of a complaint's Original-Mail-From."""
    for found in _RETURN_PATH.findall(body)[:_MOST]:
        if copy := read_envelope_sender(found.decode().lower() + "x", secrets=secrets):
            return copy
    return None
