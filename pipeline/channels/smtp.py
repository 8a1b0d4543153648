"""Hand over mail by SMTP: one thread, one selector, a few connections, one round trip per message.

Where PIPELINING is announced (RFC 2920) the body, its final dot and the next message's MAIL, RCPT and DATA leave in
one write; where CHUNKING is announced too (RFC 3030), MAIL, RCPT and BDAT with the body do.
"""

from __future__ import annotations

import errno
import os
import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from pipeline.channels.base import Envelope, MailJournal, MailServer, Outcome, Permanent, Receipt, Temporary
from pipeline.channels.replies import (
    Ended,
    Features,
    Flight,
    Reply,
    ReplyError,
    ReplyReader,
    Talk,
    expect,
    opening,
)

_TICK_S = 0.05
_LONGEST_PAUSE_S = 30.0
_SECURED = Reply(220, (b"",))
_NOT_YET = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_NOTHING = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds until a connection is given up, none under the minima of RFC 5321 4.5.3.2.

    `command` guards the greeting and every answer but the last, `block` each write that does not move, `dot` the
    answer to the final dot: under ten minutes, slow servers deliver twice (RFC 1047). `pause` comes before the first
    reconnect and doubles with each one that brings no answer to any message.
    """

    connect: float = 30.0
    command: float = 300.0
    block: float = 180.0
    dot: float = 600.0
    quit: float = 5.0
    pause: float = 0.25


class SmtpEngine:
    """A MailChannel that speaks to one server.

    A connection ends after `per_connection` messages (0: never). It is not reopened after `reconnects` attempts in a
    row without an answer to any message.
    """

    def __init__(
        self,
        server: MailServer,
        *,
        client_name: str = "localhost",
        timeouts: Timeouts = Timeouts(),
        ssl_context: ssl.SSLContext | None = None,
        per_connection: int = 1000,
        reconnects: int = 4,
    ) -> None:
        """Raises ValueError where a setting cannot be spoken or makes no sense."""
        if re.fullmatch(r"[A-Za-z0-9.:\[\]_-]{1,255}", client_name) is None:
            raise ValueError(f"not a name to say EHLO with: {client_name!a}")
        if server.security not in ("plain", "starttls", "tls") or server.connections < 1:
            raise ValueError("security is plain, starttls or tls; connections is at least 1")
        if ssl_context is None and server.security != "plain":
            ssl_context = ssl.create_default_context()
        self.server = server
        self.client_name = client_name
        self.timeouts = timeouts
        self.ssl_context = ssl_context
        self.per_connection = per_connection
        self.reconnects = reconnects

    def submit(
        self,
        envelopes: Iterable[Envelope],
        *,
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Submit every envelope; `record` is called exactly once for each one taken from the iterable.

        Raises Temporary where no connection could be opened, or the last was lost for good while envelopes may
        remain; Permanent where the server refuses our credentials or cannot give the security asked for. What
        `envelopes` raises is raised here once those in flight are answered; what `journal` or `record` raises, at once.
        """
        _Submission(self, iter(envelopes), journal, record, stopping).drive()


