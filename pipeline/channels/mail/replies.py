"""What an SMTP server says: strict replies, what they mean, and what it announced that it can do.

Pure: bytes in, values out; no socket, no clock. RFC 5321, 2034 and 3463 (enhanced codes), 1870 (SIZE), 3461 (DSN),
6531 (SMTPUTF8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.channels.base import Envelope, Outcome, Receipt

#: RFC 5321 4.5.3.1.5 allows 512 octets a line; servers that explain a refusal at length exceed it.
LINE_LIMIT = 4096
LINES_LIMIT = 128
TEXT_LIMIT = 500  #: characters of a reply kept in a receipt
_LONGEST_XTEXT = 90

# The middle digit is free (the grammar says 0-5): 571 and 591 are in use for policy refusals.
# Octets over 127 are let through: RFC 6531 replies carry UTF-8. A bare CR, a bare LF or a control is garbage.
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([\t\x20-\x7e\x80-\xff]*))?\r\n")
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|$)")
_POLICY_WORDS = re.compile(
    r"\b(?:spam|policy|polic(?:y|ies) violation|reputation|black-?list|block-?list|dnsbl|rbl|dmarc|dkim|spf"
    r"|unauthenticated|unsolicited|authentication required|relay(?:ing)? (?:access )?denied)",
    re.IGNORECASE,
)
# Control characters (C0, DEL, C1), every Unicode blank, angle brackets and lone surrogates.
_BAD_IN_ADDRESS = re.compile("[\\s\x00-\x20\x7f-\x9f<>\ud800-\udfff]")


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
        return found[1].decode("ascii") if found and found[1][0] - ord("0") == self.code // 100 else ""

    @property
    def text(self) -> str:
        """All lines without their enhanced codes, as one line of at most TEXT_LIMIT characters."""
        bare = [line[found.end() :] if (found := _ENHANCED.match(line)) else line for line in self.lines]
        return b" ".join(bare).decode("utf-8", "replace")[:TEXT_LIMIT]

    def receipt(self, key: int, outcome: Outcome) -> Receipt:
        if len(self.lines) > 1:
            return Receipt(key, outcome, self.code, self.enhanced, self.text)
        line = self.lines[0]  # nearly all: the enhanced code is looked for once
        if (found := _ENHANCED.match(line)) is None:
            return Receipt(key, outcome, self.code, "", line.decode("utf-8", "replace")[:TEXT_LIMIT])
        enhanced = found[1].decode("ascii") if found[1][0] - ord("0") == self.code // 100 else ""
        return Receipt(key, outcome, self.code, enhanced, line[found.end() :].decode("utf-8", "replace")[:TEXT_LIMIT])

    @property
    def blames_us(self) -> bool:
        """True where a 5yz says that policy, content or our standing is the reason: no reader is at fault.

        RFC 3463 gives x.7.x for it; a server without enhanced codes is taken by its words (docs/sending.md).
        """
        if self.code < 500:
            return False
        enhanced = self.enhanced
        if enhanced in ("", "5.0.0"):
            return _POLICY_WORDS.search(self.text) is not None
        return enhanced.startswith("5.7.")

    def refusal(self, key: int) -> Receipt:
        """The receipt of a message this reply turned away: 4yz is deferred, 5yz refused or against a policy."""
        if self.code < 500:
            return self.receipt(key, Outcome.DEFERRED)
        return self.receipt(key, Outcome.POLICY if self.blames_us else Outcome.REFUSED)


#: Lines a reader knows to be good: a server says the same to every MAIL, RCPT and DATA, and parsing takes a microsecond.
_MOST_KNOWN = 8


class ReplyReader:
    """Cuts a byte stream into replies. However the bytes arrive, `take` gives the same replies, then the same error.

    Memory stays under LINE_LIMIT * LINES_LIMIT plus one `feed`.
    """

    __slots__ = ("_at", "_buffer", "_code", "_known", "_lines")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._code = b""
        self._lines: list[bytes] = []
        self._known: dict[bytes, Reply] = {}

    @property
    def pending(self) -> bool:
        """True while bytes are held that no taken reply accounts for."""
        return self._at < len(self._buffer) or bool(self._lines)

    def feed(self, data: bytes) -> None:
        self._buffer = self._buffer[self._at :] + data
        self._at = 0

    def take(self) -> Reply | None:
        """The next complete reply, or None until more arrives. Raises ReplyError, and again on every later call."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", at) + 1
        if end and not self._lines and (known := self._known.get(buffer[at:end])) is not None:
            self._at = end
            return known
        return self._parsed()

    def _parsed(self) -> Reply | None:
        while line := _LINE.match(self._buffer, self._at):
            code, separator, text = line.groups(b"")
            end, lines = line.end(), self._lines
            if end - self._at > LINE_LIMIT or (lines and code != self._code):
                raise ReplyError(f"reply line out of place: {line[0][:80]!r}")
            if separator != b"-":
                self._at = end
                if not lines:
                    reply = Reply(int(code), (text,))
                    if len(self._known) < _MOST_KNOWN:
                        self._known[line[0]] = reply
                    return reply
                self._lines = []
                return Reply(int(code), (*lines, text))
            if len(lines) >= LINES_LIMIT:
                raise ReplyError("a reply without end")
            self._at, self._code = end, code
            lines.append(text)
        if len(self._buffer) - self._at >= LINE_LIMIT or self._buffer.find(b"\n", self._at) >= 0:
            raise ReplyError(f"not an SMTP reply: {self._buffer[self._at : self._at + 80]!r}")
        return None


