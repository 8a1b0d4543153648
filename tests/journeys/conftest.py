"""Fixtures of the journeys: a house, and one on a morning with everything set up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.house import House, built


@pytest.fixture
def house() -> Iterator[House]:
    with built() as made:
        yield made


@pytest.fixture
def morning(house: House) -> House:
    """A running house with a watched newsroom and an account."""
    house.open()
    return house
