"""The outbound client against real servers on loopback: bombs, drips, validators, TLS."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pipeline.kernel.outbound import http

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 1_000_000
Talk = Callable[[socket.socket, bytes], None]


def test_a_gzip_answer_is_inflated_and_asked_for(net: Any) -> None:
    body = b"<rss>" * 5000
    with (
        net.site(net.says("200 OK", "Content-Encoding: gzip\r\n", gzip.compress(body, mtime=0))) as there,
        net.client(there) as ours,
    ):
        assert ours.get(there.url(), limit_bytes=LIMIT).body == body
    assert b"accept-encoding: gzip\r\n" in there.heads[0]


def test_several_gzip_members_and_padding_are_one_text(net: Any) -> None:
    packed = gzip.compress(b"one ", mtime=0) + gzip.compress(b"two") + b"\0\0\0"
    with (
        net.site(net.says("200 OK", "Content-Encoding: x-gzip\r\n", packed)) as there,
        net.client(there) as ours,
    ):
        assert ours.get(there.url(), limit_bytes=LIMIT).body == b"one two"


def test_a_gzip_bomb_stops_at_the_limit_in_little_memory(net: Any) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9, mtime=0)
    with net.site(net.says("200 OK", "Content-Encoding: gzip\r\n", bomb)) as there, net.client(there) as ours:
        tracemalloc.start()
        with pytest.raises(http.TooLarge):
            ours.get(there.url(), limit_bytes=2_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(bomb) < 250_000
    assert peak < 6_000_000


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Encoding: gzip\r\n", gzip.compress(b"hello" * 1000, mtime=0)[:-12]),
        ("Content-Encoding: gzip\r\n", b"<html>not gzip"),
        ("Content-Encoding: br\r\n", b"\x0b\x02\x80hello\x03"),
    ],
)
def test_a_body_we_cannot_decode_is_unreachable(net: Any, headers: str, body: bytes) -> None:
    with (
        net.site(net.says("200 OK", headers, body)) as there,
        net.client(there) as ours,
        pytest.raises(http.Unreachable),
    ):
        ours.get(there.url(), limit_bytes=LIMIT)


def test_an_empty_body_may_call_itself_gzip(net: Any) -> None:
    with net.site(net.says("200 OK", "Content-Encoding: gzip\r\n")) as there, net.client(there) as ours:
        assert ours.get(there.url(), limit_bytes=LIMIT).body == b""


def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(net: Any) -> None:
    with net.site(net.says("200 OK", body=b"x" * 1000)) as there, net.client(there) as ours:
        assert len(ours.get(there.url(), limit_bytes=1000).body) == 1000
        with pytest.raises(http.TooLarge):
            ours.get(there.url(), limit_bytes=999)


def test_an_endless_body_without_a_length_is_too_large(net: Any) -> None:
    def endless(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x" * 65536)

    with net.site(endless) as there, net.client(there) as ours, pytest.raises(http.TooLarge):
        ours.get(there.url(), limit_bytes=300_000)


def test_an_endless_stream_of_empty_gzip_members_is_too_large(net: Any) -> None:
    def endless(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n")
        for _ in range(1000):
            connection.sendall(gzip.compress(b"", mtime=0) * 500)

    with net.site(endless) as there, net.client(there) as ours, pytest.raises(http.TooLarge):
        ours.get(there.url(), limit_bytes=100_000)


def drip(connection: socket.socket, start: bytes, drop: bytes) -> None:
    connection.sendall(start)
    for _ in range(400):
        time.sleep(0.05)
        connection.sendall(drop)


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        (b"", b"H"),
    ],
)
def test_a_server_that_drips_is_too_slow(net: Any, start: bytes, drop: bytes) -> None:
    with net.site(lambda connection, _: drip(connection, start, drop)) as there:
        started = time.monotonic()
        with net.client(there, io_s=0.5, wall_s=0.8) as ours, pytest.raises((http.TooSlow, http.Unreachable)):
            ours.get(there.url(), limit_bytes=LIMIT)
        assert time.monotonic() - started < 2.5


def test_the_wall_clock_covers_every_hop_together(net: Any) -> None:
    def slow_hop(connection: socket.socket, head: bytes) -> None:
        time.sleep(0.3)
        net.says("302 Found", "Location: /again\r\n")(connection, head)

    with net.site(slow_hop) as there:
        with net.client(there, wall_s=0.7) as ours, pytest.raises(http.TooSlow):
            ours.get(there.url(), limit_bytes=LIMIT)
        assert len(there.heads) <= 3


def test_silence_is_too_slow(net: Any) -> None:
    still = net.site(lambda *_: time.sleep(1))
    with still as there, net.client(there, io_s=0.2) as ours, pytest.raises(http.TooSlow, match="in time"):
        ours.get(there.url(), limit_bytes=LIMIT)


def test_what_does_not_speak_http_is_unreachable(net: Any) -> None:
    mail = net.site(lambda connection, _: connection.sendall(b"220 mail.example ESMTP\r\n"))
    with mail as there, net.client(there) as ours, pytest.raises(http.Unreachable):
        ours.get(there.url(), limit_bytes=LIMIT)


def test_an_answer_cut_short_is_unreachable(net: Any) -> None:
    def cut(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf")

    with net.site(cut) as there, net.client(there) as ours, pytest.raises(http.Unreachable):
        ours.get(there.url(), limit_bytes=LIMIT)


def test_an_https_address_that_never_greets_is_too_slow(net: Any) -> None:
    with (
        net.site(net.says("200 OK")) as there,
        net.client(there, io_s=0.2) as ours,
        pytest.raises(http.TooSlow),
    ):
        ours.get(f"https://{there.place}/", limit_bytes=LIMIT)


def test_validators_go_back_verbatim_and_a_304_keeps_them(net: Any) -> None:
    etag, modified = 'W/"caf\xe9-gzip"', "Mon, 23 Nov 2026 08:00:00 GMT"

    def conditional(connection: socket.socket, head: bytes) -> None:
        known = f"if-none-match: {etag}".encode("latin-1") in head and b"if-modified-since: Mon, 23" in head
        told = f"ETag: {etag}\r\nLast-Modified: {modified}\r\n"
        (net.says("304 Not Modified") if known else net.says("200 OK", told, b"feed"))(connection, head)

    with net.site(conditional) as there, net.client(there) as ours:
        first = ours.get(there.url(), limit_bytes=LIMIT)
        kept = first.validators()
        second = ours.get(there.url(), limit_bytes=LIMIT, validators=kept)
    assert kept == http.Validators(etag, modified)
    assert (second.not_modified, second.body) == (True, b"")
    assert second.validators(kept) == kept


def test_a_304_renews_what_it_names_and_a_200_forgets_the_rest() -> None:
    sent = http.Validators('"old"', "Mon, 23 Nov 2026 08:00:00 GMT")
    renewed = http.Answer(304, {"etag": '"new"'}, b"", "http://x/", None, 0.1)
    fresh = http.Answer(200, {"etag": '"new"'}, b"", "http://x/", None, 0.1)
    assert renewed.validators(sent) == http.Validators('"new"', sent.last_modified)
    assert fresh.validators(sent) == http.Validators('"new"', "")


def test_we_say_who_we_are_and_ask_without_conditions_by_default(net: Any) -> None:
    with net.site(net.says("200 OK")) as there, net.client(there) as ours:
        ours.get(there.url(), limit_bytes=LIMIT)
    head = there.heads[0].lower()
    assert b"user-agent: dateline/0.1 (+https://news.example.org/bot)\r\n" in head
    assert b"if-none-match" not in head
    assert b"cookie" not in head


def test_repeated_headers_are_joined_and_cookies_are_not_kept(net: Any) -> None:
    twice = "Link: <a>; rel=hub\r\nLink: <b>; rel=self\r\nSet-Cookie: id=1\r\n"
    with net.site(net.says("200 OK", twice)) as there, net.client(there) as ours:
        assert ours.get(there.url(), limit_bytes=LIMIT).headers["link"] == "<a>; rel=hub, <b>; rel=self"
        ours.get(there.url(), limit_bytes=LIMIT)
    assert b"cookie" not in there.heads[1].lower()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300.0),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0.0),
        ("Mon, 23 Nov 2026 09:01:00 -0000", 60.0),
        ("soon", None),
        ("-5", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str, seconds: float | None) -> None:
    assert http.retry_after_s({"retry-after": value}, now=NOW) == seconds


def test_a_post_carries_its_body_and_follows_only_redirects_that_keep_it(net: Any) -> None:
    with net.site(net.says("202 Accepted", body=b"thanks")) as hub, net.client(hub) as ours:
        answer = ours.post(
            hub.url(), content=b"hub.mode=subscribe", headers={"Content-Type": "text/plain", "X-Sig": "1"}
        )
        assert (answer.status, answer.body) == (202, b"thanks")
        assert hub.heads[0].startswith(b"POST / ")
        for status, hops in (("302 Found", 0), ("303 See Other", 0), ("307 Temporary Redirect", 1)):
            hub.heads.clear()
            with (
                net.site(net.says(status, f"Location: {hub.url('/new')}\r\n")) as old,
                net.client(old, hub) as both,
            ):
                both.post(old.url(), content=b"body", headers={"Content-Type": "text/plain", "X-Sig": "1"})
            assert len(hub.heads) == hops
    assert b"content-type: text/plain" in hub.heads[0]
    assert b"x-sig" not in hub.heads[0]


def test_threads_share_a_client_and_keep_their_own_deadlines(net: Any) -> None:
    results: list[int] = []

    def ask(ours: http.Client, url: str) -> None:
        results.append(ours.get(url, limit_bytes=LIMIT).status)

    with net.site(net.says("200 OK", body=b"x" * 1000)) as there, net.client(there) as ours:
        threads = [threading.Thread(target=ask, args=(ours, there.url())) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert results == [200] * 12


def test_tls_is_verified_and_never_given_up(net: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    serving, trusting = tls
    with (
        net.site(net.says("200 OK")) as plain,
        net.site(net.says("301 Moved", f"Location: {plain.url()}\r\n"), tls=serving) as there,
    ):
        place = f"localhost:{there.port}"
        with (
            net.client(plain, allow=frozenset({place})) as stranger,
            pytest.raises(http.Unreachable, match="certificate"),
        ):
            stranger.get(f"https://{place}/", limit_bytes=LIMIT)
        with (
            net.client(plain, allow=frozenset({place}), ssl_context=trusting) as ours,
            pytest.raises(http.Refused, match="gives up encryption"),
        ):
            ours.get(f"https://{place}/", limit_bytes=LIMIT)
        assert plain.heads == []


def test_tls_names_the_site_and_carries_a_body(net: Any, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    serving, trusting = tls
    with net.site(net.says("200 OK", body=b"sealed"), tls=serving) as there:
        place = f"localhost:{there.port}"
        with net.client(allow=frozenset({place}), ssl_context=trusting) as ours:
            assert ours.get(f"https://{place}/", limit_bytes=LIMIT).body == b"sealed"
