from __future__ import annotations

import struct
import zlib

import pytest

from pipeline.demo.world.pictures import COMPOSITIONS, HEIGHT, WIDTH, Canvas, picture
from pipeline.demo.world.stories import stories


@pytest.mark.parametrize("kind", COMPOSITIONS)
def test_each_composition_is_a_valid_png_below_120_kb(kind: str) -> None:
    png = picture(kind=kind, seed="a story")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (1200, 675)
    assert len(png) < 120_000
    length = struct.unpack(">I", png[33:37])[0]
    assert len(zlib.decompress(png[41 : 41 + length])) == HEIGHT * (1 + 3 * WIDTH)


def test_the_same_story_has_the_same_picture_and_another_has_another() -> None:
    first = picture(kind="hills", seed="one")
    picture.cache_clear()
    assert picture(kind="hills", seed="one") == first
    assert picture(kind="hills", seed="two") != first


def test_every_story_asks_for_a_composition_that_exists() -> None:
    assert {story.image.kind for story in stories() if story.image} <= set(COMPOSITIONS)


def test_a_rectangle_covers_its_pixels_and_shares_those_on_its_edge() -> None:
    canvas = Canvas(top=(0, 0, 0), bottom=(0, 0, 0))
    canvas.rect(10.5, 10, 4, 2, (200, 100, 50))
    row = canvas.rows[10]
    assert [tuple(row[3 * x : 3 * x + 3]) for x in (9, 10, 11, 14, 15)] == [
        (0, 0, 0),
        (100, 50, 25),
        (200, 100, 50),
        (100, 50, 25),
        (0, 0, 0),
    ]
    assert canvas.rows[9] == canvas.rows[12] == bytearray(3 * WIDTH)
