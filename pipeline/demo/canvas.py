"""A raster to draw on: even-odd polygons with smoothed edges, and the PNG that comes of it."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable

WIDTH, HEIGHT = 1200, 675
#: Sub-scanlines per row: edges are smoothed by coverage at this many heights.
FINENESS = 4

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Canvas:
    """Rows of RGB, filled by even-odd polygons with smoothed edges."""

    def __init__(self, *, top: Colour, bottom: Colour) -> None:
        self.rows = [bytearray(bytes(mix(top, bottom, y / HEIGHT)) * WIDTH) for y in range(HEIGHT)]

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill the closed outline; parts outside the picture are cut off."""
        for y, lines in _crossings(list(points)).items():
            _cover(self.rows[y], lines, colour)

    def rect(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.polygon(arc(x, y, radius, 0, math.tau), colour)

    def png(self) -> bytes:
        """The picture as an 8-bit truecolour PNG (W3C PNG, section 11)."""
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        raw = b"".join(b"\0" + bytes(row) for row in self.rows)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def arc(x: float, y: float, radius: float, start: float, end: float, *, steps: int = 72) -> list[Point]:
    """Points on a circle from `start` to `end` in radians."""
    turns = (start + (end - start) * step / steps for step in range(steps + 1))
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _crossings(points: list[Point]) -> dict[int, list[list[float]]]:
    """Row to FINENESS sorted lists of x: where the outline crosses each sub-scanline."""
    found: dict[int, list[list[float]]] = {}
    for one, other in zip(points, points[1:] + points[:1], strict=True):
        (x0, y0), (x1, y1) = (one, other) if one[1] <= other[1] else (other, one)
        first = max(0, math.ceil(y0 * FINENESS - 0.5))
        last = min(HEIGHT * FINENESS, math.ceil(y1 * FINENESS - 0.5))
        slope = (x1 - x0) / (y1 - y0) if y1 > y0 else 0.0
        for line in range(first, last):
            at = x0 + ((line + 0.5) / FINENESS - y0) * slope
            lines = found.setdefault(line // FINENESS, [[] for _ in range(FINENESS)])
            lines[line % FINENESS].append(min(max(at, 0.0), float(WIDTH)))
    for lines in found.values():
        for crossed in lines:
            crossed.sort()
    return found


def _cover(row: bytearray, lines: list[list[float]], colour: Colour) -> None:
    """Fill where all sub-scanlines agree, blend where they do not."""
    steps: dict[int, int] = {}
    partial: dict[int, float] = {}
    for crossed in lines:
        for left, right in zip(crossed[::2], crossed[1::2], strict=False):
            _span(left, right, steps, partial)
    depth, before = 0, 0
    for x in sorted(steps):
        if depth and x > before:
            _paint(row, range(before, x), depth, colour, partial)
        depth, before = depth + steps[x], x
    for x, share in partial.items():
        if x < WIDTH:
            _blend(row, x, min(share / FINENESS, 1.0), colour)


def _span(left: float, right: float, steps: dict[int, int], partial: dict[int, float]) -> None:
    """Note one filled stretch: whole pixels as steps, the ragged ends as shares."""
    start, end = math.ceil(left), math.floor(right)
    if start > end:
        partial[end] = partial.get(end, 0.0) + right - left
        return
    steps[start] = steps.get(start, 0) + 1
    steps[end] = steps.get(end, 0) - 1
    if start > left:
        partial[start - 1] = partial.get(start - 1, 0.0) + start - left
    if right > end:
        partial[end] = partial.get(end, 0.0) + right - end


def _paint(row: bytearray, stretch: range, depth: int, colour: Colour, partial: dict[int, float]) -> None:
    if depth >= FINENESS:
        row[3 * stretch.start : 3 * stretch.stop] = bytes(colour) * len(stretch)
        return
    # A pixel may be whole for one sub-scanline and ragged for another: its shares add up, and it is blended once.
    for x in stretch:
        partial[x] = partial.get(x, 0.0) + depth


def _blend(row: bytearray, x: int, share: float, colour: Colour) -> None:
    at = 3 * x
    for channel in range(3):
        under = row[at + channel]
        row[at + channel] = round(under + (colour[channel] - under) * share)
