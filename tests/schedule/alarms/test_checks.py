"""Checks before a slot and after it: each once, none missed in silence, red ones told."""

from __future__ import annotations

import importlib
import threading
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection

from pipeline.delivery.models import Batch, Delivery, Send, Transport
from pipeline.delivery.transports import sealed_settings
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.config import Config, config
from pipeline.kernel.queue import Queue
from pipeline.schedule.alarms import checks, pulse
from pipeline.schedule.models import Check
from tests.delivery.course.test_drift import sent
from tests.factories import audience, staff
from tests.schedule.alarms.conftest import Letters
from tests.schedule.conftest import DRAFT, SLOT, Clock, newsletter, stories

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def alive(db: None) -> None:
    """A sender answered just before the slot."""
    pulse.beat(now=SLOT - 46 * MINUTE)


def ready(**settings: Any) -> Edition:
    """An edition composed and past its cut-off, with nothing wrong but what the test makes so."""
    made = newsletter(**settings)
    stories()
    return Edition.objects.create(newsletter=made, slot_at=SLOT)


def this() -> Edition:
    return Edition.objects.get(slot_at=SLOT)


def look(at: Any) -> int:
    pulse.beat(now=at)
    return checks.look(edition_id=this().id, now=at)


def red(mark: int) -> dict[str, str]:
    return {one["code"]: one["said"] for one in Check.objects.get(mark=mark).findings if one["is_red"]}


def marks() -> list[tuple[int, bool]]:
    return [(row.mark, row.findings[0]["code"] == "missed") for row in Check.objects.order_by("-mark")]


def test_each_mark_is_looked_at_once_when_it_is_due(clock: Clock, post: Letters) -> None:
    newsletter(approval="rules"), stories()
    made: dict[int, int] = {}
    for minute in range(50, -16, -1):
        now = SLOT - minute * MINUTE
        clock.tick(now)
        for _ in range(2):
            if found := look(now):
                made[minute] = found
    assert made == {45: 1, 15: 1, 5: 1, -10: 1}
    assert marks() == [(45, False), (15, False), (5, False), (-10, False)]
    assert [red(mark) for mark in (45, 15, 5)] == [{}] * 3, Check.objects.get(mark=5).findings
    assert set(red(-10)) == {"accepted"}, "nobody works here, so nothing was accepted"


def test_a_clock_that_stood_still_writes_down_what_it_missed_and_makes_up_for_the_last(post: Letters) -> None:
    ready()
    assert look(SLOT - 10 * MINUTE) == 2
    assert marks() == [(45, True), (15, False)]
    assert look(SLOT + 11 * MINUTE) == 2
    assert marks() == [(45, True), (15, False), (5, True), (-10, False)]
    assert set(red(-10)) == {"not_gone"}


def test_after_half_a_day_even_the_last_one_is_missed() -> None:
    ready()
    assert look(SLOT + timedelta(hours=12)) == 4
    assert [missed for _, missed in marks()] == [True] * 4
    assert not Check.objects.filter(is_red=True).exists(), "the edition's own row says what became of it"


def test_marks_from_before_the_newsletter_began_are_not_missed(post: Letters) -> None:
    ready()
    Newsletter.objects.update(created_at=SLOT - 10 * MINUTE)
    assert look(SLOT - 9 * MINUTE) == 0
    assert look(SLOT - 4 * MINUTE) == 1


@pytest.mark.parametrize(
    "cadence", [{"kind": "interval", "zone": "UTC", "every_s": 60}, {"kind": "manual"}], ids=["each minute", "by hand"]
)
def test_what_is_not_planned_ahead_is_looked_at_afterwards_only(cadence: dict[str, Any], post: Letters) -> None:
    ready(cadence=cadence)
    assert look(SLOT - 5 * MINUTE) == 0
    assert look(SLOT + 10 * MINUTE) == 1


def test_an_edition_that_was_skipped_concerns_nobody() -> None:
    ready()
    Edition.objects.update(state="skipped")
    assert look(SLOT + 10 * MINUTE) == 0


def composed(clock: Clock, **settings: Any) -> None:
    newsletter(approval="rules", **settings), stories()
    clock.run(DRAFT, SLOT - 16 * MINUTE, step=2 * MINUTE)
    assert this().state == "approved"


def test_before_the_cutoff_missing_stories_are_said_and_not_red(post: Letters) -> None:
    ready()
    look(SLOT - 45 * MINUTE)
    found = {one["code"]: one for one in Check.objects.get().findings}
    assert (found["items"]["said"], found["items"]["is_red"]) == ("0 of at least 3 stories are in it.", False)
    look(SLOT - 15 * MINUTE)
    assert set(red(15)) == {"items", "rendering"}


def test_every_thing_that_stands_in_the_way_is_red_by_itself(clock: Clock, post: Letters, at_relay: Any) -> None:
    composed(clock)
    assert look(SLOT - 15 * MINUTE) == 2
    assert red(15) == {}
    Edition.objects.filter(id=this().id).update(
        preflight=[{"level": "confirm", "code": "dead_link", "sentence": "A link does not answer."}]
    )
    article = this().items.filter(picked=True)[0].article
    type(article).objects.filter(id=article.id).update(killed_at=SLOT)
    Newsletter.objects.update(minimum=9)
    at_relay("smtp://127.0.0.1:1")
    assert look(SLOT - 5 * MINUTE) == 1
    assert set(red(5)) == {"preflight", "stories", "items", "transport"}
    assert "cannot be used" in red(5)["transport"]


