"""Which machines we may talk to, judged where the connection is made.

The name is resolved once, every address is judged and the connection goes to a judged address: a name that
changes its mind between check and use (DNS rebinding) gains nothing, and redirects pass through the same door.
"""

from __future__ import annotations

import math
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore

CONNECT_OR_READ_S = 10.0

Resolver = Callable[[str, int], Sequence[str]]
"""Name and port to address literals, best first; raises OSError when there are none."""


class FetchError(Exception):
    """Nothing usable came back; the message is a sentence an editor can read."""


class Refused(FetchError):
    """We will not ask: the address is private, the port is odd, a redirect leads astray."""


class TooLarge(FetchError):
    """The answer passed the caller's limit, on the wire or once inflated."""


class TooSlow(FetchError):
    """No connection or no byte within 10 s, or no end within 30 s."""


class Unreachable(FetchError):
    """No such host, no connection, or what answered does not speak HTTP."""


# Our own table, not ipaddress.is_global alone: that says True for multicast, 192.0.0.8, NAT64, 6to4 and ::/96
# on Python 3.11, and changes between versions. Source: IANA special-purpose address registries (RFC 6890).

_PRIVATE_V4 = [
    IPv4Network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a public number that is a cloud host's control endpoint from inside its machines
    )
]
_GLOBAL_V6 = IPv6Network("2000::/3")  #: all that was given out; loopback, ULA, link-local, multicast are outside
_PRIVATE_V6 = [IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20")]
_NAT64 = IPv6Network("64:ff9b::/96")  #: RFC 6052; the local-use 64:ff9b:1::/48 (RFC 8215) stays refused


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4 or NAT64 (Teredo is refused whole)."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_public(address: str) -> bool:
    """True when an address literal belongs to the public internet, seen through every tunnel we know of."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        carried = _carried(parsed)
        if carried is None:
            return parsed in _GLOBAL_V6 and not any(parsed in net for net in _PRIVATE_V6)
        parsed = carried
    return parsed.is_global and not any(parsed in net for net in _PRIVATE_V4)


def system_resolver(host: str, port: int) -> list[str]:
    """The machine's own resolver. Raises OSError (gaierror) when the name is unknown."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def place(host: str, port: int) -> str:
    """How a host and a port are written in an allow-list: "localhost:8000", "[::1]:8000"."""
    return f"[{host}]:{port}".lower() if ":" in host else f"{host}:{port}".lower()


class Deadline(threading.local):
    """When the exchange of this thread must be over (monotonic seconds)."""

    ends: float = math.inf

    def left(self, wanted: float | None) -> float:
        """The shorter of what is wanted and what is left. Raises httpcore.ReadTimeout when nothing is left."""
        left = min(CONNECT_OR_READ_S if wanted is None else wanted, self.ends - time.monotonic())
        if left <= 0:
            raise httpcore.ReadTimeout("the whole exchange took too long")
        return left


class _TimedStream(httpcore.NetworkStream):
    """A stream whose reads end at the deadline: a read timeout alone never ends a server that drips."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Guard(httpcore.SyncBackend):
    """Opens connections to public addresses on ports 80 and 443 only; places in `allow` are exempt from both."""

    def __init__(self, *, allow: frozenset[str], resolve: Resolver, deadline: Deadline) -> None:
        self._allow = frozenset(entry.lower() for entry in allow)
        self._resolve, self._deadline = resolve, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        ends = time.monotonic() + self._deadline.left(timeout)
        addresses = self.judge(host, port, wait_s=ends - time.monotonic())
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = max((ends - time.monotonic()) / left, 0.001)
            try:
                inner = super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
                continue
            return _TimedStream(inner, self._deadline)
        raise Unreachable(f"{host} has no address")

    def judge(self, host: str, port: int, *, wait_s: float = CONNECT_OR_READ_S) -> Sequence[str]:
        """The addresses we may connect to, none of them asked yet. Raises Refused, Unreachable and TooSlow."""
        allowed = place(host, port) in self._allow
        if not allowed and port not in {80, 443}:
            raise Refused(f"{place(host, port)} uses a port other than 80 and 443")
        addresses = self._looked_up(host, port, wait_s=wait_s)
        bad = [] if allowed else [one for one in addresses if not is_public(one)]
        if bad:  # one bad address among good ones is refused too: which one is used would be left to chance
            raise Refused(f"{host} leads to {bad[0]}, which is not on the public internet")
        return addresses

    def _looked_up(self, host: str, port: int, *, wait_s: float) -> Sequence[str]:
        """Resolve in a thread of its own, for getaddrinfo knows no time limit."""
        answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=look_up, daemon=True, name=f"resolve {host}").start()
        try:
            answer = answers.get(timeout=wait_s)
        except queue.Empty:
            raise TooSlow(f"looking up {host} took longer than {wait_s:.0f} s") from None
        if isinstance(answer, Exception):
            raise Unreachable(f"no address was found for {host}") from answer
        return answer
