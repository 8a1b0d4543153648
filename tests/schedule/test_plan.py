"""A row for every slot: ahead of it, and afterwards for those an outage swallowed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule import calendar
from pipeline.schedule import plan as planning
from pipeline.schedule.plan import AHEAD, MOST_AHEAD, MOST_MISSED, plan
from tests.factories import editions, staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
DAILY = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}
HOURLY = {"kind": "interval", "zone": "UTC", "every_s": 3600}
SLOT = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)


def planned(cadence: dict[str, Any], *, created_at: datetime = NOW, **fields: Any) -> Newsletter:
    newsletter = editions.newsletter(cadence=cadence, blocks=(), **fields)
    Newsletter.objects.filter(id=newsletter.id).update(created_at=created_at)
    return newsletter


def rows(newsletter: Newsletter | None = None) -> list[tuple[datetime, str, str]]:
    known = Edition.objects.filter(newsletter=newsletter) if newsletter else Edition.objects.all()
    return list(known.order_by("slot_at").values_list("slot_at", "state", "code"))


def test_tomorrows_editions_are_there_today() -> None:
    planned(DAILY)
    assert plan(now=NOW) == 2
    assert rows() == [(SLOT, "planned", ""), (SLOT + timedelta(days=1), "planned", "")]
    assert plan(now=NOW) == 0
    assert plan(now=NOW + timedelta(days=1)) == 1


def test_the_slot_keeps_the_newsrooms_clock_when_its_zone_changes_the_hour() -> None:
    planned(
        {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}, created_at=datetime(2026, 10, 23, tzinfo=UTC)
    )
    for day in range(23, 27):
        plan(now=datetime(2026, 10, day, 12, tzinfo=UTC))
    assert [at.strftime("%d %H:%M") for at, *_ in rows()] == [
        "23 04:30",
        "24 04:30",
        "25 05:30",
        "26 05:30",
        "27 05:30",
    ]


def test_what_an_outage_swallowed_gets_its_rows_afterwards() -> None:
    planned(DAILY)
    plan(now=NOW)
    plan(now=NOW + timedelta(days=9))
    assert [at for at, *_ in rows()] == [SLOT + timedelta(days=n) for n in range(11)]


def test_a_day_off_is_a_row_with_its_reason() -> None:
    planned({**DAILY, "skip": {"2026-04-20": "Easter Monday, late"}})
    plan(now=NOW)
    skipped = Edition.objects.get(state="skipped")
    assert (skipped.slot_at, skipped.code, skipped.params) == (
        SLOT + timedelta(days=1),
        "holiday",
        {"why": "Easter Monday, late"},
    )
    assert skipped.ended_at == skipped.slot_at
    assert plan(now=NOW) == 0


def test_a_day_off_ahead_does_not_hide_what_is_missed_before_it() -> None:
    """Rows are made three slots ahead; had tomorrow's day off been among them, tonight's outage would leave no trace."""
    newsletter = planned({**HOURLY, "skip": {"2026-04-20": "a day off"}})
    plan(now=NOW)
    plan(now=NOW + timedelta(hours=30))
    at = [slot for slot, *_ in rows(newsletter)]
    first = datetime(2026, 4, 19, 5, tzinfo=UTC)
    assert at[:30] == [first + timedelta(hours=n) for n in range(30)], "every hour has a row"
    assert {state for slot, state, _ in rows(newsletter) if slot.day == 20} == {"skipped"}


def test_a_cadence_of_seconds_makes_a_few_rows_ahead_and_no_thousands_behind() -> None:
    planned({"kind": "interval", "zone": "UTC", "every_s": 60})
    plan(now=NOW)
    assert len(rows()) == MOST_AHEAD
    after = NOW + timedelta(days=3)
    plan(now=after)
    made = [at for at, *_ in rows()][MOST_AHEAD:]
    assert len(made) == MOST_MISSED + MOST_AHEAD
    assert made[MOST_MISSED - 1] == after, "the newest of the missed ones"
    assert made[0] == after - timedelta(minutes=MOST_MISSED - 1)
    assert plan(now=after) == 0, "and the older ones are not made up for later"


def test_nothing_is_made_up_from_before_the_newsletter_began() -> None:
    planned(HOURLY, created_at=NOW - timedelta(minutes=30))
    plan(now=NOW)
    assert rows()[0][0] == NOW.replace(minute=0), "one slot came since it began"


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_a_newsletter_that_does_not_run_has_no_slots(state: str) -> None:
    planned(DAILY, state=state)
    assert plan(now=NOW) == 0


def test_a_newsletter_without_a_usable_cadence_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    planned({"kind": "hourly"}, slug="broken")
    planned({}, slug="by-hand")
    good = planned(DAILY, slug="good")
    assert plan(now=NOW) == 2
    assert len(rows(good)) == 2
    assert "broken has no usable cadence" in caplog.text


def test_the_reach_ahead_covers_the_next_day_whole() -> None:
    assert timedelta(days=1) < AHEAD


@pytest.mark.django_db(transaction=True)
def test_any_number_of_schedulers_make_one_row_a_slot() -> None:
    planned({"kind": "interval", "zone": "UTC", "every_s": 600}, created_at=NOW - timedelta(hours=10))
    together, failures = threading.Barrier(4), list[BaseException]()

    def scheduler() -> None:
        try:
            together.wait()
            plan(now=NOW)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=scheduler) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    slots = [at for at, *_ in rows()]
    assert len(slots) == len(set(slots)) == 61 + MOST_AHEAD - 1


def test_a_planner_that_was_slow_makes_no_row_of_times_that_were_changed_since(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = planned(DAILY)
    plan(now=NOW)
    plan_one = planning.plan_one

    def slow(newsletter: Newsletter, *, now: datetime) -> int:
        monkeypatch.setattr(planning, "plan_one", plan_one)
        calendar.change(newsletter_id=daily.id, cadence=DAILY | {"at": ["07:30"]}, actor=staff.ada(), now=NOW)
        return plan_one(newsletter, now=now)

    monkeypatch.setattr(planning, "plan_one", slow)
    plan(now=NOW)
    plan(now=NOW)
    later = SLOT + timedelta(hours=1)
    assert [at for at, *_ in rows()] == [later, later + timedelta(days=1)], "none at half past six any more"
