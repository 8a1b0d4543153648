"""Straight to the readers' own servers: envelopes sorted by where they go, every way at its own pace, on one selector.

Servers of one provider share a pace, whatever domains they serve; a connection carries only what its servers are MX
for, for the tenants of one provider have servers of their own.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pipeline.channels.base import Envelope, MailJournal, MailServer, Outcome, RateLimited, Receipt
from pipeline.channels.mail.mx import Ways
from pipeline.channels.mail.providers import Pace, caps_of
from pipeline.channels.mail.smtp import Floor, Gauge, Run, SmtpEngine
from pipeline.channels.mail.wire.lane import PATIENT, Timeouts

_MOST_BUFFERED = 256
_AT_A_TURN = 64
_RAMP = 10  #: messages for each further connection of a way
_PATIENCE_MIN = 2  #: minutes a batch waits for a provider that lets little through
_AGAIN_S = 60.0
_TOMORROW_S = 3600.0


class Direct:
    """A MailChannel to whatever servers the recipients' domains name.

    `paces` are what was learnt before, by group; `gauges` what is known now. `today` gives what is left of a group's
    day while it is warmed up, and at most how many a minute; `left` is what remains of it, `used` what was taken. Other `processes` send at the
    same time and share all of it.
    """

    def __init__(
        self,
        ways: Ways,
        *,
        client_name: str,
        paces: Mapping[str, Pace] | None = None,
        today: Callable[[str], tuple[int, int] | None] = lambda _group: None,
        processes: int = 1,
        port: int = 25,
        timeouts: Timeouts = PATIENT,
        reconnects: int = 1,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ways, self.client_name, self.port = ways, client_name, port
        self.timeouts, self.reconnects, self.clock = timeouts, reconnects, clock
        self.ssl_context = ssl_context or _unverified()
        self.processes = processes
        self.today = today
        self.left: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self._learnt = dict(paces or {})
        self.gauges: dict[str, Gauge] = {}

    def gauge(self, group: str) -> Gauge:
        """The pace of a group, made when it is first met."""
        if group not in self.gauges:
            caps = caps_of(group)
            if (plan := self.today(group)) is not None:
                self.left[group] = -(-plan[0] // self.processes)
                caps = replace(caps, per_minute=min(caps.per_minute, plan[1]))
            caps = caps.shared(by=self.processes)
            learnt = self._learnt.get(group)
            self.gauges[group] = Gauge(learnt.within(caps) if learnt else Pace.full(caps, now=self.clock()))
        return self.gauges[group]

    def engine(self, group: str, host: str) -> SmtpEngine:
        """One for each way. Certificates of MX hosts are not checked (RFC 7672 1.3): TLS without DANE is a wish."""
        caps = self.gauge(group).pace.caps
        security = "starttls" if caps.tls else "opportunistic"
        made = SmtpEngine(
            MailServer(host, self.port, security=security, connections=caps.connections),
            client_name=self.client_name,
            timeouts=self.timeouts,
            ssl_context=self.ssl_context,
            per_connection=caps.per_connection,
            reconnects=self.reconnects,
            clock=self.clock,
        )
        made.gauge = self.gauge(group)
        return made

    def submit(
        self,
        envelopes: Iterable[Envelope],
        *,
        journal: MailJournal,
        record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Submit every envelope; `record` is called exactly once for each one taken from the iterable.

        A server that cannot be reached defers its readers only. Raises RateLimited where some were put back because
        their provider, or our own plan for it, asks for patience.
        """
        _Sorting(self, iter(envelopes), journal, record, stopping).drive()


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(slots=True, eq=False)
class _Way:
    """The servers of some domains, and what is to go there."""

    group: str
    hosts: tuple[str, ...]
    gauge: Gauge
    queue: deque[Envelope] = field(default_factory=deque)
    run: Run | None = None
    dead: str = ""


