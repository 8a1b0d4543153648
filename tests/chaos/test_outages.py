"""PostgreSQL and Redis stopped under readers' clicks, for seconds; for a minute: `python -m tests.chaos.outages`."""

from __future__ import annotations

import pytest

from tests.chaos import outages
from tests.chaos.rig import built

pytestmark = [pytest.mark.journey, pytest.mark.timeout(178)]


def test_clicks_during_both_outages_lead_on_and_are_counted_once() -> None:
    with built(workers=1, delay_ms=1) as rig:
        outages.ready(rig)
        told = outages.run(rig, seconds=3, within_s=90)
    assert told.complaints == []
    assert told.clicks > 200
