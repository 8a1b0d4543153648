"""What our pages sign cannot be made up, moved or kept for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.audience.joining import seals
from tests.audience.joining.conftest import NOW


def test_a_seal_tells_how_long_ago_a_form_was_shown() -> None:
    seal = seals.shown(now=NOW)
    assert seals.age(seal, now=NOW + timedelta(seconds=9)) == timedelta(seconds=9)
    assert seals.age(seal, now=NOW + timedelta(hours=25)) is None


def test_a_door_leads_to_its_reader_and_is_no_seal() -> None:
    door = seals.reader_door(77)
    assert seals.reader_of(door) == 77
    assert seals.age(door, now=NOW) is None
    assert seals.reader_of(seals.shown(now=NOW)) is None


@pytest.mark.parametrize("place", [0, 5, 10, 23])
def test_a_changed_character_opens_nothing(place: int) -> None:
    door = seals.reader_door(77)
    other = "A" if door[place] != "A" else "B"
    assert seals.reader_of(door[:place] + other + door[place + 1 :]) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 24, "A" * 24, "=" * 24])
def test_what_we_did_not_sign_opens_nothing(token: str) -> None:
    assert seals.reader_of(token) is None