class _Dialogue:
    """What is said on one connection, from the greeting to QUIT; it touches no socket and no clock."""

    def __init__(self, run: _Submission) -> None:
        self.run = run
        self.engine = run.engine
        self.timeouts = run.engine.timeouts
        self.patience = self.timeouts.command
        self.features = Features()
        self.flights: list[Flight] = []
        self.carried = 0
        self.answered = self.ready = self.leaving = False
        self.dotting: Flight | None = None
        self.dot_in = 0

    def conversation(self) -> Talk[None]:
        self.features = yield from opening(self.engine.server, client_name=self.engine.client_name)
        self.ready = True
        if not self.features.pipelining:
            yield from self._lock_step()
        else:
            yield from self._chunked() if self.features.chunking else self._overlapped()
        self.leaving, self.patience = True, self.timeouts.quit
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
                self._conclude(flight, (yield self._dot(flight, flight.envelope.data, b".\r\n")))

    def _overlapped(self) -> Talk[None]:
        """PIPELINING: while one body leaves, the next envelope is already being asked about."""
        sent, ahead, reset = None, self._board(), b""
        while sent is not None or ahead is not None:
            ask = reset + b"".join((*self.features.commands(ahead.envelope), b"DATA\r\n")) if ahead else b""
            if sent is None:
                reply = yield (ask,)
            else:
                self._conclude(sent, (yield self._dot(sent, sent.envelope.data, b".\r\n", after=ask)))
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
            bdat = b"BDAT %d LAST\r\n" % len(data)
            reply = yield self._dot(
                flight, b"".join((reset, *self.features.commands(flight.envelope), bdat)), data
            )
            if reset:
                expect(reply, 250, "RSET")
                reply = yield ()
            flight.passes(reply, 250)
            flight.passes((yield ()), 250, 251)
            self._conclude(flight, (yield ()))
            reset = b"" if flight.refusal is None else b"RSET\r\n"

    def _board(self) -> Flight | None:
        """The next envelope this connection may carry; None where it is time for QUIT."""
        if 0 < self.engine.per_connection <= self.carried:
            return None
        envelope = self.run.take(self.features)
        if envelope is None:
            return None
        self.carried += 1
        self.flights.append(Flight(envelope))
        return self.flights[-1]

    def _dot(self, flight: Flight, head: bytes, tail: bytes, *, after: bytes = b"") -> tuple[bytes, ...]:
        """The group that carries a final dot (or last chunk), journalled before any of it is written."""
        self.run.journal.dot(flight.envelope.key)
        self.dotting, self.dot_in = flight, len(head) + len(tail)
        self.patience = self.timeouts.dot
        return head, tail + after

    def _conclude(self, flight: Flight, reply: Reply) -> None:
        """The answer to the final dot. Before the dot it can only be a refusal, and it ends the connection."""
        if flight.passes(reply, 250) and not flight.dotted:
            raise ReplyError(f"{reply.code} before the end of the message")
        self._land(flight, reply)
        self.patience = self.timeouts.command
        if not flight.dotted:
            raise Ended("refused before the end of the message")

    def _land(self, flight: Flight, reply: Reply | None = None) -> None:
        self.flights.remove(flight)
        self.answered = True
        if flight.refusal is not None:
            self.run.settle(flight.refusal.refusal(flight.envelope.key))
        elif reply is not None:
            self.run.settle(reply.receipt(flight.envelope.key, Outcome.ACCEPTED))


