"""Hand over mail by SMTP: one thread, one selector, a few connections, one round trip per message.

Where PIPELINING is announced (RFC 2920) the body, its final dot and the next message's MAIL, RCPT and DATA leave in
one write; where CHUNKING is announced too (RFC 3030), MAIL, RCPT and BDAT with the body do.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pipeline.channels.base import Envelope, MailJournal, MailServer, Outcome, Receipt, Temporary
from pipeline.channels.mail.providers import Caps, Pace
from pipeline.channels.mail.replies import Features, Reply
from pipeline.channels.mail.wire.dialogue import Dialogue
from pipeline.channels.mail.wire.lane import PATIENT, Lane, Place, Timeouts

__all__ = ["Floor", "Gauge", "Run", "SmtpEngine", "Timeouts"]

_TICK_S = 0.05
_BURST_S = 1.0  #: seconds of an unused rate that may be caught up with


class Floor:
    """The selector and the clock that all runs of one submission share."""

    def __init__(self) -> None:
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        self.now = time.monotonic()
        self.tick_at = 0.0
        self.runs: list[Run] = []

    def turn(self) -> None:
        """Serve what is ready, and every tick what is due."""
        ready = self.selector.select(_TICK_S)
        self.now = time.monotonic()
        for key, _ in ready:
            key.data.on_event()
        if self.now >= self.tick_at:
            self.tick_at = self.now + _TICK_S
            for run in tuple(self.runs):
                run.on_tick()
            self.runs = [run for run in self.runs if run.lanes]

    def abandon(self) -> None:
        """Where something of ours failed: every lane is closed and settled, whatever one of them meets."""
        with ExitStack() as stack:
            stack.enter_context(self.selector)
            for run in self.runs:
                for lane in run.lanes:
                    stack.callback(lane.abandon)


@dataclass(slots=True, eq=False)
class Gauge:
    """The pace of one provider group, and who goes at it."""

    pace: Pace
    runs: list[Run] = field(default_factory=list)
    next_at: float = 0.0
    waiting: int = 0  #: others that have no connection yet

    @property
    def crowded(self) -> bool:
        """More connections take messages than the pace allows."""
        open_lanes = sum(not lane.dialogue.closing for run in self.runs for lane in run.lanes)
        return open_lanes > self.pace.connections

    def may_take(self, now: float) -> bool:
        """True, and counted, where the rate allows one message more."""
        if not self.pace.per_minute:
            return True
        if now < self.next_at:
            return False
        self.next_at = max(self.next_at, now - _BURST_S) + 60 / self.pace.per_minute
        return True


class SmtpEngine:
    """A MailChannel that speaks to one server.

    A connection ends after `per_connection` messages (0: never). It is not reopened after `reconnects` attempts in a
    row without an answer to any message. `gauge.pace` follows what the server says, and may be kept for the next
    submission.
    """

    def __init__(
        self,
        server: MailServer,
        *,
        client_name: str = "localhost",
        timeouts: Timeouts = PATIENT,
        ssl_context: ssl.SSLContext | None = None,
        per_connection: int = 1000,
        reconnects: int = 4,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises ValueError where a setting cannot be spoken or makes no sense."""
        if re.fullmatch(r"[A-Za-z0-9.:\[\]_-]{1,255}", client_name) is None:
            raise ValueError(f"not a name to say EHLO with: {client_name!a}")
        if server.security not in ("plain", "opportunistic", "starttls", "tls") or server.connections < 1:
            raise ValueError("security is plain, opportunistic, starttls or tls; connections is at least 1")
        self.server = server
        self.client_name = client_name
        self.timeouts = timeouts
        self.ssl_context = ssl_context
        self.per_connection = per_connection
        self.reconnects = reconnects
        self.clock = clock
        caps = Caps(connections=server.connections, per_connection=per_connection, per_minute=0)
        self.gauge = Gauge(pace or Pace.full(caps, now=clock()))

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
        floor = Floor()
        with ExitStack() as stack:
            stack.callback(floor.abandon)
            source = iter(envelopes)
            run = Run(self, floor, self.gauge, lambda: next(source, None), journal, record, stopping)
            run.begin(places_of(self.server))
            while floor.runs:
                floor.turn()
        if run.failure is not None:
            raise run.failure
        if not run.done:
            raise Temporary(f"{self.server.host}:{self.server.port}: {run.trouble}")

    def secured(self, sock: socket.socket, *, host: str) -> ssl.SSLSocket:
        """The socket under TLS, its handshake still to be made. Raises OSError where the peer is gone."""
        if self.ssl_context is None:
            self.ssl_context = ssl.create_default_context()
        return self.ssl_context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


def places_of(server: MailServer) -> list[Place]:
    """Every address of a relay. Raises Temporary."""
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Temporary(f"{server.host}: {error.strerror or error}") from error
    return [Place(server.host, family, address) for family, _, _, _, address in found]


