"""What an SMTP server says, and what is said to it: strict replies, announced features, the dialogue.

Pure: bytes in, values out; no socket, no clock. RFC 5321, 2034 and 3463 (enhanced codes), 2920 (PIPELINING),
3030 (CHUNKING), 3207 (STARTTLS), 4954 (AUTH).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, TypeVar

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
        return Receipt(key, outcome, self.code, self.enhanced, self.text)

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
        while line := _LINE.match(self._buffer, self._at):
            code, separator, text = line.groups(b"")
            end, lines = line.end(), self._lines
            if end - self._at > LINE_LIMIT or (lines and code != self._code):
                raise ReplyError(f"reply line out of place: {line[0][:80]!r}")
            if separator != b"-":
                self._at = end
                if not lines:
                    return Reply(int(code), (text,))
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
            size=(int(limit[:20]) if limit.isdecimal() else 0) if "SIZE" in said else None,
            auth=frozenset(said.get("AUTH", ())),
        )

    def objection(self, envelope: Envelope) -> Receipt | None:
        """The refusal this envelope would earn, found before a byte of it is sent; None where it may go.

        The codes are those a server would use (RFC 5321, 3463, 6531); `code` 0 says that no server spoke.
        """
        for address in (
            envelope.sender or "null",
            envelope.recipient,
        ):  # RFC 5321 4.5.5: notices have no sender
            if not address or _BAD_IN_ADDRESS.search(address) or len(address.encode()) > 254:  # 4.5.3.1.3, without <>
                return _refused(envelope, "5.1.3", f"no address to send to: {address[:80]!a}")
        if not self.utf8 and not (envelope.sender + envelope.recipient).isascii():
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
        body = "" if envelope.data.isascii() else " BODY=8BITMIME"
        utf8 = "" if envelope.sender.isascii() and envelope.recipient.isascii() else " SMTPUTF8"
        mail = f"MAIL FROM:<{envelope.sender}>{size}{body}{utf8}\r\n"
        return mail.encode("utf-8"), f"RCPT TO:<{envelope.recipient}>\r\n".encode()


_Result = TypeVar("_Result")
#: A conversation yields what it wants: buffers to write before the next reply, () for the next reply alone, or
#: None for a TLS handshake (and what it is sent then means nothing). It always waits for exactly one reply.
Talk: TypeAlias = Generator[tuple[bytes, ...] | None, Reply, _Result]


class Ended(Exception):
    """This connection is of no more use; `reply` where the server said so itself (421 and its like)."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        super().__init__(why if reply is None else f"{why}: {reply.code} {reply.text}")
        self.reply = reply


@dataclass(slots=True, eq=False)
class Flight:
    """One envelope on one connection. `dotted` once the kernel holds its final dot: it may be accepted from then on."""

    envelope: Envelope
    dotted: bool = False
    refusal: Reply | None = None

    def passes(self, reply: Reply, *good: int) -> bool:
        """True for an answer that lets the message go on; the first 4yz or 5yz is kept as its refusal.

        Raises Ended for 421, ReplyError for what is no answer to the question.
        """
        if reply.code in good:
            return True
        if reply.code == 421:
            raise Ended("the server closes", reply)
        if reply.code < 400:
            raise ReplyError(f"{reply.code} where {good[0]} was due: {reply.text}")
        self.refusal = self.refusal or reply
        return False

    def cut_short(self, why: str, reply: Reply | None) -> Receipt:
        """What is known when the connection ends. Replies keep their order: a 421 is no 250 for any dot before it."""
        key = self.envelope.key
        if self.refusal is not None:
            return self.refusal.refusal(key)
        if self.dotted and reply is not None and reply.code == 421:
            return reply.refusal(key)
        outcome = Outcome.UNKNOWN if self.dotted else Outcome.UNSENT
        return Receipt(key, outcome, text=why) if reply is None else reply.receipt(key, outcome)


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
        # RFC 3207 4.2: what was announced in the clear no longer counts.
        features = yield from _hello(client_name)
    if server.username:
        yield from _sign_in(server, features)
    return features


def _hello(client_name: str) -> Talk[Features]:
    reply = yield (f"EHLO {client_name}\r\n".encode(),)
    if reply.code < 500:
        expect(reply, 250, "EHLO")
        return Features.announced(reply)
    expect((yield (f"HELO {client_name}\r\n".encode(),)), 250, "HELO")  # RFC 5321 3.2: it knows no EHLO
    return Features()


def _sign_in(server: MailServer, features: Features) -> Talk[None]:
    for line in _credentials(server, mechanisms=features.auth):
        reply = yield (line + b"\r\n",)
        if reply.code >= 500:
            raise Permanent(f"the mail server refuses our credentials: {reply.code} {reply.text}")
        if reply.code != 334:
            break
    expect(reply, 235, "AUTH")


def _credentials(server: MailServer, *, mechanisms: frozenset[str]) -> list[bytes]:
    """The lines of AUTH PLAIN (RFC 4616), or of the LOGIN that predates it."""
    user, password = server.username.encode(), server.password.encode()
    if "PLAIN" in mechanisms:
        return [b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password)]
    if "LOGIN" in mechanisms:
        return [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(password)]
    raise Permanent("the mail server offers neither AUTH PLAIN nor AUTH LOGIN")


