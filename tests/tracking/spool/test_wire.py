from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking.spool.wire import Refused, Wire, command, connect, parse


def served(answer: bytes, talk: Callable[[str], Awaitable[Any]], place: Path) -> Any:
    """Run `talk(url)` against a server that says `answer` to whatever comes first, then waits."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await reader.read()
        writer.close()

    async def both() -> Any:
        server = await asyncio.start_unix_server(one, place)
        async with server:
            return await asyncio.wait_for(talk(f"unix://{place}"), 5)

    return asyncio.run(both())


def encoded(value: Any) -> bytes:
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    return b"*%d\r\n" % len(value) + b"".join(encoded(item) for item in value)


values = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4),
)


@given(value=values, behind=st.binary(max_size=10))
def test_a_reply_is_read_to_its_end_and_no_further(value: Any, behind: bytes) -> None:
    assert parse(encoded(value) + behind, 0) == (value, len(encoded(value)))


@given(parts=st.lists(st.binary(max_size=30), min_size=1, max_size=5))
def test_a_command_is_an_array_of_its_parts(parts: list[bytes]) -> None:
    assert parse(command(*parts), 0)[0] == parts


@pytest.mark.parametrize(("raw", "text"), [(b"+OK\r\n", b"OK"), (b"*-1\r\n", None), (b"$0\r\n\r\n", b"")])
def test_short_replies_are_what_they_say(raw: bytes, text: bytes | None) -> None:
    assert parse(raw, 0) == (text, len(raw))


async def test_replies_come_back_in_the_order_of_the_commands(valkey: Any) -> None:
    wire = await connect(valkey.url)
    calls = [wire.call(b"ECHO", b"%d" % n) for n in range(1000)] + [wire.call(b"ECHO", b"x" * 500_000)]
    replies = await asyncio.gather(*calls)
    wire.close()
    assert replies == [b"%d" % n for n in range(1000)] + [b"x" * 500_000]


async def test_a_refusal_is_raised_and_the_connection_goes_on(valkey: Any) -> None:
    wire = await connect(valkey.url)
    with pytest.raises(Refused, match="unknown command"):
        await wire.call(b"NOSUCH")
    assert await wire.call(b"PING") == b"PONG"
    wire.close()


async def test_a_broken_connection_ends_what_is_under_way_and_is_told_once(valkey: Any) -> None:
    told: list[str] = []
    wire = await connect(valkey.url, lost=lambda: told.append("lost"))
    call = wire.call(b"BLPOP", b"nothing", b"0")
    valkey.kill()
    with pytest.raises(ConnectionError):
        await call
    with pytest.raises(ConnectionError):
        await wire.call(b"PING")
    assert told == ["lost"]


async def test_the_number_of_the_database_is_kept(valkey: Any) -> None:
    wire = await connect(valkey.url.replace("db=0", "db=3"))
    await wire.call(b"SET", b"here", b"1")
    wire.close()
    assert valkey.client.get("here") is None


async def test_a_password_is_given_and_a_wrong_one_refused(valkey: Any) -> None:
    valkey.client.config_set("requirepass", "o'pen sesame")
    with pytest.raises(Refused):
        await connect(valkey.url)
    with pytest.raises(Refused):
        await connect(valkey.url + "&password=wrong")
    wire = await connect(valkey.url + "&password=o%27pen%20sesame")
    assert await wire.call(b"PING") == b"PONG"
    wire.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$abc\r\n", b"\x00\x01\r\n"])
def test_a_peer_that_is_no_redis_is_hung_up_on(answer: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        served(answer, connect, tmp_path / "s")


def test_a_peer_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tracking.spool.wire.CONNECT_S", 0.1)
    with pytest.raises(TimeoutError):
        served(b"", connect, tmp_path / "s")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "amqp://127.0.0.1", ""])
async def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Redis address"):
        await connect(url)


async def test_an_unconnected_wire_fails_at_once() -> None:
    with pytest.raises(ConnectionError):
        await Wire().call(b"PING")