@dataclass(slots=True, eq=False)
class _Sorting:
    """One call of `submit`."""

    channel: Direct
    source: Iterator[Envelope]
    journal: MailJournal
    record: Callable[[Receipt], None]
    asked_to_stop: Callable[[], bool]
    floor: Floor = field(default_factory=Floor)
    ways: dict[tuple[str, ...], _Way] = field(default_factory=dict)
    waiting: list[_Way] = field(default_factory=list)
    exhausted: bool = False
    failure: Exception | None = None
    again_s: float | None = None

    def drive(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._clear)
            stack.callback(self.floor.abandon)
            while not self._ended():
                self._fill()
                self._open()
                if self.floor.runs:
                    self.floor.turn()
                for way in self.ways.values():
                    if way.run is not None and not way.run.lanes:
                        self._close(way, way.run)
        if self.failure is not None:
            raise self.failure
        if self.again_s is not None:
            raise RateLimited("some providers ask for patience", retry_after_s=self.again_s)

    def stopping(self) -> bool:
        return self.failure is not None or self.asked_to_stop()

    def settle(self, receipt: Receipt) -> None:
        self.journal.answer(receipt)
        self.record(receipt)

    def _ended(self) -> bool:
        if self.floor.runs:
            return False
        return self.stopping() or (self.exhausted and not self.waiting)

    def _fill(self) -> None:
        """Take some envelopes more and put each where it goes."""
        held = sum(len(way.queue) for way in self.ways.values())
        for _ in range(min(_AT_A_TURN, _MOST_BUFFERED - held)):
            if self.exhausted or self.stopping():
                return
            try:
                envelope = next(self.source, None)
            except Exception as error:  # raised again by drive(), after those in flight
                self.failure = error
                return
            if envelope is None:
                self.exhausted = True
            else:
                self._place(envelope)

    def _place(self, envelope: Envelope) -> None:
        found = self.channel.ways.of(envelope.recipient.rpartition("@")[2])
        if not found.hosts:
            self.settle(found.receipt(envelope.key))
            return
        way = self.ways.setdefault(found.hosts, _Way(found.group, found.hosts, self.channel.gauge(found.group)))
        way.queue.append(envelope)
        if way.dead:
            self._defer(way)
        elif self._trimmed(way) and way.run is None and way not in self.waiting:
            self.waiting.append(way)
            way.gauge.waiting += 1

    def _trimmed(self, way: _Way) -> bool:
        """Put back what the pace or the day leaves no room for; True where something is still to go."""
        pace, left = way.gauge.pace, self.channel.left.get(way.group)
        now = self.channel.clock()
        while way.queue and pace.paused_until is not None and pace.paused_until > now:
            self._put_back(way, pace.said, (pace.paused_until - now).total_seconds())
        if pace.per_minute:
            while len(way.queue) > pace.per_minute * _PATIENCE_MIN:
                self._put_back(way, pace.said, _AGAIN_S)
        if left is not None and way.queue:
            queued = sum(len(other.queue) for other in self.ways.values() if other.group == way.group)
            while way.queue and queued > left:
                self._put_back(way, "as much as a new sender may hand over today", _TOMORROW_S)
                queued -= 1
        return bool(way.queue)

    def _put_back(self, way: _Way, why: str, wait_s: float) -> None:
        self.again_s = wait_s if self.again_s is None else min(self.again_s, wait_s)
        self.settle(Receipt(way.queue.pop().key, Outcome.UNSENT, text=why, group=way.group))

    def _open(self) -> None:
        for way in tuple(self.waiting):
            busy = sum(len(run.lanes) for run in way.gauge.runs)
            if busy >= way.gauge.pace.connections:
                continue
            self.waiting.remove(way)
            way.gauge.waiting -= 1
            places = self.channel.ways.places(way.hosts, port=self.channel.port)
            if not places:
                way.dead = "its servers have no address"
                self._defer(way, enhanced="4.4.4")
                continue
            way.run = Run(
                self.channel.engine(way.group, way.hosts[0]), self.floor, way.gauge, self._pull_of(way), self.journal,
                self.record, self.stopping, more=self._more_of(way), group=way.group, ramp=_RAMP,
            )  # fmt: skip
            way.run.begin(places)

    def _pull_of(self, way: _Way) -> Callable[[], Envelope | None]:
        left, used = self.channel.left, self.channel.used

        def pull() -> Envelope | None:
            if not way.queue or not self._trimmed(way):
                return None
            if way.group in left:
                left[way.group] -= 1
                used[way.group] = used.get(way.group, 0) + 1
            return way.queue.popleft()

        return pull

    def _more_of(self, way: _Way) -> Callable[[], bool]:
        """A way with nothing to carry keeps its connection while more may come and nobody else waits for one."""
        return lambda: bool(way.queue) or (not self.exhausted and not way.gauge.waiting)

    def _close(self, way: _Way, run: Run) -> None:
        """Its last connection ended: because all went, because it must, or because nobody is there."""
        way.run = None
        if not run.done or (run.failure is not None and self.failure is None):
            way.dead = str(run.failure or run.trouble)
            if not way.gauge.pace.paused(now=self.channel.clock()):
                self._defer(way)
        if self._trimmed(way) and not way.dead:
            self.waiting.append(way)
            way.gauge.waiting += 1

    def _defer(self, way: _Way, *, enhanced: str = "4.4.1") -> None:
        while way.queue:
            key = way.queue.popleft().key
            self.settle(Receipt(key, Outcome.DEFERRED, enhanced=enhanced, text=way.dead, group=way.group))

    def _clear(self) -> None:
        """Whatever ended it: what was taken and never left is said to be so."""
        for way in self.ways.values():
            while way.queue:
                self.settle(Receipt(way.queue.popleft().key, Outcome.UNSENT, text="stopped", group=way.group))
