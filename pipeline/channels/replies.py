"""What an SMTP server says, and what may be said to it: strict replies, announced features, the opening dialogue.

Pure: bytes in, values out. RFC 5321 4.2 (replies), 2034 and 3463 (enhanced codes), 3207 (STARTTLS), 4954 (AUTH).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

from pipeline.channels.base import Envelope, MailServer, Outcome, Permanent, Receipt

#: RFC 5321 4.5.3.1.5 allows 512 octets a line; servers that explain a refusal at length exceed it.
LINE_LIMIT = 4096
LINES_LIMIT = 128
TEXT_LIMIT = 500  #: characters of a reply kept in a receipt

# The middle digit is free (the grammar says 0-5): 571 and 591 are in use for policy refusals.
# Octets over 127 are let through: RFC 6531 replies carry UTF-8. A bare CR, a bare LF or a control is garbage.
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([\t\x20-\x7e\x80-\xff]*))?\r\n")
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|$)")
# Control characters (C0, DEL, C1), every Unicode blank, angle brackets and lone surrogates.
_BAD_IN_ADDRESS = re.compile("[\\s\x00-\x20\x7f-\x9f<>\ud800-\udfff]")
_PATH_LIMIT = 254  # RFC 5321 4.5.3.1.3: 256 octets with the angle brackets


class ReplyError(ValueError):
    """The server said something that is not SMTP, or not an answer to what was asked: trust nothing after it."""


class Reply(NamedTuple):
    """One complete reply: its code (200-599) and the text of each line, undecoded."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def enhanced(self) -> str:
        """The RFC 3463 code of the first line, or "" where there is none or its class contradicts the reply's."""
        found = _ENHANCED.match(self.lines[0])
        if found is None or found[1][0] - 48 != self.code // 100:
            return ""
        return found[1].decode("ascii")

    @property
    def text(self) -> str:
        """All lines without their enhanced codes, as one line of at most TEXT_LIMIT characters."""
        bare = (line[found.end() :] if (found := _ENHANCED.match(line)) else line for line in self.lines)
        return b" ".join(bare).decode("utf-8", "replace")[:TEXT_LIMIT]

    def receipt(self, key: int, outcome: Outcome) -> Receipt:
        return Receipt(key=key, outcome=outcome, code=self.code, enhanced=self.enhanced, text=self.text)

    def refusal(self, key: int) -> Receipt:
        """The receipt of a message this reply turned away: 4yz is deferred, 5yz refused."""
        return self.receipt(key, Outcome.DEFERRED if self.code < 500 else Outcome.REFUSED)


class ReplyReader:
    """Cuts a byte stream into replies. However the bytes arrive, `take` gives the same replies, then the same error.

    Memory stays under LINE_LIMIT * LINES_LIMIT plus one `feed`.
    """

    __slots__ = ("_at", "_buffer", "_code", "_lines")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._code = b""
        self._lines: list[bytes] = []

    @property
    def pending(self) -> bool:
        """True while bytes are held that no taken reply accounts for."""
        return self._at < len(self._buffer) or bool(self._lines)

    def feed(self, data: bytes) -> None:
        self._buffer = self._buffer[self._at :] + data
        self._at = 0

    def take(self) -> Reply | None:
        """The next complete reply, or None until more arrives. Raises ReplyError, and again on every later call."""
        while (line := _LINE.match(self._buffer, self._at)) is not None:
            code, separator, text = line.groups()
            if line.end() - self._at > LINE_LIMIT or (self._lines and code != self._code):
                raise ReplyError(f"reply line out of place: {line[0][:80]!r}")
            if separator != b"-":
                self._at = line.end()
                lines, self._lines = (*self._lines, text or b""), []
                return Reply(int(code), lines)
            if len(self._lines) >= LINES_LIMIT:
                raise ReplyError("a reply without end")
            self._at = line.end()
            self._code = code
            self._lines.append(text)
        self._check_unfinished()
        return None

    def _check_unfinished(self) -> None:
        """No whole line could be read: wait for its end, unless an end is there or can no longer be near."""
        if len(self._buffer) - self._at >= LINE_LIMIT or self._buffer.find(b"\n", self._at) >= 0:
            raise ReplyError(f"not an SMTP reply: {self._buffer[self._at : self._at + 80]!r}")


