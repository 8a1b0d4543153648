"""Counting under kills, for seconds; for as long as you like: `make chaos-clicks`."""

from __future__ import annotations

import pytest

from tests.chaos import clicks
from tests.chaos.counting_house import built

pytestmark = [pytest.mark.journey, pytest.mark.timeout(178)]


def test_whatever_dies_every_number_is_what_a_recount_says() -> None:
    with built() as house:
        told = clicks.run(house, seed=3, seconds=10)
    assert told.complaints == []
    assert told.checkpoints >= 2
    assert told.faults["kill_counter"] > 5
    assert told.posted > told.events > 100
