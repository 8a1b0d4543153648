from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engagement.records import Flag, Poisoned, Record, encode, event_id, frame, pack, split, unpack
from pipeline.engagement.tokens import Kind

BOOT = b"\x01\x02\x03\x04\x05\x06"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
rows = st.builds(
    Record,
    event_id=st.builds(event_id, st.sampled_from([BOOT, b"other!"]), st.integers(1, 2**48 - 1)),
    at_ms=st.integers(0, 2**63),
    kind=st.sampled_from(list(Kind)),
    origin=st.integers(0, 2**32 - 1),
    ordinal=st.integers(0, 2**32 - 1),
    link=st.integers(0, 2**16 - 1),
    flags=st.builds(lambda low, high: Flag(low | high << 8), st.integers(0, 127), st.integers(0, 3)),
    method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "OTHER"]),
    visitor=st.binary(min_size=16, max_size=16),
    user_agent=texts,
    referrer=texts,
    seconds=st.none() | st.integers(0, 0xFFFF),
)


def a_record(counter: int, **changes: object) -> Record:
    plain = Record(
        event_id(BOOT, counter),
        1_700_000_000_000,
        Kind.CLICK,
        9,
        counter % 1000,
        1,
        Flag.MAC_OK,
        "GET",
        bytes(16),
        "UA",
        "",
    )
    return plain._replace(**changes)


@given(events=st.lists(rows, max_size=20))
def test_what_is_packed_comes_out_as_it_was(events: list[Record]) -> None:
    assert unpack(pack(events)) == events


def test_a_frame_from_before_there_were_seconds_is_read_as_ever() -> None:
    body = bytes.fromhex("0000018bcfe56800 01 02 00000009 00000007 0001 00") + bytes(16) + b"\x02\x00UA"
    assert frame([body], boot=BOOT, first=7) == pack([a_record(7)])
    assert unpack(frame([body], boot=BOOT, first=7)) == [a_record(7)]


def test_a_frame_from_before_there_were_more_flags_than_a_byte_is_read_as_ever() -> None:
    """Byte for byte what the door wrote then: its method byte is 0 to 3, or 255."""
    for method, code in (("GET", 0), ("HEAD", 1), ("OPTIONS", 2), ("POST", 3), ("OTHER", 255)):
        encoded = encode(at_ms=1, kind="click", flags=127, origin=2, ordinal=3, link=4, method=method)
        assert encoded[20] == code
        assert unpack(frame([encoded], boot=BOOT, first=1))[0].method == method


@pytest.mark.parametrize("code", [4, 14, 64, 128, 254])
def test_a_method_byte_that_nobody_wrote_is_poison(code: int) -> None:
    encoded = bytearray(encode(at_ms=1, kind="click", flags=127, origin=2, ordinal=3, link=4))
    encoded[20] = code
    with pytest.raises(Poisoned):
        unpack(frame([bytes(encoded)], boot=BOOT, first=1))


def test_a_time_too_long_for_two_bytes_is_cut() -> None:
    known: dict[str, Any] = {"at_ms": 0, "kind": "view", "flags": 2, "origin": 0, "ordinal": 5, "link": 0}
    told = [encode(**known, seconds=seconds) for seconds in (90_000, -1, 12)]
    assert [one.seconds for one in unpack(frame(told, boot=BOOT, first=1))] == [65_535, 0, 12]
    assert {one.flags for one in unpack(frame(told, boot=BOOT, first=1))} == {Flag.MAC_OK}


@given(start=st.integers(1, 2**40), size=st.integers(1, 50))
def test_events_in_sequence_share_one_frame(start: int, size: int) -> None:
    payload = pack([a_record(counter) for counter in range(start, start + size)])
    frames, rest = split(payload)
    assert [(one.boot, one.first, one.last) for one in frames] == [(BOOT, start, start + size - 1)]
    assert rest == len(payload)


def test_a_gap_or_another_boot_begins_another_frame() -> None:
    events = [a_record(1), a_record(2), a_record(4), a_record(5, event_id=event_id(b"other!", 5))]
    frames, _ = split(pack(events))
    assert [(one.boot, one.first, one.events) for one in frames] == [
        (BOOT, 1, 2),
        (BOOT, 4, 1),
        (b"other!", 5, 1),
    ]


def test_more_events_than_a_frame_can_count_are_divided() -> None:
    events = [a_record(counter) for counter in range(1, 70_001)]
    payload = pack(events)
    assert [one.events for one in split(payload)[0]] == [65_535, 4_465]
    assert unpack(payload) == events


@settings(max_examples=300)
@given(events=st.lists(rows, min_size=1, max_size=6), data=st.data())
def test_any_one_changed_byte_poisons_the_payload(events: list[Record], data: st.DataObject) -> None:
    payload = bytearray(pack(events))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Poisoned):
        unpack(bytes(payload))


@given(events=st.lists(rows, min_size=1, max_size=6), data=st.data())
def test_a_cut_payload_keeps_its_whole_frames_and_is_refused_as_a_whole(
    events: list[Record], data: st.DataObject
) -> None:
    payload = pack(events)
    cut = payload[: data.draw(st.integers(1, len(payload) - 1))]
    frames, rest = split(cut)
    whole = [record for one in frames for record in unpack(one.payload)]
    assert whole == events[: len(whole)]
    if rest != len(cut):
        with pytest.raises(Poisoned):
            unpack(cut)


@given(noise=st.binary(max_size=300))
def test_noise_is_poison(noise: bytes) -> None:
    assert split(noise) == ([], 0)
    if noise:
        with pytest.raises(Poisoned):
            unpack(noise)


def test_nothing_is_no_events() -> None:
    assert unpack(b"") == [] == unpack(pack([]))


@pytest.mark.parametrize(
    "encoded",
    [
        encode(at_ms=1, kind="click", flags=0, origin=1, ordinal=1, link=1)[:-1],
        encode(at_ms=1, kind="click", flags=0, origin=1, ordinal=1, link=1) + b"x",
        b"",
        bytes(8) + b"\xff" + bytes(30),
        bytes(8) + b"\x01" + bytes(11) + b"\x09" + bytes(18),
    ],
    ids=["short", "long", "empty", "unknown kind", "unknown method"],
)
def test_a_frame_that_does_not_hold_its_events_is_poison(encoded: bytes) -> None:
    with pytest.raises(Poisoned):
        unpack(frame([encoded], boot=BOOT, first=1))


def test_long_and_broken_header_bytes_become_text_a_database_takes() -> None:
    raw = "é".encode() * 200
    encoded = encode(at_ms=1, kind="open", flags=2, origin=1, ordinal=1, link=0, user_agent=raw, referrer=b"a\0b\xff")
    (record,) = unpack(frame([encoded], boot=BOOT, first=7))
    assert record.user_agent == "é" * 127 + "\ufffd"
    assert record.referrer == "ab\ufffd"
    assert (record.event_id, record.counter, record.boot) == (event_id(BOOT, 7), 7, BOOT)


def test_a_long_text_is_cut_between_characters_when_packed() -> None:
    (record,) = unpack(pack([a_record(1, user_agent="é" * 200)]))
    assert record.user_agent == "é" * 127


def test_a_method_of_no_interest_is_kept_as_other() -> None:
    encoded = encode(at_ms=1, kind="click", flags=4, origin=1, ordinal=1, link=0, method="PROPFIND")
    assert unpack(frame([encoded], boot=BOOT, first=1))[0].method == "OTHER"
