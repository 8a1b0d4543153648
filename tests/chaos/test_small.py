"""A send under every fault at once, small enough for each run: nobody lost, nobody doubled, the doubtful listed."""

from __future__ import annotations

import random

import pytest

from tests.chaos import course, faults
from tests.chaos.rig import built

pytestmark = [pytest.mark.journey, pytest.mark.timeout(178)]
READERS, BATCH = 1200, 100
FAULTS = [
    *[faults.kill_child] * 4,
    faults.kill_family,
    faults.flush_broker,
    faults.restart_postgres,
    faults.stop_and_continue,
    faults.reset_sink,
]


def test_a_morning_of_faults_loses_nobody_doubles_nobody_and_lists_the_doubtful() -> None:
    dice = random.Random(20261123)
    order = dice.sample(FAULTS, len(FAULTS))
    with built(workers=2, delay_ms=30) as rig:
        rig.start()
        rig.send_off(readers=READERS, batch_size=BATCH)
        told = course.run(rig, order, dice=dice, within_s=120)
    assert told.complaints == [], told.summary
    assert told.verdict.accepted + told.verdict.in_doubt == READERS
    assert sum(told.done.values()) == len(FAULTS)
    assert told.verdict.in_doubt > 0, "the faults met messages in flight"
