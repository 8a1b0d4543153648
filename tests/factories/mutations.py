"""Samples as transport, plug-ins and attackers spoil them: cut, doubled, spliced, flipped, relabelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LABELS = (b"utf-8", b"utf-16", b"iso-8859-1", b"shift_jis", b"gb2312", b"utf-7", b"koi8-r", b"big5", b"cp037", b"utf-32", b"idna", b"rot13", b"zlib", b"hz", b"none")  # fmt: skip
SPLINTERS = (
    *(b"<", b">", b"&", b'"', b"'", b"\0", b"{", b"[", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"\\ud800", b"&#xd800;"),
    *(b"http://[", b"<base href='http://['>", b"9" * 400, b"\xff\xfe", b"<p ", b"</div>", b"<script>", b"&nbsp;"),
)
ENCODINGS = ("utf-16", "utf-32", "cp1252", "shift_jis", "utf-8-sig", "gb18030")

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]


def mutated(sample: bytes, rng: Random, *, others: Sequence[bytes]) -> bytes:
    """A sample after one to four accidents."""
    for _ in range(rng.randint(1, 4)):
        sample = rng.choice(MUTATIONS)(sample, rng, others)
    return sample


def _span(data: bytes, rng: Random) -> tuple[int, int]:
    start, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return start, end


def _cut(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    return data[: _span(data, rng)[0]]


def _hole(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end][:5_000] + data[end:]


def _splice(data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(piece := rng.choice(others), rng)
    at = rng.randint(0, len(data))
    return data[:at] + piece[start:end][:2_000] + data[at:]


def _flip(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    flipped = bytearray(data)
    for _ in range(rng.randint(1, 20) if flipped else 0):
        flipped[rng.randrange(len(flipped))] = rng.randrange(256)
    return bytes(flipped)


def _relabel(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    return data.replace(b"utf-8", rng.choice(LABELS)).replace(b"UTF-8", rng.choice(LABELS))


def _recode(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace")


def _pierce(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(SPLINTERS) + data[at:]


def _reorder(data: bytes, rng: Random, _others: Sequence[bytes]) -> bytes:
    tags = data.split(b"<")
    start, end = sorted((rng.randint(0, len(tags)), rng.randint(0, len(tags))))
    return b"<".join([*tags[:start], *reversed(tags[start:end]), *tags[end:]])


MUTATIONS: tuple[Mutation, ...] = (_cut, _hole, _double, _splice, _flip, _relabel, _recode, _pierce, _reorder)
