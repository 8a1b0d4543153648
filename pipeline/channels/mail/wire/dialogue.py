"""All that is said on one connection, from the greeting to QUIT, as a conversation that someone else drives.

Pure: bytes in, values out; no socket, no clock. RFC 5321, 2920 (PIPELINING), 3030 (CHUNKING), 3207 (STARTTLS),
4954 (AUTH).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from pipeline.channels.base import Envelope, MailServer, Outcome, Permanent, Receipt
from pipeline.channels.mail.replies import BARE, Features, Reply, ReplyError

_Result = TypeVar("_Result")
#: A conversation yields what it wants: buffers to write before the next reply, () for the next reply alone, HOLD to
#: be called again when there may be something to say, or None for a TLS handshake (what it is sent after either means
#: nothing, unless it is a reply nobody asked for). It always waits for exactly one reply.
Talk: TypeAlias = Generator[tuple[bytes, ...] | None, Reply, _Result]
HOLD: tuple[bytes, ...] = (b"",)
#: Sent to a conversation where no server spoke: a handshake is over, or the wait is.
CARRY_ON = Reply(220, (b"",))


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
    our credentials, which are never said in the clear.
    """
    secured = server.security == "tls"
    if secured:
        yield None
    expect((yield ()), 220, "greeting")
    features = yield from _hello(client_name)
    if server.security in ("starttls", "opportunistic") and (yield from _starts_tls(server, features)):
        secured = True
        # RFC 3207 4.2: what was announced in the clear no longer counts.
        features = yield from _hello(client_name)
    if server.username:
        if not secured:
            raise Permanent("credentials go over TLS only: use smtp+starttls:// or smtps://")
        yield from _sign_in(server, features)
    return features


def _starts_tls(server: MailServer, features: Features) -> Talk[bool]:
    """True once the connection is under TLS; False where it is only wished for and cannot be had."""
    wished = server.security == "opportunistic"
    if not features.starttls:
        if wished:
            return False
        raise Permanent("the server does not offer STARTTLS")
    reply = yield (b"STARTTLS\r\n",)
    if wished and reply.code == 454:  # RFC 3207 4: "TLS not available due to temporary reason"
        return False
    expect(reply, 220, "STARTTLS")
    yield None
    return True


def _hello(client_name: str) -> Talk[Features]:
    reply = yield (f"EHLO {client_name}\r\n".encode(),)
    if reply.code < 500:
        expect(reply, 250, "EHLO")
        return Features.announced(reply)
    expect((yield (f"HELO {client_name}\r\n".encode(),)), 250, "HELO")  # RFC 5321 3.2: it knows no EHLO
    return BARE


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


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """All that is said on one connection, from the greeting to QUIT.

    `take` gives the next envelope or None; `later` then says whether another call may give one. `dot` is told before a group with a final dot is yielded, `settle` gets
    each receipt. `flights` are the envelopes taken and not settled, in order; whoever drives the dialogue marks them
    dotted once `dot_in` octets of the group were handed over. `awaits` names the patience the next reply deserves.
    """

    server: MailServer
    client_name: str
    limit: int  #: messages, 0 for no limit
    take: Callable[[Features], Envelope | None]
    later: Callable[[], bool]
    dot: Callable[[int], None]
    settle: Callable[[Receipt], None]
    features: Features = BARE
    flights: list[Flight] = field(default_factory=list)
    awaits: Literal["command", "dot", "quit"] = "command"
    ready: bool = False
    answered: bool = False
    closing: bool = False  #: it takes no more
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
        while (flight := self._board() or (yield from self._patience())) is not None:
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
        sent, ahead, reset = None, self._board() or (yield from self._patience()), b""
        while sent is not None or ahead is not None:
            ask = reset + b"".join((*self.features.commands(ahead.envelope), b"DATA\r\n")) if ahead else b""
            if sent is None:
                reply = yield (ask,)
            else:
                self._conclude(sent, (yield self._with_dot(sent, sent.envelope.data, b".\r\n", after=ask)))
                sent = None
                if ahead is None:
                    ahead = yield from self._patience()
                    continue
                reply = yield ()
            if reset:
                expect(reply, 250, "RSET")
                reply = yield ()
            if ahead is not None and (yield from self._invited(ahead, reply)):
                sent, reset = ahead, b""
            else:
                reset = b"RSET\r\n"
            ahead = self._board() or (None if sent else (yield from self._patience()))

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
        while (flight := self._board() or (yield from self._patience())) is not None:
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

    def _patience(self) -> Talk[Flight | None]:
        """Wait for an envelope to become due; None where it is time for QUIT."""
        while not 0 < self.limit <= self.carried and self.later():
            said = yield HOLD
            if said is not CARRY_ON:
                raise Ended("the server closes", said)
            if (flight := self._board()) is not None:
                return flight
        self.closing = True
        return None

    def _board(self) -> Flight | None:
        """The next envelope this connection may carry; None where it may carry none, or none now."""
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