@dataclass(frozen=True, slots=True)
class Features:
    """What EHLO announced. `size` is in octets: 0 announces no limit, None announces nothing (RFC 1870)."""

    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    utf8: bool = False
    starttls: bool = False
    dsn: bool = False
    size: int | None = None
    auth: frozenset[str] = frozenset()

    @classmethod
    def announced(cls, reply: Reply) -> Features:
        """Read an EHLO answer. The first line is a greeting; AUTH=... is the spelling of servers before RFC 2554."""
        said: dict[str, list[str]] = {}
        for line in reply.lines[1:]:
            words = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ").split() or [""]
            said.setdefault(words[0], []).extend(words[1:])
        limit = "".join(said.get("SIZE", ())[:1])
        return cls(
            pipelining="PIPELINING" in said,
            chunking="CHUNKING" in said,
            eight_bit="8BITMIME" in said,
            utf8="SMTPUTF8" in said,
            starttls="STARTTLS" in said,
            dsn="DSN" in said,
            size=(int(limit[:20]) if limit.isdecimal() else 0) if "SIZE" in said else None,
            auth=frozenset(said.get("AUTH", ())),
        )

    def objection(self, envelope: Envelope) -> Receipt | None:
        """The refusal this envelope would earn, found before a byte of it is sent; None where it may go.

        The codes are those a server would use (RFC 5321, 3463, 6531); `code` 0 says that no server spoke.
        """
        sender, recipient = envelope.sender or "null", envelope.recipient  # RFC 5321 4.5.5: notices have no sender
        for address in (sender, recipient):
            if not address or _BAD_IN_ADDRESS.search(address) or len(address.encode()) > 254:  # 4.5.3.1.3, without <>
                return _refused(envelope, "5.1.3", f"no address to send to: {address[:80]!a}")
        if not self.utf8 and not (sender.isascii() and recipient.isascii()):
            return _refused(envelope, "5.6.7", "the server takes no address outside ASCII (no SMTPUTF8)")
        if not envelope.data.endswith(b"\r\n"):
            return _refused(envelope, "5.6.0", "the message does not end with CRLF")
        if self.size and len(envelope.data) > self.size:
            return _refused(envelope, "5.3.4", f"{len(envelope.data)} octets; the server takes {self.size}")
        if not self.eight_bit and not envelope.data.isascii():
            return _refused(envelope, "5.6.3", "8-bit octets, and the server takes 7-bit ones (no 8BITMIME)")
        return None

    def commands(self, envelope: Envelope) -> tuple[bytes, bytes]:
        """MAIL and RCPT for an envelope without objection, with the parameters it needs and no other."""
        size = "" if self.size is None else f" SIZE={len(envelope.data)}"
        body = "" if envelope.seven_bit or envelope.data.isascii() else " BODY=8BITMIME"
        utf8 = "" if envelope.sender.isascii() and envelope.recipient.isascii() else " SMTPUTF8"
        about, notify = self._return_mail(envelope) if self.dsn else ("", "")
        mail = f"MAIL FROM:<{envelope.sender}>{size}{body}{utf8}{about}\r\n"
        return mail.encode("utf-8"), f"RCPT TO:<{envelope.recipient}>{notify}\r\n".encode()

    def _return_mail(self, envelope: Envelope) -> tuple[str, str]:
        """RFC 3461: tell us of failures only, send back no more than headers, and name the delivery."""
        number = _xtext(envelope.sender.rpartition("@")[0]) or str(envelope.key)
        original = _xtext(envelope.recipient)
        whom = f" ORCPT=rfc822;{original}" if original else ""
        return f" RET=HDRS ENVID={number}", f" NOTIFY=FAILURE{whom}"


BARE = Features()  #: nothing was announced


def _refused(envelope: Envelope, enhanced: str, why: str) -> Receipt:
    return Receipt(envelope.key, Outcome.REFUSED, enhanced=enhanced, text=why)


def _xtext(value: str) -> str:
    """RFC 3461 section 4; "" for what it cannot carry (100 characters, ASCII)."""
    return value.replace("+", "+2B").replace("=", "+3D") if value.isascii() and len(value) <= _LONGEST_XTEXT else ""
