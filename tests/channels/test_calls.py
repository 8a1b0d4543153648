"""One request: what is certain afterwards, and what must never be seen of it."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from pipeline.channels import calls
from pipeline.channels.base import ChannelError, Permanent, Temporary, Unknown
from pipeline.channels.calls import Caller, carries, moment, refusal


def judged(response: httpx.Response, *, writing: bool) -> ChannelError | None:
    return refusal(response, title="Harbour", said="", writing=writing)


def caller(url: str, *, timeout_s: tuple[float, float] = (1.0, 1.0)) -> Caller:
    return Caller(title="Harbour", base_url=url, judge=judged, timeout_s=timeout_s)


class Wire:
    """A socket that reads one request and writes what it is told, in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.heard = 0
        self._pieces = pieces
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with closing(connection):
                self.heard += 1
                connection.recv(65536)
                try:
                    for piece in self._pieces:
                        connection.sendall(piece)
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    opened: list[Wire] = []
    yield opened
    for wire in opened:
        wire.close()


def answering(wires: list[Wire], *pieces: bytes) -> Wire:
    wires.append(Wire(*pieces))
    return wires[-1]


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\n",),
        (b"not http at all\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
    ],
)
def test_an_answer_that_breaks_off_is_unknown_to_a_writer_and_temporary_to_a_reader(
    wires: list[Wire], pieces: tuple[bytes, ...]
) -> None:
    wire = answering(wires, *pieces)
    with pytest.raises(Unknown):
        caller(wire.url).write("POST", "/x", json={})
    with pytest.raises(Temporary):
        caller(wire.url).ask("GET", "/x")
    assert wire.heard == 2


def test_an_answer_without_end_is_cut(wires: list[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LARGEST_ANSWER", 1000)
    wire = answering(wires, b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 600] * 3)
    with pytest.raises(Unknown):
        caller(wire.url).write("POST", "/x", json={})


def test_an_answer_that_cannot_be_unpacked_is_one_without_sense(wires: list[Wire]) -> None:
    wire = answering(wires, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n{}{}")
    assert calls.body_of(caller(wire.url).ask("GET", "/x")) == {}


def test_a_refused_connection_left_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with pytest.raises(Temporary):
        caller(f"http://127.0.0.1:{port}").write("POST", "/x", json={})


def test_a_redirect_is_not_followed(wires: list[Wire]) -> None:
    wire = answering(wires, b"HTTP/1.1 307 Away\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(Permanent):
        caller(wire.url).write("POST", "/x", json={})
    assert wire.heard == 1


def test_an_address_with_a_secret_is_neither_logged_nor_told(
    wires: list[Wire], caplog: pytest.LogCaptureFixture
) -> None:
    """httpx's own client logs every address at INFO."""
    wire = answering(wires, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with caplog.at_level(logging.DEBUG):
        caller(f"{wire.url}/bot1:s3cret").write("POST", "/x", json={})
        with pytest.raises(Permanent) as refused:
            caller("http://a.example:port/bot1:s3cret").write("POST", "/x")
    assert "s3cret" not in caplog.text + str(refused.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/s/ab", True),
        ("see https://a.example/s/ab.", True),
        ("https://a.example/s/ab?utm=x", True),
        ("see https://a.example/s/abc", False),
        ("see https://a.example/s/ab-c", False),
        ("see https://a.example/s/ab_", False),
        ("", False),
    ],
)
def test_a_marker_is_found_whole(text: str, found: bool) -> None:
    assert carries(text, "https://a.example/s/ab") is found


def test_no_marker_is_nowhere() -> None:
    assert not carries("anything", "")


@pytest.mark.parametrize("date", ["", "nonsense", "Mon, 99 Nov 2026"])
def test_a_server_without_a_clock_has_ours(date: str) -> None:
    assert moment(httpx.Response(200, headers={"Date": date})).tzinfo
