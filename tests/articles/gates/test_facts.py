"""What the gates know: how many stories an hour are usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.articles.gates.facts import usual_per_hour
from pipeline.articles.models import Article
from pipeline.sources.models import Source
from tests.factories import articles, sources

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.django_db


def usual(source: Source, *, now: datetime = NOW) -> int:
    return usual_per_hour(Source.objects.values("id", "baseline_at", "usual_per_hour").get(id=source.id), now=now)


@pytest.mark.parametrize(("count", "every", "mean"), [(100, HOUR / 8, 8), (10, 5 * HOUR, 1), (200, HOUR / 400, 10)])
def test_in_its_first_week_a_source_is_judged_by_what_was_there(count: int, every: timedelta, mean: int) -> None:
    source = sources.source(now=NOW, baseline_at=NOW - HOUR)
    for number in range(1, count + 1):
        articles.article(source=source, state=Article.State.BASELINE, now=NOW, published_at=NOW - HOUR - number * every)
    assert usual(source) == mean


def test_the_first_week_does_not_lower_what_was_set() -> None:
    assert usual(sources.source(now=NOW, baseline_at=NOW - HOUR, usual_per_hour=3600)) == 3600


def test_later_it_is_the_99th_percentile_and_one_import_released_by_hand_does_not_count() -> None:
    source = sources.source(now=NOW, baseline_at=NOW - 40 * DAY, usual_per_hour=99)
    for day in range(1, 28):
        for minute in range(4):
            at = NOW - day * DAY + timedelta(minutes=minute)
            articles.article(source=source, now=NOW, eligible_at=at)
    for _ in range(60):
        articles.article(source=source, now=NOW, eligible_at=NOW - 5 * DAY - 7 * HOUR, code="released")
    assert usual(source) == 4