class _Lane(_Dialogue):
    """The socket under one dialogue. When it ends a fresh lane takes its place, after a pause where it ended badly."""

    def __init__(self, run: _Submission, *, failures: int = 0, pause_s: float = 0.0) -> None:
        super().__init__(run)
        self.failures = failures
        self.deadline = run.now + pause_s
        self.sock: socket.socket | None = None
        self.out = _NOTHING
        self.reader = ReplyReader()
        self.talk = self.conversation()
        self.proceed = self._connected

    def on_event(self) -> None:
        try:
            self.proceed()
        except Permanent as refusal:
            self.run.failure = self.run.failure or refusal
            self._lose(str(refusal))
        except (Ended, ReplyError) as ending:
            self._lose(str(ending), getattr(ending, "reply", None))

    def on_tick(self) -> None:
        """Open, or give up, what is due."""
        if self.run.over and not self.ready:
            self._lose("stopped")
        elif self.run.now >= self.deadline:
            if self.sock is None:
                self._open()
            else:
                self._lose("the server stopped reading" if self.out else "no answer in time")

    def abandon(self, why: str = "stopped", reply: Reply | None = None) -> None:
        """Close, and say of each flight what is known."""
        if self.sock is not None:
            self.run.selector.unregister(self.sock)
            self.sock.close()
            self.sock = None
        while self.flights:
            self.run.settle(self.flights.pop(0).cut_short(why, reply))

    def _lose(self, why: str, reply: Reply | None = None) -> None:
        self.abandon(why, reply)
        if self.leaving:
            self.run.replace(self, _Lane(self.run))
            return
        self.run.trouble = why
        self.run.address += 1
        failures = 1 if self.answered else self.failures + 1
        pause_s = min(self.timeouts.pause * 2 ** (failures - 1), _LONGEST_PAUSE_S)
        self.run.replace(self, _Lane(self.run, failures=failures, pause_s=pause_s))

    def _open(self) -> None:
        family, kind, protocol, _, address = self.run.addresses[self.run.address % len(self.run.addresses)]
        self.sock = socket.socket(family, kind, protocol)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.run.selector.register(self.sock, selectors.EVENT_WRITE, self)
        self.deadline = self.run.now + self.timeouts.connect
        code = self.sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self._lose(os.strerror(code))

    def _connected(self) -> None:
        assert self.sock is not None
        if code := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise Ended(os.strerror(code))
        self.proceed = self._flow
        self._obey(next(self.talk))

    def _flow(self) -> None:
        if self.out:
            self._flush()
        data = self._received()
        while data:
            self.reader.feed(data)
            while self.proceed == self._flow and (reply := self.reader.take()) is not None:
                self._answer(reply)
            data = self._received() if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() else b""

    def _received(self) -> bytes:
        assert self.sock is not None
        try:
            data = self.sock.recv(16384)
        except _NOT_YET:
            return b""
        except OSError as error:
            raise Ended(f"connection lost: {error.strerror or error}") from error
        if not data:
            raise Ended("the server closed the connection")
        return data

    def _answer(self, reply: Reply) -> None:
        try:
            group = self.talk.send(reply)
        except StopIteration:
            raise Ended("goodbye") from None
        self._obey(group)

    def _obey(self, group: tuple[bytes, ...] | None) -> None:
        """Do what the dialogue wants next. Nothing may be said while an answer to nothing lies unread."""
        if group == ():
            self.deadline = self.run.now + (self.timeouts.block if self.out else self.patience)
            return
        if self.out or self.reader.pending:
            stray = self.reader.take()
            raise (
                Ended("the server closes", stray)
                if stray and stray.code == 421
                else ReplyError("unasked reply")
            )
        if group is None:
            self._secure()
        else:
            self._write(group)

    def _write(self, group: tuple[bytes, ...]) -> None:
        """One system call where the kernel has room; only what it leaves is ever copied."""
        assert self.sock is not None
        sent = 0
        if not isinstance(self.sock, ssl.SSLSocket):
            with suppress(*_NOT_YET, OSError):
                sent = self.sock.sendmsg(group)
                self._handed(sent)
        if sent < sum(map(len, group)):
            self.out = memoryview(b"".join(group))[sent:]
        self._flush()

    def _flush(self) -> None:
        assert self.sock is not None
        try:
            while self.out:
                sent = self.sock.send(self.out)
                self.out = self.out[sent:]
                self._handed(sent)
        except _NOT_YET:
            self.deadline = self.run.now + self.timeouts.block
        except OSError:  # what the server said before it closed can still be read, and then the end
            self.out = _NOTHING
        if not self.out:
            self.deadline = self.run.now + self.patience
        self._watch(selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0))

    def _handed(self, octets: int) -> None:
        """The kernel took so many octets more of this group: was the final dot among them?"""
        self.dot_in -= octets
        if self.dotting is not None and self.dot_in <= 0:
            self.dotting.dotted, self.dotting = True, None

    def _watch(self, events: int) -> None:
        assert self.sock is not None
        if self.run.selector.get_key(self.sock).events != events:
            self.run.selector.modify(self.sock, events, self)

    def _secure(self) -> None:
        assert self.sock is not None and self.engine.ssl_context is not None
        self.run.selector.unregister(self.sock)
        host = self.engine.server.host
        self.sock = self.engine.ssl_context.wrap_socket(
            self.sock, server_hostname=host, do_handshake_on_connect=False
        )
        self.run.selector.register(self.sock, selectors.EVENT_READ, self)
        self.proceed = self._shake
        self.deadline = self.run.now + self.timeouts.connect
        self._shake()

    def _shake(self) -> None:
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            self.sock.do_handshake()
        except _NOT_YET as wanted:
            self._watch(
                selectors.EVENT_WRITE if isinstance(wanted, ssl.SSLWantWriteError) else selectors.EVENT_READ
            )
        except ssl.SSLCertVerificationError as error:
            raise Permanent(
                f"the mail server's certificate does not convince: {error.verify_message}"
            ) from error
        except OSError as error:
            raise Ended(f"TLS: {error.strerror or error}") from error
        else:
            self.proceed = self._flow
            self._answer(_SECURED)


