"""The packed event: what the click door writes to the stream and its journal, and the drain reads.

A *frame* holds events in the order in which one door process saw them:

    magic "DLR1"(4) | boot(6) | first counter(6) | count(2) | body bytes(4) | CRC-32(4) | body

and the body is, for each event,

    at(8, ms since 1970) | kind(1) | flags(1) | origin(4) | ordinal(4) | link(2) | method(1) | visitor(16)
    | length of user agent(1) | length of referrer host(1) | user agent | referrer host | seconds(2, where timed)

all big-endian. The highest bit of the flags byte says that seconds follow, and the flags byte was full then: the flags
from HOSTED on are the upper half of the method byte, where 15 is OTHER as 255 is without them. Frames written before
there were any are read as ever. A reader older than these sets such a frame aside, so the drain is replaced before the
door. A payload is one frame or several in a row, so a journal file is a payload too.

An event's id is its door's boot (6 random bytes, one per process start: a repeat among 10,000 boots has a
chance of 2 in 10 million) and a counter (6 bytes) that starts at 1 and has no gaps. It is made once, before
the first attempt to hand the event over, so every repeat of it is recognised.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from enum import IntFlag
from itertools import pairwise
from typing import Any, NamedTuple

from pipeline.engagement.tokens import Kind

MAGIC = b"DLR1"
BOOT_BYTES = 6
ID_BYTES = 12
VISITOR_BYTES = 16
TEXT_BYTES = 255
MOST_EVENTS = 0xFFFF

_FRAME = struct.Struct(">4s6s6sHII")
_EVENT = struct.Struct(">QBBIIHB16sBB")
_SECONDS = struct.Struct(">H")
#: In the flags byte of the packed event only, never in `Record.flags`.
_TIMED = 0x80
MOST_SECONDS = 0xFFFF
_KIND_CODES: dict[str, int] = {Kind.CLICK: 1, Kind.OPEN: 2, Kind.VIEW: 3, Kind.LEAVE: 4}
_KINDS = {code: Kind(kind) for kind, code in _KIND_CODES.items()}
_METHOD_CODES = {"GET": 0, "HEAD": 1, "OPTIONS": 2, "POST": 3}
_OTHER_METHOD = 255
_OTHER_WITH_FLAGS = 15


class Poisoned(ValueError):
    """These bytes are not a payload: cut, altered, or of another version."""


class Flag(IntFlag):
    """What the door saw at the request; the verdicts weigh it later."""

    MANGLED = 1
    MAC_OK = 2
    HEAD = 4
    PREFETCH = 8
    HONEYPOT = 16
    SCANNER = 32  #: from a network that only scans mail (networks.only_scans)
    GATEWAY = 64  #: from one that scans and isolates readers (networks.may_scan)
    HOSTED = 256  #: from where servers live (networks.is_hosted)
    PRIVATE = 512  #: its reader asks not to be measured (GPC, DNT): an act counts, and is nobody's in particular


#: Every value there is, because looking one up costs a tenth of making one.
_FLAGS = tuple(Flag(value) for value in range(1024))
_EXTRA = range(4)  #: the two flags above the byte
#: The method byte: which method, and the flags above the other byte.
_METHODS: dict[int, tuple[str, int]] = {
    **{code | extra << 4: (method, extra << 8) for method, code in _METHOD_CODES.items() for extra in _EXTRA},
    **{_OTHER_WITH_FLAGS | extra << 4: ("OTHER", extra << 8) for extra in _EXTRA},
    _OTHER_METHOD: ("OTHER", 0),
}


class Record(NamedTuple):
    """One event.

    `at_ms`: milliseconds since 1970 UTC. `visitor`: 16 bytes, a keyed hash of the /24 or /48 under a daily
    salt, or zeros. `method`: GET, HEAD, OPTIONS, POST or OTHER. `user_agent` and `referrer` (a host) are at
    most 255 bytes of UTF-8 and hold no NUL. `seconds`: of a view the site's beacon told of, how long the page was
    visible since the last report; such a view has origin 0, the article's id for `ordinal`, and `link` 0 for the
    first report of one page view, 1 for those after it, which add seconds and no view. A NamedTuple: the drain makes tens of thousands a second, and
    a frozen dataclass of as many fields costs three times as much.
    """

    event_id: bytes
    at_ms: int
    kind: Kind
    origin: int
    ordinal: int
    link: int
    flags: Flag
    method: str
    visitor: bytes
    user_agent: str
    referrer: str
    seconds: int | None = None

    @property
    def boot(self) -> bytes:
        """Which start of which door process saw it."""
        return self.event_id[:BOOT_BYTES]

    @property
    def counter(self) -> int:
        """Its place in that boot, from 1."""
        return int.from_bytes(self.event_id[BOOT_BYTES:], "big")


class Frame(NamedTuple):
    """A frame as found: its bytes are good to hand on without a look inside."""

    boot: bytes
    first: int
    events: int
    payload: bytes

    @property
    def last(self) -> int:
        """The counter of its last event."""
        return self.first + self.events - 1


def event_id(boot: bytes, counter: int) -> bytes:
    """The 12-byte id of an event."""
    return boot + counter.to_bytes(ID_BYTES - BOOT_BYTES, "big")


def encode(
    *,
    at_ms: int,
    kind: str,
    flags: int,
    origin: int,
    ordinal: int,
    link: int,
    method: str = "GET",
    visitor: bytes = bytes(VISITOR_BYTES),
    user_agent: bytes = b"",
    referrer: bytes = b"",
    seconds: int | None = None,
) -> bytes:
    """One event without its id, which is given when its frame is closed. Over-long texts and times are cut."""
    agent, host = user_agent[:TEXT_BYTES], referrer[:TEXT_BYTES]
    code = _METHOD_CODES.get(method, _OTHER_METHOD)
    lengths = (len(agent), len(host))
    timed = b""
    if seconds is not None:
        flags, timed = flags | _TIMED, _SECONDS.pack(min(max(seconds, 0), MOST_SECONDS))
    if flags > 0xFF:
        code = code & _OTHER_WITH_FLAGS | flags >> 8 << 4
        flags &= 0xFF
    packed = _EVENT.pack(at_ms, _KIND_CODES[kind], flags, origin, ordinal, link, code, visitor, *lengths)
    return packed + agent + host + timed


def frame(encoded: list[bytes], *, boot: bytes, first: int) -> bytes:
    """Close a frame over up to 65,535 encoded events, numbered from `first`."""
    body = b"".join(encoded)
    counter = first.to_bytes(ID_BYTES - BOOT_BYTES, "big")
    head = _FRAME.pack(MAGIC, boot, counter, len(encoded), len(body), 0)
    return _FRAME.pack(MAGIC, boot, counter, len(encoded), len(body), zlib.crc32(body, zlib.crc32(head))) + body


def pack(events: Iterable[Record]) -> bytes:
    """Records with their ids as a payload: one frame for each run of one boot with counters in sequence."""
    return b"".join(
        frame([_encoded(record) for record in run], boot=run[0].boot, first=run[0].counter)
        for run in _runs(list(events))
    )


def unpack(payload: bytes) -> list[Record]:
    """All records of a payload, in order. Raises Poisoned on any damage, and then gives none of them."""
    found, rest = split(payload)
    if rest != len(payload):
        raise Poisoned(f"no whole frame at byte {rest} of {len(payload)}")
    return [record for one in found for record in _records(one)]


def split(payload: bytes) -> tuple[list[Frame], int]:
    """The whole frames from the start of a payload, and where the first byte after them is.

    A journal's last frame may be torn by a power cut; what stands before it is good.
    """
    found: list[Frame] = []
    at = 0
    while one := _frame_at(payload, at):
        found.append(one)
        at += len(one.payload)
    return found, at


def _frame_at(payload: bytes, at: int) -> Frame | None:
    if len(payload) - at < _FRAME.size:
        return None
    magic, boot, first, count, size, crc = _FRAME.unpack_from(payload, at)
    whole = payload[at : at + _FRAME.size + size]
    if magic != MAGIC or not count or len(whole) != _FRAME.size + size:
        return None
    blank = _FRAME.pack(magic, boot, first, count, size, 0)
    if zlib.crc32(whole[_FRAME.size :], zlib.crc32(blank)) != crc:
        return None
    return Frame(boot, int.from_bytes(first, "big"), count, whole)


def _records(one: Frame) -> Iterator[Record]:
    body, at = one.payload, _FRAME.size
    try:
        for counter in range(one.first, one.last + 1):
            *fields, agent, host = _EVENT.unpack_from(body, at)
            middle = at + _EVENT.size + agent
            texts = (body[at + _EVENT.size : middle], body[middle : middle + host])
            at, seconds = middle + host, None
            if fields[2] & _TIMED:
                (seconds,) = _SECONDS.unpack_from(body, at)
                at += _SECONDS.size
            yield _record(event_id(one.boot, counter), fields, texts, seconds)
    except (struct.error, KeyError, OverflowError) as error:
        raise Poisoned(f"a frame of {one.events} events does not hold them: {error}") from error
    if at != len(body):
        raise Poisoned(f"a frame of {one.events} events has {len(body) - at} bytes to spare")


def _record(identity: bytes, fields: list[Any], texts: tuple[bytes, bytes], seconds: int | None) -> Record:
    at_ms, kind, flags, origin, ordinal, link, code, visitor = fields
    method, extra = _METHODS[code]
    return Record(
        identity,
        at_ms,
        _KINDS[kind],
        origin,
        ordinal,
        link,
        _FLAGS[flags & ~_TIMED | extra],
        method,
        visitor,
        _text(texts[0]),
        _text(texts[1]),
        seconds,
    )


def _text(raw: bytes) -> str:
    """Header bytes as text a database takes: PostgreSQL refuses NUL and half a character."""
    return raw.decode("utf-8", "replace").replace("\0", "")


def _encoded(record: Record) -> bytes:
    return encode(
        at_ms=record.at_ms,
        kind=record.kind,
        flags=record.flags,
        origin=record.origin,
        ordinal=record.ordinal,
        link=record.link,
        method=record.method,
        visitor=record.visitor,
        user_agent=_fitted(record.user_agent),
        referrer=_fitted(record.referrer),
        seconds=record.seconds,
    )


def _fitted(text: str) -> bytes:
    """At most 255 bytes, and no half character at the end."""
    raw = text.encode("utf-8", "replace")
    return raw if len(raw) <= TEXT_BYTES else raw[:TEXT_BYTES].decode("utf-8", "ignore").encode()


def _runs(events: list[Record]) -> Iterator[list[Record]]:
    cuts = [place for place, (one, two) in enumerate(pairwise(events), 1) if not _follows(one, two)]
    for start, end in pairwise([0, *cuts, len(events)]):
        for part in range(start, end, MOST_EVENTS):
            yield events[part : min(part + MOST_EVENTS, end)]


def _follows(one: Record, two: Record) -> bool:
    return two.boot == one.boot and two.counter == one.counter + 1
