"""Recorded bytes, in every way people record them."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.rehearsal import wire

BODY = b"<rss version='2.0'><channel><title>G</title></channel></rss>"
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"


def recorded(text: str, body: bytes = BODY) -> wire.Answer:
    return wire.answer(text.encode() + body)


@pytest.mark.parametrize(
    "head",
    [
        f"{HEAD}\r\n",
        f"{HEAD}\r\n".replace("\r\n", "\n"),
        "HTTP/2 200 \r\ncontent-type: application/rss+xml\r\n\r\n",
        "\r\nHTTP/1.0 200 Fine\ncontent-TYPE: application/rss+xml\n\n",
        f"HTTP/1.1 301 Moved\r\nLocation: /b/\r\n\r\nHTTP/2 302\r\nLocation: /c/\r\n\r\n{HEAD}\r\n",
        f"HTTP/1.1 200 Connection established\r\n\r\n{HEAD}\r\n",
        f"HTTP/1.1 100 Continue\r\n\r\n{HEAD}\r\n",
        f"GET /feed/ HTTP/1.1\r\nHost: a.example\r\n\r\n{HEAD}\r\n",
    ],
)
def test_the_last_answer_of_a_recording_is_read(head: str) -> None:
    found = recorded(head)
    assert (found.status, found.headers["content-type"], found.body) == (200, "application/rss+xml", BODY)
    assert found.warnings == ()


def test_redirects_are_followed_from_what_was_asked() -> None:
    said = "X-Dateline-Url: https://a.example/one/\r\n"
    found = recorded(
        f"HTTP/1.1 301 Moved\r\n{said}Location: /two/\r\n\r\nHTTP/2 302\r\nLocation: three/\r\n\r\n{HEAD}\r\n"
    )
    assert (found.url, found.final_url) == ("https://a.example/one/", "https://a.example/two/three/")


def test_a_request_says_what_was_asked() -> None:
    found = recorded(f"GET /feed/?paged=2 HTTP/1.1\r\nHost: a.example\r\n\r\n{HEAD}\r\n")
    assert found.url == found.final_url == "https://a.example/feed/?paged=2"


@pytest.mark.parametrize(
    ("head", "warning"),
    [("", "taken as the body of a 200"), ("Date: Mon, 23 Nov 2026 09:00:00 GMT\n\n", "taken as a 200")],
)
def test_what_has_no_status_line_is_a_good_answer_with_a_warning(head: str, warning: str) -> None:
    found = recorded(head)
    assert (found.status, found.body) == (200, BODY)
    assert warning in found.warnings[0]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Content-Encoding: gzip", gzip.compress(BODY, mtime=0)),
        ("Content-Encoding: gzip", BODY),  # `curl --compressed` has inflated it
        ("Content-Encoding: deflate", zlib.compress(BODY)),
        ("Transfer-Encoding: chunked", b"3c\r\n" + BODY + b"\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"a;x=1\r\n" + BODY[:10] + b"\r\n32\r\n" + BODY[10:] + b"\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", BODY),
        ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip", f"{len(gzip.compress(BODY, mtime=0)):x}\r\n".encode() + gzip.compress(BODY, mtime=0) + b"\r\n0\r\n\r\n"),
    ],
)  # fmt: skip
def test_a_body_is_decoded_unless_it_was_already(name: str, body: bytes) -> None:
    found = recorded(f"{HEAD}{name}\r\n\r\n", body)
    assert found.body == BODY
    assert found.warnings == ()


def test_a_bomb_stops_at_the_limit() -> None:
    found = recorded(f"{HEAD}Content-Encoding: gzip\r\n\r\n", gzip.compress(bytes(60_000_000)))
    assert len(found.body) == wire.MAX_BYTES + 1
    assert "longer than any answer" in found.warnings[0]


def test_a_gzip_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    found = recorded(f"{HEAD}\r\n", gzip.compress(BODY * 50)[:-12])
    assert found.body.startswith(b"<rss")
    assert "cut off" in found.warnings[0]


def test_a_header_said_twice_keeps_both_values_and_one_folded_is_one() -> None:
    found = recorded("HTTP/1.1 200 OK\r\nLink: <a>\r\nlink: <b>\r\nX: one\r\n  two\r\nnonsense\r\n\r\n")
    assert found.headers == {"link": "<a>, <b>", "x": "one two"}


@given(st.binary(max_size=300) | st.text(alphabet="HTTP/1. 20\r\n:aGE<", max_size=200).map(str.encode))
def test_no_bytes_are_an_error(data: bytes) -> None:
    assert isinstance(wire.answer(data).body, bytes)
