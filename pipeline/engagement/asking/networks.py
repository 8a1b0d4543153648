"""Which networks an address belongs to: scanners', gateways', those where servers are rented out, its own /24 or /48."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

Address = IPv4Address | IPv6Address


def address_in(text: str) -> Address | None:
    """The address without port, brackets and zone; IPv4 in IPv6 clothes (::ffff:a.b.c.d, RFC 4291 2.5.5.2) is IPv4."""
    text = text.strip()
    text = text[1:].partition("]")[0] if text.startswith("[") else text
    if text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


SCANNING_NETWORKS = {
    # Exchange Online Protection and Barracuda Email Gateway Defense; nothing else sends requests from these
    "microsoft-eop": (
        *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17", "52.238.78.88/32"),
        *("2a01:111:f400::/48", "2a01:111:f403::/48"),
    ),
    "barracuda-egd": (
        *("209.222.82.0/24", "3.24.133.128/25", "15.222.16.128/25", "35.157.190.224/27", "18.185.115.192/26"),
        *("18.184.203.224/27", "13.200.136.128/25", "35.176.92.96/27", "18.133.136.128/26", "18.133.136.96/27"),
    ),
}
#: These scan as well, and readers behind their browser isolation come from them: suspicious only while a mail is new.
GATEWAY_NETWORKS = {
    "proofpoint": (
        *("67.231.144.0/20", "148.163.128.0/19", "205.220.160.0/19", "185.132.180.0/22", "185.183.28.0/22"),
    ),
    "mimecast": (
        *("207.211.30.0/23", "205.139.110.0/23", "91.220.42.0/24", "195.130.217.0/24", "146.101.78.0/24"),
        *("170.10.128.0/21", "63.128.21.0/24", "216.205.24.0/24", "185.58.84.0/22", "194.104.108.0/22"),
    ),
    "cisco-ironport": ("68.232.128.0/19", "216.71.128.0/19", "139.138.32.0/19"),
}
#: What the door says of an address where it keeps nothing else of it.
A_SCANNER, A_GATEWAY = "scanner", "gateway"
_KNOWN = [
    (ip_network(net), name)
    for networks in (SCANNING_NETWORKS, GATEWAY_NETWORKS)
    for name, nets in networks.items()
    for net in nets
]


#: Companies that rent out servers, by the numbers of their networks (asn) where somebody else looked that up.
HOSTING_ASNS = frozenset({16509, 14618, 396982, 14061, 24940, 16276, 63949, 20473, 12876})


Blocks = Mapping[int, Mapping[int, frozenset[int]]]
Net = IPv4Network | IPv6Network
#: An operator's line that takes in more of the world than this is a slip.
_WIDEST = {4: 8, 6: 16}


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where servers live: our own list and an operator's; what they took out wins. `faults` name the lines not used."""

    listed: int
    added: int
    taken_out: int
    faults: tuple[str, ...]
    blocks: Blocks
    spared: Blocks


@lru_cache(maxsize=4)
def hosting(own: str = "") -> Hosting:
    """hosting.txt and an operator's `own` networks: one a line or between commas, with - before those that are not."""
    lines = Path(__file__).with_name("hosting.txt").read_text(encoding="ascii").splitlines()
    nets = [ip_network(line) for line in lines if line and line[0] not in "#["]
    added, spared, faults = set[Net](), set[Net](), []
    for number, line in enumerate(own.splitlines(), start=1):
        for entry in filter(None, map(str.strip, line.partition("#")[0].split(","))):
            try:
                (spared if entry[0] == "-" else added).add(_wanted(entry.removeprefix("-").strip()))
            except ValueError as error:
                faults.append(f"line {number}: {error}")
    return Hosting(
        len(nets), len(added), len(spared), tuple(faults), _by_size([*nets, *added]), _by_size(spared)
    )  # fmt: skip


def _wanted(text: str) -> Net:
    """Raises ValueError in words."""
    net = ip_network(text)
    if net.prefixlen < _WIDEST[net.version]:
        raise ValueError(f"{text} is wider than /{_WIDEST[net.version]}")
    return net


def _by_size(nets: Iterable[Net]) -> Blocks:
    """By address version and length of the prefix: an address is looked up, not compared with each."""
    found: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
    for net in nets:
        first = int(net.network_address) >> net.max_prefixlen - net.prefixlen
        found[net.version].setdefault(net.prefixlen, set()).add(first)
    return {version: {size: frozenset(each) for size, each in sizes.items()} for version, sizes in found.items()}


def only_scans(network: str) -> bool:
    """Whether a network by that name never carries a person's request."""
    return network == A_SCANNER or network in SCANNING_NETWORKS


def may_scan(network: str) -> bool:
    """Whether a network by that name carries scanners and readers."""
    return network == A_GATEWAY or network in GATEWAY_NETWORKS


@lru_cache(maxsize=65536)
def known_network(ip: str) -> str:
    """The name of the scanning or gateway network an address belongs to, "" for any other and for no address."""
    address = address_in(ip)
    if address is None:
        return ""
    return next((name for net, name in _KNOWN if address in net), "")


@lru_cache(maxsize=65536)
def is_hosted(ip: str, own: str = "") -> bool:
    """Whether servers live at this address; readers come from there by way of a VPN, so it proves nothing alone."""
    address = address_in(ip)
    if address is None:
        return False
    known = hosting(own)
    return _stands_in(address, known.blocks) and not _stands_in(address, known.spared)


def _stands_in(address: Address, nets: Blocks) -> bool:
    number, bits = int(address), address.max_prefixlen
    return any(number >> bits - size in blocks for size, blocks in nets[address.version].items())


@lru_cache(maxsize=65536)
def prefix(ip: str) -> str:
    """The /24 or /48 an address is in; anything else is taken to be a prefix's key already."""
    address = address_in(ip)
    if address is None:
        return ip
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
