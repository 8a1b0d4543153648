"""What is past its time goes in portions, and what was counted of it stands."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.engagement import tally
from pipeline.engagement.keeping import expire as expiring
from pipeline.engagement.keeping import reports
from pipeline.engagement.keeping.expire import expire, keep_terms
from pipeline.engagement.keeping.forget import forget
from pipeline.engagement.models import Event, Horizon, Origin, Poison, Reading, Report, Tally
from pipeline.engagement.tally import Vote, settle_votes
from tests.factories import articles
from tests.factories.engagement import event

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 4, 19, tzinfo=UTC)
DUE = DAY + timedelta(days=31)  #: when the first day is past its thirty
STORY_DAYS = 3


@pytest.fixture
def origin() -> Origin:
    """Three days with two readers each who click one story, counted and reported."""
    made = Origin.objects.create(id=7, kind=Origin.Kind.EDITION, started_at=DAY)
    story = articles.article()
    for day in range(STORY_DAYS):
        for ordinal in (1, 2, 2):
            event(origin=made, ordinal=ordinal, at=DAY + timedelta(days=day, hours=ordinal), article=story)
    tally.rebuild()
    reports.mark([made.id], now=DAY)
    return made


def counted() -> int:
    return sum(n for n in Tally.objects.values_list("n", flat=True))


def test_a_day_goes_after_thirty_and_its_counts_stand(origin: Origin) -> None:
    assert expire(now=DUE - timedelta(minutes=1)) == 0
    assert expire(now=DUE) == 3
    assert Event.objects.count() == 6
    assert Horizon.objects.get().minute == int((DAY + timedelta(days=1)).timestamp()) // 60
    assert counted() == 6
    assert tally.kept() == tally.recount() != []
    tally.rebuild()
    assert counted() == 6
    assert tally.kept() == tally.recount()


@pytest.mark.parametrize("portions", range(1, 9))
def test_wherever_it_stops_counts_and_recount_are_equal_and_the_next_goes_on(origin: Origin, portions: int) -> None:
    expire(now=DUE + timedelta(days=5), portion=2, portions=portions)
    assert tally.kept() == tally.recount()
    tally.rebuild()
    assert counted() == 6
    expire(now=DUE + timedelta(days=5), portion=2)
    assert not Event.objects.exists()
    assert counted() == 6


def test_a_process_that_was_slow_never_moves_the_horizon_back(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = expiring._advance

    def slow(day: int, *, now: datetime) -> None:
        monkeypatch.setattr(expiring, "_advance", advance)
        expire(now=now)  # another process, all of it, between this one's choice of a day and its lock
        advance(day, now=now)

    monkeypatch.setattr(expiring, "_advance", slow)
    expire(now=DUE + timedelta(days=5))
    assert not Event.objects.exists()
    assert Horizon.objects.get().minute == int((DAY + timedelta(days=STORY_DAYS)).timestamp()) // 60
    assert (counted(), tally.kept(), tally.recount()) == (6, [], [])


def test_a_report_that_is_computed_while_its_days_go_keeps_them(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.refresh(now=DAY + timedelta(days=4))
    whole, days_of = reports.told(origin.id), reports.days_of

    def slow(*args: Any, **kwargs: Any) -> dict[str, dict[str, dict[str, int]]]:
        monkeypatch.setattr(reports, "days_of", days_of)
        expire(now=DUE)  # another process, all of it, between this one's look at the horizon and its adding up
        return days_of(*args, **kwargs)

    monkeypatch.setattr(reports, "days_of", slow)
    reports.compute(Report.objects.get().id, now=DUE)
    assert Event.objects.count() == 6
    assert replace(reports.told(origin.id), computed_at=None) == replace(whole, computed_at=None)


def test_a_report_keeps_what_its_events_added_up_to(origin: Origin) -> None:
    expire(now=DUE)
    assert reports.told(origin.id).people == {"click": 6}, "it was stale, and was computed before they went"
    expire(now=DUE + timedelta(days=5))
    reports.mark([origin.id], now=DUE)
    reports.refresh(now=DUE + timedelta(days=6))
    told = reports.told(origin.id)
    assert (told.people, told.links, sum(n for _, n in told.curve)) == ({"click": 6}, {0: 6}, 9)


def test_an_origin_never_reported_is_reported_before_its_events_go(origin: Origin) -> None:
    Report.objects.all().delete()
    expire(now=DUE + timedelta(days=5))
    assert reports.told(origin.id).people == {"click": 6}


def test_a_verdict_on_what_is_behind_the_horizon_moves_nothing(origin: Origin) -> None:
    expire(now=DUE, portion=1, portions=2)
    row = Event.objects.order_by("at").first()
    assert row is not None
    assert row.article_id is not None
    Event.objects.filter(id=row.id).update(verdict="scanner")
    settle_votes([Vote(row.article_id, bytes(row.person), int(row.at.timestamp()) // 86_400)])
    assert counted() == 6
    assert tally.kept() == tally.recount()


def test_counts_and_readings_go_after_twenty_five_months(origin: Origin) -> None:
    story = articles.article()
    first = int(DAY.timestamp()) // 86_400
    for day in (first, first + 30):
        Tally.objects.create(article=story, minute=day * 1440, channel="site", n=1)
        Reading.objects.create(article=story, day=day, views=1, seconds=9)
    expire(now=DAY + timedelta(days=762))
    assert list(Tally.objects.filter(article=story).values_list("minute", flat=True)) == [(first + 30) * 1440]
    assert list(Reading.objects.values_list("day", flat=True)) == [first + 30]


def test_days_are_found_by_the_index_over_time_which_forgets_what_was_removed(origin: Origin) -> None:
    """A small table is read whole, or through any index; with those gone the plan says what a large one would do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; DROP INDEX event_message, event_pending, event_vote")
        with CaptureQueriesContext(connection) as asked:
            expire(now=DUE)
            forget(now=DAY + timedelta(days=2))
        searches = [
            one["sql"] for one in asked
            if re.match(r"(SELECT MIN|DELETE|UPDATE)[^;]*dateline_event", one["sql"], re.DOTALL)
        ]  # fmt: skip
        assert len(searches) >= 4
        for search in searches:
            cursor.execute(f"EXPLAIN {search}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "event_at" in plan, plan
        cursor.execute("SELECT count(*) FROM dateline_event WHERE at < %s", [DAY + timedelta(days=1)])
        assert cursor.fetchone() == (0,)


def test_what_could_not_be_read_keeps_its_bytes_two_days_and_its_fault_thirty() -> None:
    for entry, age in (("1-0", 1), ("2-0", 3), ("3-0", 31)):
        Poison.objects.create(entry=entry, at=DUE - timedelta(days=age), body=b"whose it was", error="torn")
    keep_terms(now=DUE)
    kept = {row.entry: (bytes(row.body), row.error) for row in Poison.objects.all()}
    assert kept == {"1-0": (b"whose it was", "torn"), "2-0": (b"", "torn")}