@dataclass(slots=True, eq=False)
class Run:
    """One way out, while envelopes go by it: the source, where receipts go, and the lanes.

    `pull` gives the next envelope or None; `more` then says whether it may give another later.
    """

    engine: SmtpEngine
    floor: Floor
    gauge: Gauge
    pull: Callable[[], Envelope | None]
    journal: MailJournal
    record: Callable[[Receipt], None]
    stopping: Callable[[], bool]
    more: Callable[[], bool] = lambda: False
    group: str = ""
    ramp: int = 0  #: messages before each further connection; 0: all open with the second message
    places: Sequence[Place] = ()
    lanes: list[Lane] = field(default_factory=list)
    turned_away: int = 0
    taken: int = 0
    opens_at: int = 2
    guarded: bool = True
    done: bool = False
    in_clear: bool = False
    trouble: str = ""
    failure: Exception | None = None

    @property
    def timeouts(self) -> Timeouts:
        return self.engine.timeouts

    @property
    def over(self) -> bool:
        """True, for good, once no envelope may be taken any more."""
        self.done = self.done or self.failure is not None or self.stopping()
        return self.done

    def begin(self, places: Sequence[Place]) -> None:
        """One lane finds the way; the others open once there is work for them."""
        self.places = places
        self.gauge.runs.append(self)
        self.floor.runs.append(self)
        self.lanes.append(Lane(self))
        self._look()

    def take(self, features: Features) -> Envelope | None:
        """The next envelope to which the server's announcement leaves no objection; the others are settled here."""
        while not self.over:
            if self.guarded and not self._may_take():
                return None
            try:
                envelope = self.pull()
            except Exception as error:  # raised again by the submission, after those in flight
                self.failure = error
                break
            if envelope is None:
                self.done = not self.more()
                return None
            self.taken += 1
            if self.taken == self.opens_at:
                self._widen()
            refusal = features.objection(envelope)
            if refusal is None:
                return envelope
            self.settle(refusal)
        return None

    def later(self) -> bool:
        """True where a lane without a message should wait for one."""
        paced = self.guarded and (self.gauge.crowded or self.gauge.pace.paused(now=self.engine.clock()))
        return not self.over and not paced

    def settle(self, receipt: Receipt) -> None:
        if receipt.outcome is not Outcome.ACCEPTED and receipt.code:
            self._learn(code=receipt.code, enhanced=receipt.enhanced, text=receipt.text)
        if self.group:
            receipt = replace(receipt, group=self.group)
        self.journal.answer(receipt)
        self.record(receipt)

    def heard(self, reply: Reply) -> None:
        """A server ended a connection with these words."""
        self._learn(code=reply.code, enhanced=reply.enhanced, text=reply.text)

    def secured(self, sock: socket.socket, *, host: str) -> ssl.SSLSocket:
        return self.engine.secured(sock, host=host)

    def fell_back(self) -> bool:
        """A handshake failed. True where TLS was only wished for: the next connections go without."""
        self.in_clear = self.engine.server.security == "opportunistic"
        return self.in_clear

    def dialogue(self) -> Dialogue:
        engine = self.engine
        return Dialogue(
            server=replace(engine.server, security="plain") if self.in_clear else engine.server,
            client_name=engine.client_name,
            limit=engine.per_connection,
            take=self.take,
            later=self.later,
            dot=self.journal.dot,
            settle=self.settle,
        )

    def replace(self, lane: Lane, *, failures: int = 0, pause_s: float = 0.0) -> None:
        self.lanes.remove(lane)
        room = len(self.lanes) < self.gauge.pace.connections
        if room and not self.over and failures <= self.engine.reconnects and not self._halted():
            self.lanes.append(Lane(self, failures=failures, pause_s=pause_s))
        elif not self.lanes:
            self.gauge.runs.remove(self)

    def on_tick(self) -> None:
        for lane in tuple(self.lanes):
            lane.on_tick()
        if self.gauge.pace.connections < self.gauge.pace.caps.connections or self.guarded:
            self._grow()

    def _grow(self) -> None:
        before = self.gauge.pace.connections
        self.gauge.pace = self.gauge.pace.grown(now=self.engine.clock())
        self._look()
        if self.gauge.pace.connections > before and self.lanes and self.taken >= 2 and not self.over:
            self.lanes.append(Lane(self))

    def _learn(self, *, code: int, enhanced: str, text: str) -> None:
        self.gauge.pace = self.gauge.pace.heard(code=code, enhanced=enhanced, text=text, now=self.engine.clock())
        for run in self.gauge.runs:
            run._look()

    def _look(self) -> None:
        """Is there any reason to look twice before taking?"""
        pace = self.gauge.pace
        self.guarded = bool(pace.per_minute or pace.paused_until or pace.connections < pace.caps.connections)

    def _halted(self) -> bool:
        return self.gauge.pace.paused(now=self.engine.clock())

    def _may_take(self) -> bool:
        return not self.gauge.crowded and not self._halted() and self.gauge.may_take(self.floor.now)

    def _widen(self) -> None:
        lanes = sum(len(run.lanes) for run in self.gauge.runs)
        room = self.gauge.pace.connections - lanes - self.gauge.waiting
        self.lanes.extend(Lane(self) for _ in range(min(room, 1) if self.ramp else room))
        self.opens_at = self.taken + self.ramp if self.ramp else 0
