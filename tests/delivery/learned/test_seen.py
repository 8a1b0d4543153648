"""A reader is seen by a click of a person who agreed to it, and by nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.audience.models import Subscriber
from pipeline.delivery.learned import seen
from pipeline.delivery.models import Send
from tests.delivery.learned.test_interests import click, sent
from tests.factories.engagement import NOW

pytestmark = pytest.mark.django_db
__all__ = ["sent"]


def last() -> list[object]:
    return list(Subscriber.objects.order_by("id").values_list("last_human_at", flat=True))


def test_the_latest_click_is_when_they_were_seen(sent: Send) -> None:
    click(sent)
    latest = click(sent, at=NOW + timedelta(days=1), link=1)
    assert [seen.learn(now=NOW + timedelta(days=2)) for _ in range(2)] == [1, 0]
    assert last() == [latest.at, None]


def test_it_never_goes_back(sent: Send) -> None:
    later = NOW + timedelta(days=3)
    Subscriber.objects.update(last_human_at=later)
    click(sent)
    assert (seen.learn(now=later), last()) == (0, [later, later])


@pytest.mark.parametrize(
    "act", [{"mode": "aggregate"}, {"place": 1}, {"verdict": "scanner"}, {"kind": "open"}],
    ids=["only counted", "a reader who did not consent", "a machine", "an open"],
)  # fmt: skip
def test_nothing_else_shows_anybody(sent: Send, act: dict[str, object]) -> None:
    click(sent, **act)
    assert (seen.learn(now=NOW), last()) == (0, [None, None])
