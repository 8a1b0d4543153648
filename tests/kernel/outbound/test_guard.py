"""Which machines may be asked: address tables, names that lie, redirects that lead astray."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.kernel.outbound import guard, http

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 1_000_000
Talk = Callable[[socket.socket, bytes], None]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("100.64.0.1", "100.100.100.200", "169.254.169.254", "168.63.129.16", "192.0.0.8", "192.0.0.170"),
        *("192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "192.88.99.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0"),
        *("fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1", "100::1", "2001:db8::1", "3fff::1"),
        *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::808:808", "5f00::1"),
        *("2002:7f00:1::", "2002:0a00:0001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1"),
        *("4000::1", "not an address", ""),
    ],
)
def test_an_address_off_the_public_internet_is_not_public(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1"),
        *("2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
    ],
)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert guard.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://localhost/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0/"),
        *("http://[::1]/", "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest/meta-data/"),
        *("http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "https://10.0.0.1/", "http://224.0.0.1/"),
        *("http://192.0.2.1:8080/", "http://192.0.2.1:22/", "file:///etc/passwd", "ftp://192.0.2.1/"),
        *("gopher://127.0.0.1/", "http:///feed", "feed", "", "http://[::1", "http://user:pass@192.0.2.1/"),
    ],
)
def test_an_address_we_must_not_ask_is_refused(net: Any, url: str) -> None:
    with net.client() as ours, pytest.raises(http.Refused):
        ours.get(url, limit_bytes=LIMIT)


def test_one_bad_address_among_good_ones_is_refused(net: Any) -> None:
    with (
        net.client(resolve=lambda *_: ["93.184.216.34", "10.0.0.7"]) as ours,
        pytest.raises(http.Refused, match=r"news\.example leads to 10\.0\.0\.7"),
    ):
        ours.get("http://news.example/feed", limit_bytes=LIMIT)


def test_a_name_that_changes_its_mind_is_asked_for_once_per_connection(net: Any) -> None:
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["93.184.216.34"]

    with net.client(resolve=rebinding) as ours, pytest.raises(http.Refused, match=r"127\.0\.0\.1"):
        ours.get("http://rebind.example/", limit_bytes=LIMIT)
    assert asked == ["rebind.example"]


def test_the_connection_goes_to_the_judged_address_and_the_host_stays_the_name(net: Any) -> None:
    with net.site(net.says("200 OK", body=b"hello")) as there:
        place = f"news.example:{there.port}"
        with net.client(allow=frozenset({place}), resolve=lambda *_: ["127.0.0.1"]) as ours:
            answer = ours.get(f"http://{place}/feed?a=b", limit_bytes=LIMIT)
    assert answer.body == b"hello"
    assert there.heads[0].startswith(b"GET /feed?a=b HTTP/1.1\r\n")
    assert f"host: {place}".encode() in there.heads[0].lower()


def test_the_allow_list_names_a_port_and_nothing_beside_it(net: Any) -> None:
    with net.site(net.says("200 OK")) as one, net.site(net.says("200 OK")) as other, net.client(one) as ours:
        assert ours.get(one.url(), limit_bytes=LIMIT).status == 200
        with pytest.raises(http.Refused, match="port other than"):
            ours.get(other.url(), limit_bytes=LIMIT)
        with pytest.raises(http.Refused):
            ours.get(f"http://localhost:{one.port}/", limit_bytes=LIMIT)
    assert other.heads == []


def test_a_dead_first_address_is_followed_by_the_next(net: Any) -> None:
    with net.site(net.says("200 OK", body=b"second")) as there:
        place = f"two.example:{there.port}"
        with net.client(allow=frozenset({place}), resolve=lambda *_: ["127.0.0.9", "127.0.0.1"]) as ours:
            assert ours.get(f"http://{place}/", limit_bytes=LIMIT).body == b"second"


def test_ipv6_is_spoken_with_brackets(net: Any) -> None:
    with net.site(net.says("200 OK", body=b"six"), socket.AF_INET6) as there:
        with net.client(allow=frozenset({f"[::1]:{there.port}"})) as ours:
            assert ours.get(f"http://[::1]:{there.port}/", limit_bytes=LIMIT).body == b"six"
        assert f"host: [::1]:{there.port}".encode() in there.heads[0].lower()


def test_an_unknown_name_is_unreachable(net: Any) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with net.client(resolve=unknown) as ours, pytest.raises(http.Unreachable, match=r"gone\.example"):
        ours.get("http://gone.example/", limit_bytes=LIMIT)


def test_a_name_without_addresses_is_unreachable(net: Any) -> None:
    with net.client(resolve=lambda *_: []) as ours, pytest.raises(http.Unreachable, match="no address"):
        ours.get("http://empty.example/", limit_bytes=LIMIT)


def test_a_resolver_that_hangs_is_too_slow(net: Any) -> None:
    release = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        release.wait(20)
        return []

    started = time.monotonic()
    with net.client(resolve=hanging, io_s=0.3) as ours, pytest.raises(http.TooSlow, match="looking up"):
        ours.get("http://slow.example/", limit_bytes=LIMIT)
    release.set()
    assert time.monotonic() - started < 3


def test_nobody_listening_is_unreachable(net: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with net.client(allow=frozenset({f"127.0.0.1:{port}"})) as ours, pytest.raises(http.Unreachable):
        ours.get(f"http://127.0.0.1:{port}/", limit_bytes=LIMIT)


def test_proxies_in_the_environment_are_ignored(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        net.site(net.says("200 OK", body=b"proxied")) as proxy,
        net.site(net.says("200 OK", body=b"direct")) as there,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        with net.client(there) as ours:
            assert ours.get(there.url(), limit_bytes=LIMIT).body == b"direct"
    assert proxy.heads == []


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:9/admin", "http://169.254.169.254/", "//10.0.0.1/", "http://a:x/"]
)
def test_a_redirect_to_a_private_place_is_refused(net: Any, location: str) -> None:
    away = net.says("302 Found", f"Location: {location}\r\n")
    with net.site(away) as there, net.client(there) as ours, pytest.raises(http.Refused):
        ours.get(there.url(), limit_bytes=LIMIT)


def test_five_redirects_are_followed_and_a_sixth_is_refused(net: Any) -> None:
    def count_down(connection: socket.socket, head: bytes) -> None:
        left = int(head.split()[1].lstrip(b"/"))
        net.says("302 Found", f"Location: /{left - 1}\r\n")(connection, head) if left else net.says("200 OK")(
            connection, head
        )

    with net.site(count_down) as there, net.client(there) as ours:
        assert ours.get(there.url("/5"), limit_bytes=LIMIT).final_url == there.url("/0")
        with pytest.raises(http.Refused, match="more than 5"):
            ours.get(there.url("/6"), limit_bytes=LIMIT)


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [
        (("301", "308"), "/2"),
        (("301", "302"), "/1"),
        (("302", "301"), None),
        (("307", "303"), None),
    ],
)
def test_only_an_unbroken_run_of_permanent_redirects_is_remembered(
    net: Any, statuses: tuple[str, ...], permanent: str | None
) -> None:
    def hop(connection: socket.socket, head: bytes) -> None:
        step = int(head.split()[1].lstrip(b"/"))
        talk = net.says(f"{statuses[step]} Moved", f"Location: /{step + 1}\r\n") if step < 2 else net.says("200 OK")
        talk(connection, head)

    with net.site(hop) as there, net.client(there) as ours:
        answer = ours.get(there.url("/0"), limit_bytes=LIMIT)
        assert answer.permanent_redirect_to == (there.url(permanent) if permanent else None)


def test_credentials_stay_with_the_origin_they_were_given_for(net: Any) -> None:
    with net.site(net.says("200 OK")) as stranger:
        away = net.says("302 Found", f"Location: {stranger.url('/x')}\r\n")
        with net.site(away) as there, net.client(there, stranger) as ours:
            ours.get(there.url(), limit_bytes=LIMIT, headers={"Authorization": "Basic c2VjcmV0"})
        assert b"authorization: Basic c2VjcmV0" in there.heads[0]
        assert b"authorization" not in stranger.heads[0].lower()


def test_a_redirect_without_a_location_is_an_answer(net: Any) -> None:
    with net.site(net.says("301 Moved")) as there, net.client(there) as ours:
        assert ours.get(there.url(), limit_bytes=LIMIT).status == 301


def test_a_redirect_body_is_never_read(net: Any) -> None:
    def huge(connection: socket.socket, head: bytes) -> None:
        if b"GET /end" in head:
            return net.says("200 OK", body=b"end")(connection, head)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 1000)
        return None

    with net.site(huge) as there, net.client(there) as ours:
        assert ours.get(there.url(), limit_bytes=10).body == b"end"
