"""What a request tells about its sender, reduced to what may be kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import NamedTuple

from pipeline.engagement.asking import networks
from pipeline.engagement.records import TEXT_BYTES, VISITOR_BYTES, Flag

#: Headers with which browsers and mail clients announce a look ahead (the engagement reference, rule R2).
_AHEAD = frozenset((b"sec-purpose", b"purpose", b"x-purpose", b"x-moz"))
#: Those, and the two in which a browser asks not to be measured: most requests have none of them.
_TELLING = _AHEAD | {b"sec-gpc", b"dnt"}
_AHEAD_WORDS = (b"prefetch", b"prerender", b"preview")
_SALT_DAYS = 2
#: Addresses, or lists of them, kept in memory with what they stand for; longer ones are worked out each time.
_MOST_KNOWN, _LONGEST_KNOWN = 50_000, 100
_HEAD, _PREFETCH, _PRIVATE = int(Flag.HEAD), int(Flag.PREFETCH), int(Flag.PRIVATE)
UNKNOWN = bytes(VISITOR_BYTES)
#: Machines of our own: a proxy in front that nobody told us of (DATELINE_TRUSTED_HOPS) carries all readers there are.
_OURS = tuple(
    map(
        ip_network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")
    )
)


class Network(NamedTuple):
    """What an address says without being kept: bits of records.Flag, and whether it is of a machine of our own."""

    flags: int
    ours: bool


class Visitor(NamedTuple):
    """Who asks. `key`: 16 bytes that stand for a /24 or /48 for a day or two, zeros for what is no address."""

    key: bytes
    network: Network


def manner(method: str, headers: Mapping[bytes, bytes]) -> int:
    """How it was asked, as bits of records.Flag in an int: making the enum member would cost more than the rest."""
    flags = 0 if method == "GET" else _HEAD
    if _TELLING.isdisjoint(headers):
        return flags
    return flags | (_PREFETCH if is_prefetch(headers) else 0) | (_PRIVATE if asks_for_privacy(headers) else 0)


def is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client says that nobody asked for this yet."""
    if _AHEAD.isdisjoint(headers):
        return False
    said = b" ".join(headers.get(name, b"") for name in _AHEAD).lower()
    return any(word in said for word in _AHEAD_WORDS)


def asks_for_privacy(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the browser says that its reader does not want to be measured: GPC or Do Not Track."""
    return headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1"


def referrer_host(headers: Mapping[bytes, bytes]) -> bytes:
    """The host a click came from, without its path: at most 255 bytes, empty where there is none."""
    found = headers.get(b"referer")
    return host_of(found) if found else b""


def host_of(address: bytes) -> bytes:
    """The host and port of an address, at most 255 bytes; empty for what is none, as the origin "null"."""
    rest = address[:1024].partition(b"://")[2]
    for end in (b"/", b"?", b"#"):
        rest = rest.partition(end)[0]
    return rest.rpartition(b"@")[2].lower()[:TEXT_BYTES]


def network_of(address: str, *, hosting: str = "") -> Network:
    """What is known of the network of an address as `sender` gives it; `hosting` as `networks.hosting` takes it."""
    found = networks.address_in(address)
    if found is None:
        return Network(0, True)
    name = networks.known_network(str(found))
    flags = Flag.SCANNER if networks.only_scans(name) else Flag.GATEWAY if networks.may_scan(name) else 0
    hosted = Flag.HOSTED if networks.is_hosted(str(found), hosting) else 0
    return Network(int(flags | hosted), any(found in net for net in _OURS))


def sender(client: tuple[str, int] | None, headers: Mapping[bytes, bytes], *, hops: int) -> str:
    """The sender's address as text, possibly with a port.

    `hops` is how many proxies of ours are in front: the last of them wrote the last entry of
    X-Forwarded-For, and whatever stands before our own entries is hearsay.
    """
    if hops and (said := headers.get(b"x-forwarded-for")):
        entries = said.rsplit(b",", hops)
        return entries[max(len(entries) - hops, 0)].decode("latin-1").strip()
    return client[0] if client else ""


class Visitors:
    """Addresses to 16-byte hashes of their /24 or /48, under a salt that lives for two days.

    The salt is a random file shared by the doors of one machine. It is deleted, so that after two days
    nobody, we included, can try addresses against stored hashes.
    """

    def __init__(self, directory: Path, *, hops: int, hosting: str = "") -> None:
        """`hops`: proxies of ours in front, see `sender`. `hosting`: an operator's networks, see `network_of`."""
        self._directory, self._hops, self._hosting = directory, hops, hosting
        self._day = -1
        self._known: dict[str | bytes, Visitor] = {}
        self._keyed = hashlib.blake2b()

    def of(self, client: tuple[str, int] | None, headers: Mapping[bytes, bytes], *, at_ms: int) -> Visitor:
        """Who asks. `at_ms` is in milliseconds since 1970 UTC.

        Known by the header as it came: taking it apart for each click would be a thirtieth of the door's work.
        """
        day = at_ms // 86_400_000
        if day != self._day:
            self._turn_to(day)
        told = (headers.get(b"x-forwarded-for") if self._hops else None) or (client[0] if client else "")
        return self._known.get(told) or self._met(told, sender(client, headers, hops=self._hops))

    def turn(self, *, at_ms: int) -> None:
        """Take the day's salt where that was not done; those past their time go, also where nobody clicks any more."""
        if (day := at_ms // 86_400_000) != self._day:
            self._turn_to(day)

    def _met(self, told: str | bytes, address: str) -> Visitor:
        found = Visitor(self._hash(address), network_of(address, hosting=self._hosting))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        if len(told) <= _LONGEST_KNOWN:
            self._known[told] = found
        return found

    def _hash(self, address: str) -> bytes:
        network = _network(address)
        if network is None:
            return UNKNOWN
        keyed = self._keyed.copy()
        keyed.update(network)
        return keyed.digest()

    def _turn_to(self, day: int) -> None:
        self._day = day
        self._known.clear()
        salt = _shared_salt(self._directory, day)
        self._keyed = hashlib.blake2b(key=salt, person=b"dl-visitor", digest_size=VISITOR_BYTES)


def _network(address: str) -> bytes | None:
    """The bytes of the /24 or /48."""
    found = networks.address_in(address)
    if found is None:
        return None
    return found.packed[:6] if isinstance(found, IPv6Address) else found.packed[:3]


def _shared_salt(directory: Path, day: int) -> bytes:
    """The day's salt, made by whichever door is first; one of our own where the disk does not play along."""
    ours = os.urandom(32)
    path, beside = directory / f"salt-{day}", directory / f"salt-{day}.{os.getpid()}"
    with contextlib.suppress(OSError):
        beside.touch(mode=0o600)
        beside.write_bytes(ours)
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
        beside.unlink()
        for old in directory.glob("salt-*"):
            if int(old.name[5:].partition(".")[0]) <= day - _SALT_DAYS:
                old.unlink()
        return path.read_bytes()
    return ours
