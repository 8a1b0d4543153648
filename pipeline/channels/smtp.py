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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipeline.channels.base import Envelope, MailJournal, MailServer, Permanent, Receipt, Temporary
from pipeline.channels.replies import Dialogue, Ended, Features, Reply, ReplyError, ReplyReader

_TICK_S = 0.05
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

    def secured(self, sock: socket.socket) -> ssl.SSLSocket:
        """The socket under TLS, its handshake still to be made. Raises OSError where the peer is gone."""
        if self.ssl_context is None:
            self.ssl_context = ssl.create_default_context()
        return self.ssl_context.wrap_socket(sock, server_hostname=self.server.host, do_handshake_on_connect=False)


class _Lane:
    """The socket under one dialogue. When it ends a fresh lane takes its place, after a pause where it ended badly."""

    def __init__(self, run: _Submission, *, failures: int = 0, pause_s: float = 0.0) -> None:
        family, kind, protocol, _, self.address = run.addresses[run.turned_away % len(run.addresses)]
        self.run = run
        self.timeouts = run.engine.timeouts
        self.failures = failures
        self.deadline = run.now + pause_s
        self.sock = socket.socket(family, kind, protocol)
        self.watched = 0
        self.out = _NOTHING
        self.reader = ReplyReader()
        self.dialogue = run.dialogue()
        self.talk = self.dialogue.conversation()
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
        if self.run.over and not self.dialogue.ready:
            self._lose("stopped")
        elif self.run.now >= self.deadline:
            if not self.watched:
                self._open()
            else:
                self._lose("the server stopped reading" if self.out else "no answer in time")

    def abandon(self, why: str = "stopped", reply: Reply | None = None) -> None:
        """Close, and say of each flight what is known."""
        self._watch(0)
        self.sock.close()
        while self.dialogue.flights:
            self.run.settle(self.dialogue.flights.pop(0).cut_short(why, reply))

    def _lose(self, why: str, reply: Reply | None = None) -> None:
        self.abandon(why, reply)
        if self.dialogue.awaits == "quit":
            self.run.replace(self)
            return
        self.run.trouble = why
        self.run.turned_away += not self.dialogue.ready
        failures = 1 if self.dialogue.answered else self.failures + 1
        self.run.replace(self, failures=failures, pause_s=self.timeouts.pause * 2 ** (failures - 1))

    def _open(self) -> None:
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self.sock.connect_ex(self.address)
        if code not in (0, errno.EINPROGRESS):
            self._lose(os.strerror(code))
            return
        self._watch(selectors.EVENT_WRITE)
        self.deadline = self.run.now + self.timeouts.connect

    def _connected(self) -> None:
        if code := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise Ended(os.strerror(code))
        self.proceed = self._flow
        self._watch(selectors.EVENT_READ)
        self._obey(next(self.talk))

    def _flow(self) -> None:
        if self.out:
            self._flush()
        data = self._received()
        while data:
            self.reader.feed(data)
            self._listen()
            data = self._received() if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() else b""

    def _listen(self) -> None:
        """Pass on every whole reply at hand. Most ask for nothing but the next: they pass without another call."""
        take, send, heard = self.reader.take, self.talk.send, False
        try:
            while (reply := take()) is not None:
                group = send(reply)
                if group != ():
                    self._obey(group)
                    if group is None:
                        return
                else:
                    heard = True
        except StopIteration:
            raise Ended("goodbye") from None
        if heard:  # half a reply buys no time
            self._rewind()

    def _received(self) -> bytes:
        try:
            data = self.sock.recv(16384)
        except _NOT_YET:
            return b""
        except OSError as error:
            raise Ended(f"connection lost: {error.strerror or error}") from error
        if not data:
            raise Ended("the server closed the connection")
        return data

    def _obey(self, group: tuple[bytes, ...] | None) -> None:
        """Do what the dialogue wants next. Nothing may be said while an answer to nothing lies unread."""
        if group != () and (self.out or self.reader.pending):
            stray = self.reader.take()
            raise ReplyError("unasked reply") if not stray or stray.code != 421 else Ended("it closes", stray)
        if group is None:
            self._secure()
        elif group:
            self._write(group)
        else:
            self._rewind()

    def _write(self, group: tuple[bytes, ...]) -> None:
        """One system call where the kernel has room; only what it leaves is ever copied."""
        sent, size = 0, sum(map(len, group))
        if not isinstance(self.sock, ssl.SSLSocket):
            try:
                sent = self.sock.sendmsg(group)
            except OSError:  # _flush meets the same error, or finds room again
                sent = 0
        self._handed(sent)
        if sent < size:
            self.out = memoryview(b"".join(group))[sent:]
        self._rewind()
        self._flush()

    def _flush(self) -> None:
        try:
            while self.out:
                sent = self.sock.send(self.out)
                self.out = self.out[sent:]
                self._handed(sent)
                self._rewind()
        except _NOT_YET:
            pass
        except OSError:  # what the server said before it closed can still be read, and then the end
            self.out = _NOTHING
        self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE if self.out else selectors.EVENT_READ)

    def _handed(self, octets: int) -> None:
        """The kernel took so many octets more of this group: was the final dot among them?"""
        dialogue = self.dialogue
        dialogue.dot_in -= octets
        if dialogue.dotting is not None and dialogue.dot_in <= 0:
            dialogue.dotting.dotted, dialogue.dotting = True, None

    def _rewind(self) -> None:
        self.deadline = self.run.now + getattr(self.timeouts, "block" if self.out else self.dialogue.awaits)

    def _watch(self, events: int) -> None:
        if events == self.watched:
            return
        if not events:
            self.run.selector.unregister(self.sock)
        elif self.watched:
            self.run.selector.modify(self.sock, events, self)
        else:
            self.run.selector.register(self.sock, events, self)
        self.watched = events

    def _secure(self) -> None:
        self._watch(0)
        try:
            tls = self.run.engine.secured(self.sock)
        except OSError as error:
            raise Ended(f"TLS: {error.strerror or error}") from error
        self.sock, self.proceed = tls, partial(self._shake, tls)
        self.deadline = self.run.now + self.timeouts.connect
        self._shake(tls)

    def _shake(self, tls: ssl.SSLSocket) -> None:
        try:
            tls.do_handshake()
        except _NOT_YET as wanted:
            self._watch(selectors.EVENT_WRITE if isinstance(wanted, ssl.SSLWantWriteError) else selectors.EVENT_READ)
        except ssl.SSLCertVerificationError as error:
            raise Permanent(f"the mail server's certificate does not convince: {error.verify_message}") from error
        except OSError as error:
            raise Ended(f"TLS: {error.strerror or error}") from error
        else:
            self._watch(selectors.EVENT_READ)
            self.proceed = self._flow
            self._obey(self.talk.send(_SECURED))


