"""What time does to a newsletter over days: outages, many slots at once, and schedulers side by side."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from pipeline.delivery.models import Send
from pipeline.editions.acts.review import approve, skip
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule.release import advance
from pipeline.staff.models import JournalEntry
from tests.factories import articles, audience, editions, staff
from tests.schedule.conftest import BEGUN, CUTOFF, DAILY, DRAFT, SLOT, Clock, first, newsletter, stories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("policy", ["send", "hold", "render_again", "web_only"])
def test_an_outage_of_two_days_does_not_end_in_a_burst(clock: Clock, policy: str) -> None:
    hourly = {"kind": "interval", "zone": "UTC", "every_s": 3600}
    newsletter(cadence=hourly, approval="rules", late_policy=policy, late_after_s=900, minimum=1, max_age_h=96)
    stories(20)
    clock.tick(BEGUN)
    back = BEGUN + timedelta(days=2, minutes=10)
    stories(20, now=back - timedelta(hours=2))
    clock.run(back, back + timedelta(seconds=10), step=timedelta(seconds=1))
    passed = Edition.objects.filter(slot_at__lte=back + timedelta(seconds=10))
    assert passed.count() == 48, "one row for each hour; the one that is rendered again leaves under its new time"
    assert Send.objects.count() <= 1, "the newest at most"
    assert set(passed.values_list("state", flat=True)) <= {"expired", "sending"}
    assert {e.code for e in passed if e.state == "expired"} == {"late"}
    assert all(e.params["why"] for e in passed if e.state == "expired")


def test_while_no_composer_works_the_bell_is_rung_again_and_the_slot_leaves_a_row(clock: Clock) -> None:
    newsletter(approval="rules", late_after_s=600), stories()
    clock.working = False
    clock.run(DRAFT, SLOT + timedelta(minutes=5), step=timedelta(minutes=5))
    assert first().state == "collecting"
    clock.tick(SLOT + timedelta(minutes=11))
    assert (first().state, first().code) == ("expired", "late")
    clock.working = True
    clock.tick(SLOT + timedelta(minutes=12))
    assert first().state == "expired", "messages that come after the end change nothing"
    assert clock.rung["editions.compose"] >= 10


@pytest.mark.django_db(transaction=True)
def test_an_edition_that_begins_to_leave_as_its_newsletter_is_paused_goes_on() -> None:
    """What the tick reads first is old by the time it holds the row; the conditions are looked at again there."""
    made = newsletter(state="paused")
    editions.edition(newsletter=made, slot_at=SLOT, state="approved", leaves_at=SLOT)
    known = {k: v for k, v in connection.get_connection_params().items() if k in {"dbname", "user", "host", "port"}}
    with psycopg.connect(**known) as sender:
        sender.execute("UPDATE dateline_edition SET state = 'sending'")
        tick = threading.Thread(target=_tick)
        tick.start()
        with psycopg.connect(**known, autocommit=True) as watching:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            deadline = time.monotonic() + 10
            while watching.execute(waiting).fetchone() != (1,) and time.monotonic() < deadline:
                time.sleep(0.01)
        sender.commit()
        tick.join()
    assert first().state == "sending"


def _tick() -> None:
    try:
        advance(now=SLOT)
    finally:
        connection.close()


def test_two_schedulers_at_once_send_once(clock: Clock) -> None:
    newsletter(approval="rules"), stories()
    for now in (DRAFT, CUTOFF, CUTOFF + timedelta(seconds=1), SLOT, SLOT + timedelta(seconds=1)):
        clock.tick(now)
        clock.tick(now)
    assert Edition.objects.filter(slot_at=SLOT).count() == 1
    assert Send.objects.count() == 1


def test_many_newsletters_at_one_slot_all_leave_within_a_few_ticks(clock: Clock) -> None:
    for n in range(52):
        newsletter(
            slug=f"letter-{n}", name=f"Letter {n}", approval="rules", blocks=({"kind": "top", "rule": {}},)
        ) if n == 0 else _twin(n)
    stories()
    for now in (DRAFT, DRAFT, CUTOFF, CUTOFF, CUTOFF + timedelta(seconds=1), CUTOFF + timedelta(seconds=2), SLOT, SLOT):
        clock.tick(now)
    assert Counter(Edition.objects.filter(slot_at=SLOT).values_list("state", flat=True)) == {"sending": 52}


def _twin(n: int) -> Newsletter:
    made = editions.newsletter(
        slug=f"letter-{n}", name=f"Letter {n}", approval="rules", blocks=({"kind": "top", "rule": {}},), cadence=DAILY,
        topic=audience.topic(slug="letter-0", name="Letter 0"),
    )  # fmt: skip
    Newsletter.objects.filter(id=made.id).update(created_at=BEGUN)
    return made


def test_a_whole_day_with_an_editor_at_work(clock: Clock) -> None:
    """Four slots: one approved, one nobody looked at, one skipped, one without stories; a row and a reason for each.

    Minute by minute until the first has left, and then every five.
    """
    ada, day = staff.ada(), datetime(2026, 4, 19, 3, tzinfo=UTC)
    made = newsletter(cadence={"kind": "daily", "zone": "UTC", "at": ["05:00", "10:00", "14:00", "20:00"]}, max_age_h=5)
    Newsletter.objects.filter(id=made.id).update(created_at=day)
    seen, midnight = dict[int, list[str]](), day.replace(hour=0) + timedelta(days=1)
    for minute in (*range(130), *range(130, 17 * 60 + 5, 5)):
        now = day + timedelta(minutes=minute)
        if now.minute % 20 == 0 and now.hour < 13 and now.day == 19:
            articles.article(age_s=0, now=now)
        clock.tick(now)
        for slot_at, state in Edition.objects.filter(slot_at__lt=midnight).values_list("slot_at", "state"):
            history = seen.setdefault(slot_at.hour, [])
            if not history or history[-1] != state:
                history.append(state)
        if (now.hour, now.minute) == (4, 45):
            approve(edition_id=first().id, revision=first().revision, actor=ada, now=now)
        if (now.hour, now.minute) == (13, 30):
            afternoon = Edition.objects.get(slot_at__hour=14)
            skip(
                edition_id=afternoon.id,
                revision=afternoon.revision,
                actor=ada,
                reason="nothing worth a letter",
                now=now,
            )
    assert seen == {
        5: ["planned", "ready", "approved", "sending"],
        10: ["planned", "ready", "held"],
        14: ["planned", "ready", "skipped"],
        20: ["planned", "collecting", "skipped"],
    }
    ends = {e.slot_at.hour: (e.state, e.code) for e in Edition.objects.filter(slot_at__lt=midnight)}
    assert ends == {
        5: ("sending", ""),
        10: ("held", "not_approved"),
        14: ("skipped", "by_editor"),
        20: ("skipped", "below_minimum"),
    }
    assert Send.objects.count() == 1
    assert Send.objects.get().created_at == day + timedelta(hours=2), "it left at its slot, to the minute"
    assert [entry.verb for entry in JournalEntry.objects.order_by("id")] == ["approve", "skip"]
    sent = set(first().items.filter(picked=True).values_list("article_id", flat=True))
    noon = Edition.objects.get(slot_at=day.replace(hour=10))
    assert not sent & set(noon.items.filter(picked=True).values_list("article_id", flat=True)), "no story twice"
