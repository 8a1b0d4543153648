"""The door as readers meet it: granian in a process of its own, over HTTP, with Redis and the door killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.engagement.tokens import minter

HOME = "https://www.example.org"


def raw(port: int, request: bytes) -> bytes:
    """Bytes as they come, for requests no client would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(request)
        pieces = iter(lambda: line.recv(65536), b"")
        return b"".join(pieces)


class Reader(threading.Thread):
    """Clicks through a list of paths on one connection, and keeps each answer."""

    def __init__(self, port: int, paths: list[str]) -> None:
        super().__init__()
        self._port, self._paths = port, paths
        self.answers: list[tuple[int, str | None]] = []
        self.slowest = 0.0

    def run(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        for path in self._paths:
            began = time.monotonic()
            line.request("GET", path, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/145.0"})
            answer = line.getresponse()
            answer.read()
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answers.append((answer.status, answer.getheader("location")))
        line.close()


def paths(keyring: Any, ordinals: range) -> list[str]:
    made = minter(keyring, kind="click", origin=7)
    return [f"/c/{made(ordinal, ordinal % 10)}" for ordinal in ordinals]


def expected(ordinals: range) -> list[tuple[int, str]]:
    return [(302, f"https://www.example.org/story/{ordinal % 10}") for ordinal in ordinals]


def once(valkey: Any) -> list[int]:
    """The ordinals in Redis with each event counted once."""
    return sorted(record.ordinal for record in {record.event_id: record for record in valkey.events()}.values())


@pytest.mark.journey
def test_every_click_is_redirected_and_counted_once_while_redis_dies_and_returns(
    served: Any, valkey: Any, keyring: Any, until: Callable[..., None]
) -> None:
    shares = [range(start, start + 400) for start in range(1, 3201, 400)]
    readers = [Reader(served.port, paths(keyring, share)) for share in shares]
    for reader in readers:
        reader.start()
    for _ in range(4):
        time.sleep(0.15)
        valkey.kill()
        time.sleep(0.1)
        valkey.start()
    for reader in readers:
        reader.join()
    for reader, share in zip(readers, shares, strict=True):
        assert reader.answers == expected(share)
    until(lambda: once(valkey) == list(range(1, 3201)))
    assert max(reader.slowest for reader in readers) < 2.0


@pytest.mark.journey
def test_a_door_killed_while_redis_is_away_loses_no_answered_click(
    served: Any, valkey: Any, keyring: Any, until: Callable[..., None]
) -> None:
    valkey.kill()
    reader = Reader(served.port, paths(keyring, range(1, 301)))
    reader.start()
    reader.join()
    served.stop(signal.SIGKILL)
    valkey.start()
    served.start()
    until(lambda: once(valkey) == list(range(1, 301)))
    assert reader.answers == expected(range(1, 301))


@pytest.mark.journey
def test_a_door_asked_to_stop_hands_over_and_leaves_no_process(
    served: Any, valkey: Any, keyring: Any, until: Callable[..., None]
) -> None:
    reader = Reader(served.port, paths(keyring, range(1, 51)))
    reader.start()
    reader.join()
    served.stop()
    assert once(valkey) == list(range(1, 51))
    valkey.drain()
    served.start()
    until(lambda: not list((served.home / "spool").glob("*.log")))


@pytest.mark.journey
@pytest.mark.parametrize(
    "request_line",
    [
        b"GET //evil.example.net/c/x HTTP/1.1",
        b"GET /c//evil.example.net HTTP/1.1",
        b"GET /c/%0d%0aLocation:%20https://evil.example.net HTTP/1.1",
        b"GET /c/%2f%2fevil.example.net HTTP/1.1",
        b"GET /c/\xff\xfe HTTP/1.1",
        b"GET /c/%ff%fe%00 HTTP/1.1",
        b"GET http://evil.example.net/c/x HTTP/1.1",
        b"GET /c/..%2f..%2fevil.example.net HTTP/1.1",
        b"GET /c/?next=https://evil.example.net HTTP/1.1",
    ],
)
def test_no_bytes_on_the_wire_lead_elsewhere(served: Any, request_line: bytes) -> None:
    answer = raw(served.port, request_line + b"\r\nHost: evil.example.net\r\nConnection: close\r\n\r\n")
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.split(b" ")[1] in (b"302", b"400", b"404")
    places = [line for line in head.split(b"\r\n") if line.startswith(b"location:")]
    assert places in ([], [b"location: " + HOME.encode()])


@pytest.mark.journey
def test_large_headers_and_bodies_are_no_trouble(served: Any, valkey: Any, keyring: Any) -> None:
    """The door answers without waiting for a body (RFC 9112, 9.6), so the rest of it may find a closed connection."""
    (path,) = paths(keyring, range(5, 6))
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)) as line:
        with suppress(BrokenPipeError):
            headers = {"User-Agent": "A" * 60_000, "Cookie": "c" * 60_000}
            line.request("POST", path, body=b"x" * 64_000, headers=headers)
        answer = line.getresponse()
        assert (answer.status, answer.getheader("location")) == (302, f"{HOME}/story/5")
    (record,) = valkey.events()
    assert (record.user_agent, record.method) == ("A" * 255, "POST")


@pytest.mark.journey
def test_a_head_of_the_pixel_has_its_length_and_no_body(served: Any) -> None:
    answer = raw(served.port, b"HEAD /o/x.gif HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: 43" in head.lower()
    assert body == b""


def policies(pid: int) -> dict[str, int]:
    """The scheduling policy of each thread of a process's youngest child, by the thread's name; "" is its first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if not children:
        return {}
    found = {}
    for task in Path(f"/proc/{children[-1]}/task").iterdir():
        name = "" if task.name == children[-1] else (task / "comm").read_text().strip()
        found[name] = os.sched_getscheduler(int(task.name))
    return found


@pytest.mark.journey
@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="needs Linux")
def test_the_thread_of_the_event_loop_gives_way_and_the_one_that_reads_does_not(
    served: Any, until: Callable[..., None]
) -> None:
    until(lambda: policies(served.process.pid).get("") == os.SCHED_BATCH)
    assert policies(served.process.pid)["tokio-rt-worker"] == os.SCHED_OTHER


@pytest.mark.journey
def test_health_is_served(served: Any) -> None:
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    line.request("GET", "/healthz")
    assert json.loads(line.getresponse().read()) == {
        "redis": True,
        "journal_lag": 0,
        "destinations": 10,
        "lists": 0,
        "dropped": {},
    }
    line.close()
