"""Pictures for the sample newsroom: geometry in a restrained palette, drawn here and encoded as PNG.

Deterministic: the same composition and seed give the same bytes. Flat colours keep each file far below 120 KB.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from random import Random

WIDTH, HEIGHT = 1200, 675
#: Sub-scanlines per row: edges are smoothed by coverage at this many heights.
FINENESS = 4

Colour = tuple[int, int, int]
Point = tuple[float, float]

#: Ground to foreground, then two accents. Each holds together in print and on a dark page.
PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((238, 226, 204), (214, 190, 158), (150, 144, 134), (84, 100, 112), (38, 54, 70), (196, 86, 58), (228, 174, 92)),
    ((222, 230, 228), (176, 200, 200), (112, 154, 160), (58, 104, 118), (24, 56, 72), (214, 120, 82), (240, 208, 150)),
    ((240, 222, 212), (222, 184, 170), (176, 128, 128), (112, 80, 98), (56, 46, 72), (202, 98, 76), (246, 200, 140)),
    ((230, 230, 214), (196, 202, 172), (140, 158, 128), (84, 112, 96), (36, 62, 60), (190, 128, 62), (232, 196, 116)),
    ((226, 226, 234), (184, 188, 208), (126, 136, 172), (74, 84, 128), (32, 38, 72), (206, 92, 88), (240, 190, 132)),
)  # fmt: skip


@lru_cache(maxsize=256)
def picture(*, kind: str, seed: str) -> bytes:
    """A PNG of WIDTH x HEIGHT. Raises KeyError for a composition that does not exist."""
    rng = Random(int.from_bytes(blake2b(f"{kind}/{seed}".encode(), digest_size=8).digest(), "big"))
    palette = rng.choice(PALETTES)
    canvas = Canvas(top=palette[0], bottom=palette[1])
    COMPOSITIONS[kind](canvas, rng, palette)
    return canvas.png()


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
    """Between two neighbouring pixel edges the coverage is constant: fill where it is whole, blend elsewhere."""
    spans = [pair for crossed in lines for pair in zip(crossed[::2], crossed[1::2], strict=False)]
    edges = sorted({cut(x) for span in spans for x in span for cut in (math.floor, math.ceil)})
    for start, end in pairwise(edges):
        covered = sum(max(0.0, min(end, right) - max(start, left)) for left, right in spans)
        share = covered / FINENESS / (end - start)
        if share > 0.999:
            row[3 * start : 3 * end] = bytes(colour) * (end - start)
        elif share > 0:
            for x in range(start, end):
                _blend(row, x, share, colour)


def _blend(row: bytearray, x: int, share: float, colour: Colour) -> None:
    at = 3 * x
    for channel in range(3):
        under = row[at + channel]
        row[at + channel] = round(under + (colour[channel] - under) * share)


def _ridge(rng: Random, *, level: float, swing: float) -> list[Point]:
    """A horizon made of three waves, closed at the bottom of the picture."""
    waves = [(rng.uniform(0.6, 1.4) * (2**n), rng.uniform(0, math.tau), swing / (1.9**n)) for n in range(3)]

    def height(x: int) -> float:
        return level + sum(depth * math.sin(x / WIDTH * math.tau * pace + phase) for pace, phase, depth in waves)

    heights = [(float(x), height(x)) for x in range(0, WIDTH + 1, 12)]
    return [(0.0, float(HEIGHT)), *heights, (float(WIDTH), float(HEIGHT))]


def _hills(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    canvas.disc(rng.uniform(250, 950), rng.uniform(170, 260), rng.uniform(62, 96), palette[6])
    for layer in range(5):
        tone = mix(palette[1], palette[4], 0.22 + 0.19 * layer)
        canvas.polygon(_ridge(rng, level=300 + 74 * layer, swing=46 - 5 * layer), tone)


def _dunes(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    canvas.disc(rng.uniform(200, 1000), 180, 80, palette[5])
    for layer, crest in enumerate(rng.sample((160, 420, 780, 1040), 4)):
        lit, shade = (
            mix(palette[6], palette[2], 0.2 * layer),
            mix(palette[2], palette[4], 0.12 + 0.22 * layer),
        )
        slope = [(x, 350 + 92 * layer - 120 * max(0.0, 1 - abs(x - crest) / 640) ** 1.5) for x in range(-20, 1221, 10)]
        canvas.polygon([(-20.0, 700.0), *slope, (1220.0, 700.0)], lit)
        fold = [(crest + 190 * t / 20 + 46 * math.sin(t / 3.2), 230 + 92 * layer + 26.0 * t) for t in range(20, -1, -1)]
        canvas.polygon([*fold, *[point for point in slope if point[0] >= crest], (1220.0, 700.0)], shade)


def _coast(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    sun = rng.uniform(300, 900)
    canvas.disc(sun, 268, 92, palette[5])
    canvas.rect(0, 300, WIDTH, HEIGHT, palette[2])
    for line in range(17):
        width = 210 - 9 * line + rng.uniform(-40, 40)
        canvas.rect(sun - width / 2 + rng.uniform(-22, 22), 312 + line * 11, width, 3.5, palette[6])
    canvas.polygon(_ridge(rng, level=516, swing=26), palette[3])
    canvas.polygon(_ridge(rng, level=590, swing=22), palette[4])


def _harbour(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    canvas.disc(rng.uniform(180, 420), 210, 74, palette[6])
    canvas.rect(0, 470, WIDTH, 205, palette[3])
    for crane in range(3):
        _crane(canvas, 470 + crane * 235 + rng.uniform(-24, 24), 470, rng.uniform(0.84, 1.1), palette)
    canvas.polygon([(70, 420), (620, 420), (580, 500), (128, 500)], palette[4])
    for stack in range(9):
        for floor in range(rng.randint(1, 3)):
            tone = rng.choice((palette[5], palette[6], palette[1], palette[2]))
            canvas.rect(130 + stack * 46, 392 - 30 * floor, 43, 27, tone)
    for line in range(12):
        canvas.rect(rng.uniform(0, 1000), 520 + line * 13, rng.uniform(60, 320), 3, mix(palette[3], palette[1], 0.4))


def _crane(canvas: Canvas, x: float, ground: float, size: float, palette: tuple[Colour, ...]) -> None:
    tone, beam = palette[4], 12 * size
    for leg in (0, 92 * size):
        canvas.rect(x + leg, ground - 250 * size, beam, 250 * size, tone)
    canvas.rect(x - 170 * size, ground - 250 * size, 330 * size, beam, tone)
    canvas.rect(x, ground - 110 * size, 104 * size, beam * 0.8, tone)
    apex = (x + 46 * size, ground - 330 * size)
    canvas.polygon([apex, (x + 52 * size, apex[1]), (x - 160 * size, ground - 246 * size), (x - 170 * size, ground - 246 * size)], tone)  # fmt: skip
    canvas.polygon([apex, (x + 52 * size, apex[1]), (x + 98 * size, ground - 246 * size), (x + 88 * size, ground - 246 * size)], tone)  # fmt: skip
    canvas.rect(x - 112 * size, ground - 240 * size, 3, 96 * size, tone)
    canvas.rect(x - 128 * size, ground - 146 * size, 34 * size, 20 * size, palette[5])


def _city(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    canvas.rect(0, 0, WIDTH, HEIGHT, palette[4])
    canvas.rect(0, 330, WIDTH, HEIGHT, mix(palette[4], palette[3], 0.5))
    canvas.disc(rng.uniform(820, 1040), 150, 62, palette[6])
    for layer in range(3):
        tone, x = mix(palette[3], palette[4], 0.15 + 0.45 * layer), -20.0
        while x < WIDTH:
            width, tall = rng.uniform(58, 128), rng.uniform(110, 330) - 44 * layer
            canvas.rect(x, HEIGHT - 60 - tall + 40 * layer, width, tall + 200, tone)
            if layer:
                _windows(canvas, rng, (x, HEIGHT - 60 - tall + 40 * layer), (width, tall), palette[6])
            x += width + rng.uniform(2, 16)


def _windows(canvas: Canvas, rng: Random, corner: Point, size: Point, colour: Colour) -> None:
    for column in range(int(size[0] // 18)):
        for row in range(int(size[1] // 26)):
            if rng.random() < 0.28:
                canvas.rect(corner[0] + 8 + 18 * column, corner[1] + 14 + 26 * row, 7, 11, colour)


def _arches(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    canvas.rect(0, 0, WIDTH, HEIGHT, palette[1])
    sun, wide = rng.randint(1, 4), 200.0
    for index in range(6):
        x = index * wide
        outline = [(x + 28, 560.0), *arc(x + 100, 280, 72, math.pi, math.tau), (x + 172, 560.0)]
        canvas.polygon([*arc(x + 100, 280, 88, math.pi, math.tau), (x + 188, 560.0), (x + 12, 560.0)], palette[0])
        canvas.polygon(outline, palette[3])
        canvas.rect(x + 28, 440, 144, 120, palette[4])
        if index == sun:
            canvas.disc(x + 100, 330, 40, palette[5])
        canvas.polygon([(x + 28, 560), (x + 172, 560), (x + 60, 675), (x - 84, 675)], palette[6])
    canvas.rect(0, 92, WIDTH, 14, palette[2])
    canvas.rect(0, 118, WIDTH, 5, palette[2])
    canvas.rect(0, 556, WIDTH, 8, palette[2])


def _hemicycle(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    canvas.rect(0, 0, WIDTH, HEIGHT, palette[4])
    canvas.polygon(arc(600, 640, 590, math.pi, math.tau), mix(palette[4], palette[3], 0.45))
    for ring in range(7):
        radius, seats = 190 + 58 * ring, 14 + 5 * ring
        for seat in range(seats):
            turn = math.pi + math.pi * (seat + 0.5) / seats
            share = seat / seats + rng.uniform(-0.05, 0.05)
            tone = (
                palette[5] if share < 0.24 else palette[6] if share < 0.5 else palette[1] if share < 0.8 else palette[2]
            )
            canvas.polygon(arc(600 + radius * math.cos(turn), 640 + radius * math.sin(turn), 16, 0, math.tau, steps=20), tone)  # fmt: skip
    canvas.rect(480, 596, 240, 44, palette[0])
    canvas.rect(520, 566, 160, 30, palette[2])


def _quilt(canvas: Canvas, rng: Random, palette: tuple[Colour, ...]) -> None:
    side = 75
    for row in range(9):
        for column in range(16):
            x, y = column * side, row * side
            ground, figure = rng.sample(palette, 2)
            canvas.rect(x, y, side, side, ground)
            _tile(canvas, rng.randrange(4), (x, y, side), figure, quarter=rng.randrange(4))


def _tile(canvas: Canvas, form: int, cell: tuple[int, int, int], colour: Colour, *, quarter: int) -> None:
    x, y, side = cell
    corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
    centre = corners[quarter]
    if form == 0:
        turn = quarter * math.pi / 2
        canvas.polygon([centre, *arc(*centre, side, turn, turn + math.pi / 2, steps=24)], colour)
    elif form == 1:
        canvas.polygon([corner for index, corner in enumerate(corners) if index != quarter], colour)
    elif form == 2:
        canvas.disc(x + side / 2, y + side / 2, side * 0.3, colour)


COMPOSITIONS: dict[str, Callable[[Canvas, Random, tuple[Colour, ...]], None]] = {
    "hills": _hills,
    "dunes": _dunes,
    "coast": _coast,
    "harbour": _harbour,
    "city": _city,
    "arches": _arches,
    "hemicycle": _hemicycle,
    "quilt": _quilt,
}
