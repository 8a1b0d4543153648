from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engagement.records import Flag
from pipeline.tracking.visit import (
    UNKNOWN,
    Network,
    Visitors,
    asks_for_privacy,
    is_prefetch,
    network_of,
    referrer_host,
    sender,
)

DAY = 86_400_000
NOON = 20_000 * DAY + DAY // 2


def key(visitors: Visitors, address: str, *, at_ms: int = NOON) -> bytes:
    return visitors.of((address, 443), {}, at_ms=at_ms).key


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("203.0.113.7", "203.0.113.250"),
        ("203.0.113.7", "::ffff:203.0.113.9"),
        ("203.0.113.7", "203.0.113.7:51000"),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::1"),
        ("2001:db8:1::1", "[2001:db8:1::2]:443"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
def test_neighbours_are_one_visitor(one: str, two: str, tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, hops=0)
    assert key(visitors, one) == key(visitors, two) != UNKNOWN


@pytest.mark.parametrize(("one", "two"), [("203.0.113.7", "203.0.114.7"), ("2001:db8:1::1", "2001:db8:2::1")])
def test_strangers_are_two(one: str, two: str, tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, hops=0)
    assert key(visitors, one) != key(visitors, two)


@given(text=st.text(max_size=50))
def test_what_is_no_address_is_nobody_and_never_an_error(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert len(key(Visitors(tmp_path_factory.getbasetemp(), hops=0), text)) == 16


@pytest.mark.parametrize("text", ["", "unknown", "_hidden", "1.2.3", "[", "::1::"])
def test_nonsense_is_nobody(text: str, tmp_path: Path) -> None:
    assert key(Visitors(tmp_path, hops=0), text) == UNKNOWN


def test_all_doors_of_a_machine_agree_within_a_day_and_not_beyond(tmp_path: Path) -> None:
    one, two = Visitors(tmp_path, hops=0), Visitors(tmp_path, hops=0)
    today = key(one, "203.0.113.7")
    assert key(two, "203.0.113.7") == today
    tomorrow = key(one, "203.0.113.7", at_ms=NOON + DAY)
    assert tomorrow != today
    assert key(two, "203.0.113.7", at_ms=NOON + DAY) == tomorrow


def test_salts_are_gone_after_two_days(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, hops=0)
    for day in range(4):
        key(visitors, "203.0.113.7", at_ms=NOON + day * DAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["salt-20002", "salt-20003"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_a_salt_goes_in_time_though_nobody_clicks_any_more(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, hops=0)
    key(visitors, "203.0.113.7")
    visitors.turn(at_ms=NOON + 2 * DAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["salt-20002"]


def test_an_unwritable_spool_only_makes_doors_disagree(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path / "absent", hops=0)
    assert key(visitors, "203.0.113.7") == key(visitors, "203.0.113.8") != UNKNOWN


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({b"sec-purpose": b"prefetch;prerender"}, True),
        ({b"purpose": b"Prefetch"}, True),
        ({b"x-purpose": b"preview"}, True),
        ({b"x-moz": b"prefetch"}, True),
        ({b"purpose": b"reading"}, False),
        ({b"user-agent": b"prefetch"}, False),
        ({}, False),
    ],
)
def test_a_look_ahead_is_noticed(headers: dict[bytes, bytes], ahead: bool) -> None:
    assert is_prefetch(headers) is ahead


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        (b"https://www.example.org/path?x#y", b"www.example.org"),
        (b"https://User:Secret@WWW.Example.org:8080/", b"www.example.org:8080"),
        (b"https://www.example.org?q", b"www.example.org"),
        (b"android-app://com.example.mail/", b"com.example.mail"),
        (b"about:blank", b""),
        (b"", b""),
        (b"https://" + b"a" * 5000, b"a" * 255),
    ],
)
def test_only_the_host_of_a_referrer_is_kept(referer: bytes, host: bytes) -> None:
    assert referrer_host({b"referer": referer}) == host


@pytest.mark.parametrize(
    ("said", "hops", "address"),
    [
        (b"198.51.100.1, 203.0.113.7", 0, "192.0.2.1"),
        (b"198.51.100.1, 203.0.113.7", 1, "203.0.113.7"),
        (b"198.51.100.1, 203.0.113.7", 2, "198.51.100.1"),
        (b"203.0.113.7", 3, "203.0.113.7"),
        (b"", 1, "192.0.2.1"),
    ],
)
def test_only_our_own_proxies_are_believed(said: bytes, hops: int, address: str) -> None:
    assert sender(("192.0.2.1", 5000), {b"x-forwarded-for": said}, hops=hops) == address


def test_behind_a_proxy_of_ours_the_header_tells_who_asks_and_without_one_it_does_not(tmp_path: Path) -> None:
    headers, proxy = {b"x-forwarded-for": b"40.92.1.2, 203.0.113.7"}, ("10.0.0.1", 443)
    behind, bare = Visitors(tmp_path, hops=1), Visitors(tmp_path, hops=0)
    for _ in "once", "and again, remembered":
        assert behind.of(proxy, headers, at_ms=NOON) == bare.of(("203.0.113.9", 1), {}, at_ms=NOON)
        assert bare.of(proxy, headers, at_ms=NOON).network.ours
    behind.of(proxy, {b"x-forwarded-for": b"1.2.3.4," * 50}, at_ms=NOON)
    assert len(behind._known) == 1, "what a stranger wrote at length is not kept"


def test_a_client_on_a_local_socket_has_no_address() -> None:
    assert sender(None, {}, hops=0) == ""


@pytest.mark.parametrize(
    ("address", "flags", "ours"),
    [
        ("40.94.1.2", 0, False),
        ("40.92.1.2", Flag.SCANNER, False),
        ("::ffff:40.92.1.2", Flag.SCANNER, False),
        ("67.231.144.9:443", Flag.GATEWAY, False),
        ("[2a01:111:f400::1]:443", Flag.SCANNER, False),
        ("95.216.3.4", Flag.HOSTED, False),
        ("[2a01:4f9::1]:443", Flag.HOSTED, False),
        ("18.133.136.100", Flag.SCANNER | Flag.HOSTED, False),
        ("10.1.2.3", 0, True),
        ("127.0.0.1", 0, True),
        ("", 0, True),
    ],
)
def test_a_scanners_network_is_known_by_the_address_that_is_not_kept(address: str, flags: int, ours: bool) -> None:
    assert network_of(address) == Network(int(flags), ours)


def test_an_operators_networks_are_looked_up_as_well(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path, hops=0, hosting="203.0.113.0/24\n-95.216.3.0/24")
    found = [visitors.of((ip, 443), {}, at_ms=NOON).network for ip in ("203.0.113.1", "95.216.3.4", "95.216.4.4")]
    assert found == [Network(int(Flag.HOSTED), False), Network(0, False), Network(int(Flag.HOSTED), False)]


@pytest.mark.parametrize(
    ("headers", "asked"),
    [({}, False), ({b"sec-gpc": b"1"}, True), ({b"dnt": b"1"}, True), ({b"dnt": b"0"}, False)],
)
def test_a_wish_for_privacy_is_heard(headers: dict[bytes, bytes], asked: bool) -> None:
    assert asks_for_privacy(headers) is asked