@dataclass(slots=True)
class _Submission:
    """One call of `submit`: the source, where receipts go, and the lanes."""

    engine: SmtpEngine
    source: Iterator[Envelope]
    journal: MailJournal
    record: Callable[[Receipt], None]
    stopping: Callable[[], bool]
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    addresses: Sequence[tuple[int, int, int, str, Any]] = ()
    lanes: list[_Lane] = field(default_factory=list)
    now: float = field(default_factory=time.monotonic)
    tick_at: float = 0.0
    turned_away: int = 0
    taken: int = 0
    done: bool = False
    trouble: str = ""
    failure: Exception | None = None

    @property
    def over(self) -> bool:
        """True, for good, once no envelope may be taken any more."""
        self.done = self.done or self.failure is not None or self.stopping()
        return self.done

    def drive(self) -> None:
        """One lane finds the way; the others open once a second envelope shows that there is work for them."""
        with ExitStack() as stack:
            stack.enter_context(self.selector)
            self._resolve()
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

    def dialogue(self) -> Dialogue:
        engine = self.engine
        return Dialogue(
            server=engine.server,
            client_name=engine.client_name,
            limit=engine.per_connection,
            take=self.take,
            dot=self.journal.dot,
            settle=self.settle,
        )

    def replace(self, lane: _Lane, *, failures: int = 0, pause_s: float = 0.0) -> None:
        self.lanes.remove(lane)
        if not self.over and failures <= self.engine.reconnects:
            self.lanes.append(_Lane(self, failures=failures, pause_s=pause_s))

    def _turn(self) -> None:
        ready = self.selector.select(_TICK_S)
        self.now = time.monotonic()
        for key, _ in ready:
            key.data.on_event()
        if self.now >= self.tick_at:
            self.tick_at = self.now + _TICK_S
            for lane in tuple(self.lanes):
                lane.on_tick()

    def _resolve(self) -> None:
        server = self.engine.server
        try:
            self.addresses = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Temporary(f"{server.host}: {error.strerror or error}") from error

    def _abandon(self) -> None:
        """Where something of ours failed: every lane is closed and settled, whatever one of them meets."""
        with ExitStack() as stack:
            for lane in self.lanes:
                stack.callback(lane.abandon)
