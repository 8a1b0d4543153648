"""One socket under one dialogue: non-blocking, told by a selector, and never surprised by a half-written group."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from pipeline.channels.base import Permanent, Receipt
from pipeline.channels.mail.replies import Reply, ReplyError, ReplyReader
from pipeline.channels.mail.wire.dialogue import CARRY_ON, HOLD, Dialogue, Ended

_NOT_YET = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_NOTHING = memoryview(b"")
_IDLE_PAUSE_S = 5.0


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


PATIENT = Timeouts()


class Place(NamedTuple):
    """Where to connect to: the host as TLS shall know it, and one of its socket addresses."""

    host: str
    family: int
    address: Any


class Floor(Protocol):
    """What the lanes of one process share."""

    now: float
    selector: selectors.BaseSelector


class Run(Protocol):
    """Who a lane works for."""

    places: Sequence[Place]
    turned_away: int
    trouble: str
    failure: Exception | None

    @property
    def floor(self) -> Floor: ...
    @property
    def over(self) -> bool: ...
    @property
    def timeouts(self) -> Timeouts: ...
    def dialogue(self) -> Dialogue: ...
    def secured(self, sock: socket.socket, *, host: str) -> ssl.SSLSocket: ...
    def fell_back(self) -> bool: ...
    def heard(self, reply: Reply) -> None: ...
    def settle(self, receipt: Receipt) -> None: ...
    def replace(self, lane: Lane, *, failures: int = 0, pause_s: float = 0.0) -> None: ...


class Lane:
    """The socket under one dialogue. When it ends a fresh lane takes its place, after a pause where it ended badly."""

    def __init__(self, run: Run, *, failures: int = 0, pause_s: float = 0.0) -> None:
        self.host, family, self.address = run.places[run.turned_away % len(run.places)]
        self.run, self.floor = run, run.floor
        self.timeouts = run.timeouts
        self.failures = failures
        self.deadline = run.floor.now + pause_s
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.watched = 0
        self.held = False
        self.out = _NOTHING
        self.reader = ReplyReader()
        self.dialogue = run.dialogue()
        self.talk = self.dialogue.conversation()
        self.proceed = self._connected

    def on_event(self) -> None:
        self._guarded(self.proceed)

    def on_tick(self) -> None:
        """Open, go on, or give up, what is due."""
        if self.run.over and not self.dialogue.ready:
            self._lose("stopped")
        elif self.held:
            self._guarded(self._carry_on)
        elif self.floor.now >= self.deadline:
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

    def _guarded(self, step: Any) -> None:
        try:
            step()
        except Permanent as refusal:
            self.run.failure = self.run.failure or refusal
            self._lose(str(refusal))
        except (Ended, ReplyError) as ending:
            self._lose(str(ending), getattr(ending, "reply", None))

    def _carry_on(self) -> None:
        try:
            self._obey(self.talk.send(CARRY_ON))
        except StopIteration:
            raise Ended("goodbye") from None

    def _lose(self, why: str, reply: Reply | None = None) -> None:
        self.abandon(why, reply)
        if self.dialogue.awaits == "quit":
            self.run.replace(self)
            return
        if self.held:  # servers tire of who says nothing; that is no trouble
            self.run.replace(self, pause_s=_IDLE_PAUSE_S)
            return
        if reply is not None:
            self.run.heard(reply)
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
        self.deadline = self.floor.now + self.timeouts.connect

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
        self.held = group is HOLD
        if group != () and (self.out or self.reader.pending):
            stray = self.reader.take()
            raise ReplyError("unasked reply") if not stray or stray.code != 421 else Ended("it closes", stray)
        if group is None:
            self._secure()
        elif group and not self.held:
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
        if self.out or self.watched != selectors.EVENT_READ:
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
        self.deadline = self.floor.now + getattr(self.timeouts, "block" if self.out else self.dialogue.awaits)

    def _watch(self, events: int) -> None:
        if events == self.watched:
            return
        if not events:
            self.floor.selector.unregister(self.sock)
        elif self.watched:
            self.floor.selector.modify(self.sock, events, self)
        else:
            self.floor.selector.register(self.sock, events, self)
        self.watched = events

    def _secure(self) -> None:
        self._watch(0)
        try:
            tls = self.run.secured(self.sock, host=self.host)
        except OSError as error:
            raise Ended(f"TLS: {error.strerror or error}") from error
        self.sock, self.proceed = tls, partial(self._shake, tls)
        self.deadline = self.floor.now + self.timeouts.connect
        self._shake(tls)

    def _shake(self, tls: ssl.SSLSocket) -> None:
        try:
            tls.do_handshake()
        except _NOT_YET as wanted:
            self._watch(selectors.EVENT_WRITE if isinstance(wanted, ssl.SSLWantWriteError) else selectors.EVENT_READ)
        except OSError as error:
            if not self.run.fell_back() and isinstance(error, ssl.SSLCertVerificationError):
                said = f"the mail server's certificate does not convince: {error.verify_message}"
                raise Permanent(said) from error
            raise Ended(f"TLS: {error.strerror or error}") from error
        else:
            self._watch(selectors.EVENT_READ)
            self.proceed = self._flow
            self._obey(self.talk.send(CARRY_ON))