def _refused(envelope: Envelope, enhanced: str, why: str) -> Receipt:
    return Receipt(envelope.key, Outcome.REFUSED, enhanced=enhanced, text=why)


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """All that is said on one connection, from the greeting to QUIT.

    `take` gives the next envelope or None, `dot` is told before a group with a final dot is yielded, `settle` gets
    each receipt. `flights` are the envelopes taken and not settled, in order; whoever drives the dialogue marks them
    dotted once `dot_in` octets of the group were handed over. `awaits` names the patience the next reply deserves.
    """

    server: MailServer
    client_name: str
    limit: int  #: messages, 0 for no limit
    take: Callable[[Features], Envelope | None]
    dot: Callable[[int], None]
    settle: Callable[[Receipt], None]
    features: Features = Features()
    flights: list[Flight] = field(default_factory=list)
    awaits: Literal["command", "dot", "quit"] = "command"
    ready: bool = False
    answered: bool = False
    carried: int = 0
    dotting: Flight | None = None
    dot_in: int = 0

    def conversation(self) -> Talk[None]:
        self.features = yield from opening(self.server, client_name=self.client_name)
        self.ready = True
        at_once = self._chunked if self.features.chunking else self._overlapped
        yield from at_once() if self.features.pipelining else self._lock_step()
        self.awaits = "quit"
        yield (b"QUIT\r\n",)

    def _lock_step(self) -> Talk[None]:
        while (flight := self._board()) is not None:
            mail, rcpt = self.features.commands(flight.envelope)
            for command, good in ((mail, (250,)), (rcpt, (250, 251)), (b"DATA\r\n", (354,))):
                if not flight.passes((yield (command,)), *good):
                    self._land(flight)
                    expect((yield (b"RSET\r\n",)), 250, "RSET")
                    break
            else:
                self._conclude(flight, (yield self._with_dot(flight, flight.envelope.data, b".\r\n")))

    def _overlapped(self) -> Talk[None]:
        """PIPELINING: while one body leaves, the next envelope is already being asked about."""
        sent, ahead, reset = None, self._board(), b""
        while sent is not None or ahead is not None:
            ask = reset + b"".join((*self.features.commands(ahead.envelope), b"DATA\r\n")) if ahead else b""
            if sent is None:
                reply = yield (ask,)
            else:
                self._conclude(sent, (yield self._with_dot(sent, sent.envelope.data, b".\r\n", after=ask)))
                sent = None
                if ahead is None:
                    return
                reply = yield ()
            if reset:
                expect(reply, 250, "RSET")
                reply = yield ()
            if ahead is not None and (yield from self._invited(ahead, reply)):
                sent, reset = ahead, b""
            else:
                reset = b"RSET\r\n"
            ahead = self._board()

    def _invited(self, flight: Flight, reply: Reply) -> Talk[bool]:
        """The answers to MAIL, RCPT and DATA. False where the message may not follow; its receipt is given then."""
        flight.passes(reply, 250)
        flight.passes((yield ()), 250, 251)
        if flight.passes((yield ()), 354):
            if flight.refusal is None:
                return True
            yield (b".\r\n",)  # RFC 2920 3.1: invited though no recipient stands; the answer changes nothing
        self._land(flight)
        return False

    def _chunked(self) -> Talk[None]:
        """PIPELINING and CHUNKING: a refused RCPT fails the BDAT behind it (RFC 3030 section 2)."""
        reset = b""
        while (flight := self._board()) is not None:
            data = flight.envelope.data
            ask = (reset, *self.features.commands(flight.envelope), b"BDAT %d LAST\r\n" % len(data))
            reply = yield self._with_dot(flight, b"".join(ask), data)
            if reset:
                expect(reply, 250, "RSET")
                reply = yield ()
            flight.passes(reply, 250)
            flight.passes((yield ()), 250, 251)
            self._conclude(flight, (yield ()))
            reset = b"" if flight.refusal is None else b"RSET\r\n"

    def _board(self) -> Flight | None:
        """The next envelope this connection may carry; None where it is time for QUIT."""
        if 0 < self.limit <= self.carried:
            return None
        if (envelope := self.take(self.features)) is None:
            return None
        self.carried += 1
        self.flights.append(Flight(envelope))
        return self.flights[-1]

    def _with_dot(self, flight: Flight, head: bytes, tail: bytes, *, after: bytes = b"") -> tuple[bytes, ...]:
        """The group that carries a final dot (or last chunk), journalled before any of it is written."""
        self.dot(flight.envelope.key)
        self.dotting, self.dot_in = flight, len(head) + len(tail)
        self.awaits = "dot"
        return head, tail + after

    def _conclude(self, flight: Flight, reply: Reply) -> None:
        """The answer to the final dot. Before the dot it can only be a refusal, and it ends the connection."""
        if flight.passes(reply, 250) and not flight.dotted:
            raise ReplyError(f"{reply.code} before the end of the message")
        self._land(flight, reply)
        self.awaits = "command"
        if not flight.dotted:
            raise Ended("refused before the end of the message")

    def _land(self, flight: Flight, reply: Reply | None = None) -> None:
        self.flights.remove(flight)
        self.answered = True
        if flight.refusal is not None:
            self.settle(flight.refusal.refusal(flight.envelope.key))
        elif reply is not None:
            self.settle(reply.receipt(flight.envelope.key, Outcome.ACCEPTED))