@dataclass(frozen=True, slots=True)
class Features:
    """What EHLO announced. `size` is in octets: 0 announces no limit, None announces nothing (RFC 1870)."""

    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    utf8: bool = False
    starttls: bool = False
    size: int | None = None
    auth: frozenset[str] = frozenset()

    @classmethod
    def announced(cls, reply: Reply) -> Features:
        """Read an EHLO answer. The first line is a greeting; AUTH=... is the spelling of servers before RFC 2554."""
        said: dict[str, list[str]] = {}
        for line in reply.lines[1:]:
            word, *parameters = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ").split() or [
                ""
            ]
            said.setdefault(word, []).extend(parameters)
        return cls(
            pipelining="PIPELINING" in said,
            chunking="CHUNKING" in said,
            eight_bit="8BITMIME" in said,
            utf8="SMTPUTF8" in said,
            starttls="STARTTLS" in said,
            size=_octets(said["SIZE"]) if "SIZE" in said else None,
            auth=frozenset(said.get("AUTH", ())),
        )

    def objection(self, envelope: Envelope) -> Receipt | None:
        """The refusal this envelope would earn, found before a byte of it is sent; None where it may go.

        The codes are those a server would use (RFC 5321, 3463, 6531); `code` 0 says that no server spoke.
        """
        for address, may_be_empty in ((envelope.sender, True), (envelope.recipient, False)):
            if not _is_sendable(address, may_be_empty=may_be_empty):
                return _refused(
                    envelope, "5.1.3", f"not a mail address that can be sent to: {address[:80]!a}"
                )
        if not self.utf8 and not (envelope.sender + envelope.recipient).isascii():
            return _refused(envelope, "5.6.7", "the server takes no address outside ASCII (no SMTPUTF8)")
        if not envelope.data.endswith(b"\r\n"):
            return _refused(envelope, "5.6.0", "the message does not end with CRLF")
        if self.size and len(envelope.data) > self.size:
            return _refused(envelope, "5.3.4", f"{len(envelope.data)} octets; the server takes {self.size}")
        if not self.eight_bit and not envelope.data.isascii():
            return _refused(
                envelope, "5.6.3", "the message has 8-bit octets; the server takes 7-bit ones (no 8BITMIME)"
            )
        return None

    def commands(self, envelope: Envelope) -> tuple[bytes, bytes]:
        """MAIL and RCPT for an envelope without objection, with the parameters it needs and no other."""
        size = "" if self.size is None else f" SIZE={len(envelope.data)}"
        body = "" if envelope.data.isascii() else " BODY=8BITMIME"
        utf8 = "" if envelope.sender.isascii() and envelope.recipient.isascii() else " SMTPUTF8"
        mail = f"MAIL FROM:<{envelope.sender}>{size}{body}{utf8}\r\n"
        return mail.encode("utf-8"), f"RCPT TO:<{envelope.recipient}>\r\n".encode()


_Result = TypeVar("_Result")
#: A conversation yields what it wants: buffers to write before the next reply, () for the next reply alone, or
#: None for a TLS handshake (and what it is sent then means nothing). It always waits for exactly one reply.
Talk: TypeAlias = Generator[tuple[bytes, ...] | None, Reply, _Result]


