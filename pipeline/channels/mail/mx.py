"""Where the readers' own servers are: MX, A and AAAA by dnspython, kept for as long as they say, within bounds."""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from socket import AF_INET, AF_INET6
from typing import Generic, TypeVar

from dns.exception import DNSException
from dns.name import LabelTooLong, NameTooLong
from dns.resolver import NXDOMAIN, Answer, Resolver

from pipeline.channels.base import Outcome, Receipt
from pipeline.channels.mail.providers import NullMX, group_of, hosts_of
from pipeline.channels.mail.wire.lane import Place

_LEAST_TTL_S, _MOST_TTL_S = 60, 3600
_MOST_KEPT = 20_000
_MOST_HOSTS = 8  #: of a domain, and addresses of a host
_ASKERS = 32


@dataclass(frozen=True, slots=True)
class Way:
    """Where a domain's mail goes; without `hosts` nowhere, for the reason given."""

    group: str = ""
    hosts: tuple[str, ...] = ()
    outcome: Outcome = Outcome.UNSENT
    enhanced: str = ""
    text: str = ""

    def receipt(self, key: int) -> Receipt:
        return Receipt(key, self.outcome, enhanced=self.enhanced, text=self.text, group=self.group)


_Kept = TypeVar("_Kept")


class _Shelf(Generic[_Kept]):
    """The latest answers, each until its time is up."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._rows: OrderedDict[str, tuple[float, _Kept]] = OrderedDict()

    def get(self, name: str, ask: Callable[[str], tuple[_Kept, float]]) -> _Kept:
        with self._lock:
            row = self._rows.get(name)
        if row is not None and row[0] > self._clock():
            return row[1]
        found, ttl = ask(name)
        with self._lock:
            self._rows[name] = (self._clock() + max(_LEAST_TTL_S, min(ttl, _MOST_TTL_S)), found)
            self._rows.move_to_end(name)
            while len(self._rows) > _MOST_KEPT:
                self._rows.popitem(last=False)
        return found


class Ways:
    """Asks DNS and remembers. `private` lets loopback and internal addresses through, for tests only."""

    def __init__(
        self,
        *,
        nameservers: Sequence[str] = (),
        dns_port: int = 53,
        lifetime_s: float = 5.0,
        private: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = Resolver(configure=not nameservers)
        if nameservers:
            self._resolver.nameservers = list(nameservers)
            self._resolver.port = dns_port
        self._lifetime_s = lifetime_s
        self._private = private
        self._domains: _Shelf[Way] = _Shelf(clock)
        self._hosts: _Shelf[tuple[tuple[int, str], ...]] = _Shelf(clock)

    def of(self, domain: str) -> Way:
        """The way to a domain."""
        return self._domains.get(domain.lower(), self._look_up)

    def prepare(self, domains: Iterable[str]) -> None:
        """Ask for many domains and their servers at once, so that nobody waits for each in turn."""
        with ThreadPoolExecutor(_ASKERS) as askers:
            list(askers.map(self._warm, set(domains)))

    def places(self, hosts: Sequence[str], *, port: int) -> list[Place]:
        """Every address of these servers in their order, IPv4 first: senders are known by it."""
        found = []
        for host in hosts:
            for family, address in self._hosts.get(host, self._addresses):
                tail = (port,) if family == AF_INET else (port, 0, 0)
                found.append(Place(host, family, (address, *tail)))
        return found

    def _warm(self, domain: str) -> None:
        self.places(self.of(domain).hosts, port=0)

    def _look_up(self, domain: str) -> tuple[Way, float]:
        try:
            answer = self._asked(domain, "MX")
            rows = [(row.preference, row.exchange.to_text()) for row in answer]
            random.shuffle(rows)  # RFC 5321 5.1: equals are tried in any order; the sort that follows is stable
            hosts = hosts_of(domain, rows)[:_MOST_HOSTS]
        except NullMX as error:
            return Way(outcome=Outcome.REFUSED, enhanced="5.1.10", text=str(error)), _MOST_TTL_S
        except (NXDOMAIN, LabelTooLong, NameTooLong):
            return Way(outcome=Outcome.REFUSED, enhanced="5.1.2", text=f"there is no domain {domain}"), _LEAST_TTL_S
        except (DNSException, UnicodeError) as error:
            said = f"DNS has no answer for {domain}: {type(error).__name__}"
            return Way(outcome=Outcome.DEFERRED, enhanced="4.4.3", text=said), _LEAST_TTL_S
        if not rows and not self._hosts.get(domain, self._addresses):
            return Way(outcome=Outcome.REFUSED, enhanced="5.1.2", text=f"{domain} has no mail server"), _LEAST_TTL_S
        return Way(group=group_of(hosts), hosts=hosts), answer.ttl if answer.rrset else _LEAST_TTL_S

    def _addresses(self, host: str) -> tuple[tuple[tuple[int, str], ...], float]:
        found: list[tuple[int, str]] = []
        ttl: float = _MOST_TTL_S
        for kind, family in (("A", AF_INET), ("AAAA", AF_INET6)):
            try:
                answer = self._asked(host, kind)
            except (DNSException, UnicodeError):
                ttl = _LEAST_TTL_S
                continue
            addresses = [row.address for row in answer]
            found += [(family, address) for address in addresses[:_MOST_HOSTS] if self._public(address)]
        return tuple(found), ttl

    def _asked(self, name: str, kind: str) -> Answer:
        return self._resolver.resolve(name, kind, lifetime=self._lifetime_s, raise_on_no_answer=False, search=False)

    def _public(self, address: str) -> bool:
        """A reader's domain may not send us to a machine of our own."""
        return self._private or ip_address(address).is_global