class _Submission:
    """One call of `submit`: the source, where receipts go, and the lanes."""

    def __init__(
        self,
        engine: SmtpEngine,
        source: Iterator[Envelope],
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.engine = engine
        self.source = source
        self.journal = journal
        self.record = record
        self.stopping = stopping
        self.selector = selectors.DefaultSelector()
        self.now = self.tick_at = time.monotonic()
        self.lanes: list[_Lane] = []
        self.address = self.taken = 0
        self.done = False
        self.trouble = ""
        self.failure: Exception | None = None

    @property
    def over(self) -> bool:
        """True, for good, once no envelope may be taken any more."""
        self.done = self.done or self.failure is not None or self.stopping()
        return self.done

    def drive(self) -> None:
        """One lane finds the way; the others open once a second envelope shows that there is work for them."""
        with ExitStack() as stack:
            stack.enter_context(self.selector)
            self.addresses = self._resolved()
            stack.callback(self._abandon)
            self.lanes.append(_Lane(self))
            while self.lanes:
                self._turn()
        if self.failure is not None:
            raise self.failure
        if not self.done:
            raise Temporary(f"{self.engine.server.host}:{self.engine.server.port}: {self.trouble}")

    def take(self, features: Features) -> Envelope | None:
        """The next envelope to which the server's announcement leaves no objection; the others are settled here."""
        while not self.over:
            try:
                envelope = next(self.source)
            except StopIteration:
                self.done = True
                break
            except Exception as error:  # raised again by drive(), after those in flight
                self.failure = error
                break
            self.taken += 1
            if self.taken == 2:
                self.lanes.extend(_Lane(self) for _ in range(1, self.engine.server.connections))
            refusal = features.objection(envelope)
            if refusal is None:
                return envelope
            self.settle(refusal)
        return None

    def settle(self, receipt: Receipt) -> None:
        self.journal.answer(receipt)
        self.record(receipt)

    def replace(self, lane: _Lane, successor: _Lane) -> None:
        self.lanes.remove(lane)
        if not self.over and successor.failures <= self.engine.reconnects:
            self.lanes.append(successor)

    def _turn(self) -> None:
        ready = self.selector.select(_TICK_S)
        self.now = time.monotonic()
        for key, _ in ready:
            key.data.on_event()
        if self.now >= self.tick_at:
            self.tick_at = self.now + _TICK_S
            for lane in tuple(self.lanes):
                lane.on_tick()

    def _resolved(self) -> list[_Address]:
        server = self.engine.server
        try:
            return socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Temporary(f"{server.host}: {error.strerror or error}") from error

    def _abandon(self) -> None:
        """Where something of ours failed: every lane is closed and settled, whatever one of them meets."""
        with ExitStack() as stack:
            for lane in self.lanes:
                stack.callback(lane.abandon)
