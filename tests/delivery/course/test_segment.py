"""An edition for a segment is frozen for its readers only."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pipeline.audience.models import Segment
from pipeline.delivery.models import Delivery
from tests.delivery.course.conftest import Begin
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db


def _frozen(begun: Begin, rule: dict[str, Any], **settings: Any) -> set[str]:
    for n, language in enumerate(("fr", "fr-be", "en")):
        audience.subscriber(address=f"{language}{n}@example.org", follows=audience.topic(), language=language)
    segment = Segment.objects.create(slug="chosen", name="Chosen", rule=rule, created_at=editions.NOW)
    begun(readers=0, segment_id=segment.id, **settings)
    return set(Delivery.objects.values_list("address", flat=True))


@pytest.mark.parametrize("departures", [None, {"": editions.NOW}])
def test_only_its_readers_are_frozen(begun: Begin, departures: Any) -> None:
    chosen = _frozen(begun, {"language": "fr"}, departures=departures, at_readers_clock=bool(departures))
    assert chosen == {"fr0@example.org", "fr-be1@example.org"}


def test_a_rule_that_cannot_be_read_mails_nobody_and_says_so(begun: Begin, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert _frozen(begun, {"sql": "TRUE"}) == set()
    assert "segment chosen cannot be read" in caplog.text