def test_a_relay_that_is_away_is_said_and_not_red_while_another_way_answers(
    clock: Clock, post: Letters, at_relay: Any
) -> None:
    composed(clock)
    sealed = sealed_settings("second", {"url": known().smtp_url}, config=known())
    second = Transport.objects.create(name="second", kind="relay", rank=1, settings=sealed, created_at=DRAFT)
    at_relay("smtp://127.0.0.1:1")
    look(SLOT - 15 * MINUTE)
    said = [one["said"] for one in Check.objects.get(mark=15).findings if one["code"] == "transport"]
    assert said[0].startswith("The mail relay cannot be used: ") and said[1] == "second answers."
    assert red(15) == {}
    Transport.objects.filter(id=second.id).update(settings=b"sealed by another")
    look(SLOT - 5 * MINUTE)
    assert "second cannot be used" in red(5)["transport"]


def test_senders_that_give_no_sign_of_life_are_red(clock: Clock, post: Letters) -> None:
    composed(clock)
    checks.look(edition_id=this().id, now=SLOT - 15 * MINUTE)
    assert set(red(15)) == {"senders"}
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete("dateline:pulse:send")
    checks.look(edition_id=this().id, now=SLOT - 5 * MINUTE)
    assert red(5)["senders"] == "No sender has given a sign of life."


def test_an_audience_unlike_the_last_four_of_its_weekday_is_red(clock: Clock, post: Letters) -> None:
    composed(clock)
    made = Newsletter.objects.get()
    week = timedelta(days=7)
    sent(
        made,
        {SLOT - week * n: 200 for n in range(1, 5)} | {SLOT - week * n + timedelta(days=1): 1 for n in range(1, 5)},
    )
    look(SLOT - 15 * MINUTE)
    assert red(15)["audience"] == "1 readers; lately 200 on this weekday."
    audience.readers(count=195, follows=made.topic)
    look(SLOT - 5 * MINUTE)
    assert "audience" not in red(5)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["accepted"] * 40, set()),
        (["accepted"] * 38 + ["refused"] * 2, set()),
        (["accepted"] * 37 + ["refused"] * 3, {"refused"}),
        (["pending"] * 40, {"accepted"}),
        (["refused"] * 40, {"accepted", "refused"}),
    ],
    ids=["all", "5 %", "more", "none yet", "none"],
)
def test_ten_minutes_later_somebody_must_have_taken_it(
    clock: Clock, post: Letters, answers: list[str], expected: set[str]
) -> None:
    composed(clock)
    audience.readers(count=39, follows=Newsletter.objects.get().topic)
    clock.tick(SLOT)
    rows = list(Delivery.objects.order_by("ordinal"))
    for row, state in zip(rows, answers, strict=True):
        row.state = state
    Delivery.objects.bulk_update(rows, ["state"])
    look(SLOT + 10 * MINUTE)
    assert set(red(-10)) == expected


def test_red_is_told_once_with_what_is_wrong(clock: Clock, post: Letters) -> None:
    staff.ada()
    composed(clock, minimum=3)
    Newsletter.objects.update(minimum=9)
    look(SLOT - 15 * MINUTE)
    look(SLOT - 14 * MINUTE)
    assert len(post.taken) == 1
    assert post.taken[0][1]["Subject"] == "Morning Brief: 1 thing needs a look"
    assert "* 4 of at least 9 stories are in it." in post.words()
    assert f"/desk/editions/{this().id}" in post.words()
    assert Check.objects.get(mark=15).told_at == SLOT - 15 * MINUTE


def known() -> Config:
    """The settings as the fixture has them now."""
    return importlib.import_module("pipeline.kernel.config").config()  # type: ignore[no-any-return]


def test_what_could_not_be_told_is_told_with_the_next_check(clock: Clock, post: Letters, at_relay: Any) -> None:
    staff.ada()
    composed(clock)
    relay = known().smtp_url
    at_relay("smtp://127.0.0.1:1")
    look(SLOT - 15 * MINUTE)
    assert Check.objects.get(mark=15).told_at is None
    at_relay(relay)
    look(SLOT - 5 * MINUTE)
    assert "The mail relay cannot be used" in post.words()
    assert {row.mark for row in Check.objects.exclude(told_at=None)} == {15}


def test_the_tick_leaves_a_sign_of_life_and_rings_for_what_is_due(clock: Clock) -> None:
    ready()
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete("dateline:pulse:asked")
    checks.sweep(now=SLOT - 46 * MINUTE)
    clock.answer(now=SLOT)
    assert clock.rung == {"schedule.pulse": 1}
    checks.sweep(now=SLOT - 45 * MINUTE)
    clock.answer(now=SLOT)
    assert clock.rung == {"schedule.pulse": 1, "schedule.check": 1}, "the senders are asked every twenty seconds"
    assert pulse.silent_s(Queue.FAST, now=SLOT - 44 * MINUTE) == 60


@pytest.mark.django_db(transaction=True)
def test_of_many_who_look_at_once_one_makes_the_row_and_one_tells(post: Letters) -> None:
    staff.ada()
    edition = ready()
    together = threading.Barrier(4)

    def worker() -> None:
        try:
            together.wait()
            checks.look(edition_id=edition.id, now=SLOT - 15 * MINUTE)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Check.objects.filter(mark=15).count() == 1
    assert len(post.taken) == 1


def test_a_send_that_stands_still_is_red_afterwards(clock: Clock, post: Letters) -> None:
    composed(clock)
    clock.tick(SLOT)
    Send.objects.update(state="asking")
    look(SLOT + 10 * MINUTE)
    assert red(-10) == {"send_stands": "Its send is asking."}
    assert Batch.objects.exists()
