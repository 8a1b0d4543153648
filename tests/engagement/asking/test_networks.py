from __future__ import annotations

from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.engagement.asking import networks
from pipeline.engagement.asking.networks import (
    address_in,
    hosting,
    is_hosted,
    known_network,
    may_scan,
    only_scans,
    prefix,
)


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("40.93.1.2", "microsoft-eop"),
        ("40.94.0.1", ""),
        ("104.47.127.255", "microsoft-eop"),
        ("2a01:111:f403::25", "microsoft-eop"),
        ("209.222.82.9", "barracuda-egd"),
        ("8.8.8.8", ""),
        ("a keyed hash", ""),
    ],
)
def test_a_scanning_network_is_known_by_address(ip: str, name: str) -> None:
    assert known_network(ip) == name


@pytest.mark.parametrize(
    ("ip", "key"),
    [("198.51.100.77", "198.51.100.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("k7f", "k7f"), ("", "")],
)
def test_a_source_is_its_prefix(ip: str, key: str) -> None:
    assert prefix(ip) == key


@pytest.mark.parametrize(
    ("ip", "only", "may"),
    [
        ("40.107.1.1", True, False), ("18.133.136.100", True, False), ("67.231.150.4", False, True),
        ("205.139.111.9", False, True), ("68.232.130.2", False, True), ("8.8.8.8", False, False),
    ],
)  # fmt: skip
def test_a_network_only_scans_or_has_readers_as_well(ip: str, only: bool, may: bool) -> None:
    assert (only_scans(known_network(ip)), may_scan(known_network(ip))) == (only, may)


@pytest.mark.parametrize(
    ("ip", "hosted"),
    [
        ("95.216.0.0", True), ("95.217.255.255", True), ("95.218.0.0", False), ("95.215.255.255", False),
        ("3.127.0.1", True), ("45.77.1.2", True), ("2a01:4f9:2a:1::1", True), ("2a01:4fa::1", False),
        ("40.107.218.12", False), ("66.249.93.5", False), ("192.0.2.1", False), ("a keyed hash", False), ("", False),
    ],
)  # fmt: skip
def test_servers_live_in_the_blocks_of_the_list_and_not_beside_them(ip: str, hosted: bool) -> None:
    assert is_hosted(ip) is hosted


def test_the_list_of_hosting_networks_is_sound() -> None:
    """No block stands in it twice or within another, none is private or one of a scanner's or a webmail's proxy."""
    lines = Path(networks.__file__).with_name("hosting.txt").read_text(encoding="ascii").splitlines()
    nets = [ip_network(line) for line in lines if line and line[0] not in "#["]
    assert len(nets) > 200
    for version in (4, 6):
        ordered = sorted(net for net in nets if net.version == version)
        assert not [(one, two) for one, two in pairwise(ordered) if one.overlaps(two)]
    assert all(net.is_global for net in nets)
    assert {net.prefixlen for net in nets if net.version == 4} <= set(range(9, 25))
    assert not any(is_hosted(ip) for ip in ("40.92.1.1", "52.100.1.1", "67.231.150.4", "17.58.1.1", "66.102.8.1"))


def test_an_operator_adds_networks_and_takes_some_out_of_a_listed_block() -> None:
    own = "203.0.113.0/24, 2001:db8:7::/48  # our lab\n\n-95.216.7.0/24\n# a note\n198.51.100.7\n"
    known = hosting(own)
    assert (known.listed, known.added, known.taken_out, known.faults) == (hosting().listed, 3, 1, ())
    for ip in ("203.0.113.9", "2001:db8:7::1", "198.51.100.7", "95.216.8.1"):
        assert is_hosted(ip, own), ip
    for ip in ("95.216.7.1", "198.51.100.8", "2001:db8:8::1"):
        assert not is_hosted(ip, own), ip
    assert is_hosted("95.216.7.1") and not is_hosted("203.0.113.9"), "and others are not told of it"


def test_a_line_that_is_no_network_is_named_and_costs_no_other() -> None:
    own = "203.0.113.0/24\nour office, 198.51.100.0/24\n203.0.113.5/24\n-0.0.0.0/0\n-\n"
    known = hosting(own)
    assert [fault.partition(":")[0] for fault in known.faults] == ["line 2", "line 3", "line 4", "line 5"]
    assert "our office" in known.faults[0] and "host bits" in known.faults[1] and "wider than /8" in known.faults[2]
    assert (known.added, known.taken_out) == (2, 0)
    assert is_hosted("198.51.100.1", own) and is_hosted("95.216.7.1", own)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:443", "203.0.113.7"), ("[2001:db8::1]:443", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"),
        ("[::ffff:40.92.1.2]:25", "40.92.1.2"),
    ],
)  # fmt: skip
def test_an_address_is_the_same_however_it_is_written(text: str, address: str) -> None:
    assert str(address_in(text)) == address
    assert (prefix(text), known_network(text), is_hosted(text)) == (
        prefix(address),
        known_network(address),
        is_hosted(address),
    )


@pytest.mark.parametrize("text", ["", "unknown", "1.2.3", "[", "::1::", "a keyed hash"])
def test_what_is_no_address_has_none(text: str) -> None:
    assert address_in(text) is None
    assert prefix(text) == text