class Ended(Exception):  # noqa: N818 - an ending is no error
    """This connection is of no more use; `reply` where the server said so itself (421 and its like)."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        super().__init__(why if reply is None else f"{why}: {reply.code} {reply.text}")
        self.reply = reply


class Flight:
    """One envelope on one connection. `dotted` once the kernel holds its final dot: it may be accepted from then on."""

    __slots__ = ("dotted", "envelope", "refusal")

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.dotted = False
        self.refusal: Reply | None = None

    def passes(self, reply: Reply, *good: int) -> bool:
        """True for an answer that lets the message go on; the first 4yz or 5yz is kept as its refusal.

        Raises Ended for 421, Permanent for 530 (RFC 4954, 3207: sign in first, whatever the message), ReplyError for
        what is no answer to the question.
        """
        if reply.code in good:
            return True
        if reply.code == 421:
            raise Ended("the server closes", reply)
        if reply.code == 530:
            raise Permanent(f"the mail server wants us to sign in first: {reply.code} {reply.text}")
        if reply.code < 400:
            raise ReplyError(f"{reply.code} where {good[0]} was due: {reply.text}")
        self.refusal = self.refusal or reply
        return False

    def cut_short(self, why: str, reply: Reply | None) -> Receipt:
        """What is known when the connection ends. Replies keep their order: a 421 is no 250 for any dot before it."""
        if self.refusal is not None:
            return self.refusal.refusal(self.envelope.key)
        if reply is not None:
            return reply.receipt(self.envelope.key, Outcome.DEFERRED if self.dotted else Outcome.UNSENT)
        return Receipt(self.envelope.key, Outcome.UNKNOWN if self.dotted else Outcome.UNSENT, text=why)


def expect(reply: Reply, code: int, what: str) -> None:
    """Raises Ended unless the reply has this very code."""
    if reply.code != code:
        raise Ended(what, reply)


def opening(server: MailServer, *, client_name: str) -> Talk[Features]:
    """Everything before the first MAIL; returns what the server announced last.

    Raises Ended where the server is not ready, Permanent where it cannot give the security asked for, or refuses
    our credentials.
    """
    if server.security == "tls":
        yield None
    expect((yield ()), 220, "greeting")
    features = yield from _hello(client_name)
    if server.security == "starttls":
        if not features.starttls:
            raise Permanent("the server does not offer STARTTLS")
        expect((yield (b"STARTTLS\r\n",)), 220, "STARTTLS")
        yield None
        features = yield from _hello(
            client_name
        )  # RFC 3207 4.2: what was announced in the clear no longer counts
    if server.username:
        yield from _sign_in(server, features)
    return features


def _hello(client_name: str) -> Talk[Features]:
    reply = yield (f"EHLO {client_name}\r\n".encode("ascii"),)
    if reply.code >= 500:  # RFC 5321 4.1.4: a server that knows no EHLO
        expect((yield (f"HELO {client_name}\r\n".encode("ascii"),)), 250, "HELO")
        return Features()
    expect(reply, 250, "EHLO")
    return Features.announced(reply)


def _sign_in(server: MailServer, features: Features) -> Talk[None]:
    for line in _credentials(server, features):
        reply = yield (line + b"\r\n",)
        if reply.code >= 500:
            raise Permanent(f"the mail server refuses our credentials: {reply.code} {reply.text}")
        if reply.code != 334:
            break
    expect(reply, 235, "AUTH")


def _credentials(server: MailServer, features: Features) -> list[bytes]:
    """The lines of AUTH PLAIN (RFC 4616), or of the LOGIN that predates it."""
    user, password = server.username.encode(), server.password.encode()
    if "PLAIN" in features.auth:
        return [b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password)]
    if "LOGIN" in features.auth:
        return [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(password)]
    raise Permanent("the mail server offers neither AUTH PLAIN nor AUTH LOGIN")


def _octets(parameters: list[str]) -> int:
    """SIZE's parameter; a missing or senseless one is read as "no fixed limit" (RFC 1870 section 3)."""
    first = parameters[0] if parameters else ""
    return int(first) if first.isascii() and first.isdigit() and len(first) <= 20 else 0


def _is_sendable(address: str, *, may_be_empty: bool) -> bool:
    """False for what would break out of the command line, or could only be refused; no test of the address itself."""
    if not address:
        return may_be_empty  # the null reverse-path of notices, RFC 5321 4.5.5
    if _BAD_IN_ADDRESS.search(address) is not None:
        return False
    return len(address) <= _PATH_LIMIT and len(address.encode("utf-8")) <= _PATH_LIMIT


def _refused(envelope: Envelope, enhanced: str, why: str) -> Receipt:
    return Receipt(key=envelope.key, outcome=Outcome.REFUSED, enhanced=enhanced, text=why)
