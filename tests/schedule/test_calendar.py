"""A day without an edition, a pause, an end, other times: what each says, keeps and refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.editions.acts.review import Refused, approve
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule import calendar
from pipeline.schedule.calendar import Gap
from pipeline.schedule.plan import plan
from pipeline.staff.models import JournalEntry, User
from tests.factories import editions, staff
from tests.schedule.conftest import DAILY, DRAFT, SLOT, Clock, first, newsletter, stories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MONDAY = date(2026, 4, 20)


@pytest.fixture
def ada(db: None) -> User:
    return staff.ada()


def states() -> list[tuple[datetime, str, str]]:
    return list(Edition.objects.order_by("slot_at").values_list("slot_at", "state", "code"))


def journal() -> list[tuple[str, str]]:
    return list(JournalEntry.objects.order_by("id").values_list("verb", "reason"))


def test_a_skipped_day_has_a_row_a_reason_and_a_sentence_and_collecting_goes_on(clock: Clock, ada: User) -> None:
    made = newsletter(approval="rules")
    stories()
    clock.tick(DRAFT - timedelta(hours=1))
    said = calendar.skip_day(newsletter_id=made.id, day=MONDAY, reason="Easter Monday.", actor=ada, now=DRAFT)
    assert said == (
        "Morning Brief does not leave on Monday 20 April 2026: Easter Monday. Collecting goes on, and its stories stay "
        "candidates for the next edition. Next: Sunday 19 April 2026, 06:30 CEST."
    )
    clock.run(DRAFT, SLOT + DAY * 2 + timedelta(minutes=1), step=timedelta(minutes=15))
    assert [(at, state, code) for at, state, code in states() if at <= SLOT + DAY * 2] == [
        (SLOT, "sending", ""),
        (SLOT + DAY, "skipped", "holiday"),
        (SLOT + DAY * 2, "skipped", "below_minimum"),
    ]
    assert journal()[0] == ("skip_day", "Easter Monday")


def test_a_day_is_skipped_again_and_again_without_harm_and_taken_back(ada: User) -> None:
    made = newsletter()
    plan(now=DRAFT)
    for reason in ("one", "two"):
        calendar.skip_day(newsletter_id=made.id, day=MONDAY, reason=reason, actor=ada, now=DRAFT)
    assert Newsletter.objects.get().cadence["skip"] == {"2026-04-20": "two"}
    said = calendar.leave_after_all(newsletter_id=made.id, day=MONDAY, actor=ada, now=DRAFT)
    assert said.startswith("Morning Brief leaves on Monday 20 April 2026 all the same (it was off: two).")
    assert states()[1] == (SLOT + DAY, "planned", "")
    assert "skip" not in Newsletter.objects.get().cadence
    with pytest.raises(Refused, match="has no day off on Monday 20 April 2026"):
        calendar.leave_after_all(newsletter_id=made.id, day=MONDAY, actor=ada, now=DRAFT)


def test_a_holiday_is_worked_on_by_exception(ada: User) -> None:
    made = newsletter(cadence={**DAILY, "holidays": [{"on": "04-20", "name": "Founders' Day"}]})
    plan(now=DRAFT)
    assert states()[1] == (SLOT + DAY, "skipped", "holiday")
    calendar.leave_after_all(newsletter_id=made.id, day=MONDAY, actor=ada, now=DRAFT)
    assert Newsletter.objects.get().cadence["except"] == ["2026-04-20"]
    assert states()[1] == (SLOT + DAY, "planned", "")


@pytest.mark.parametrize(
    ("day", "now", "problem"),
    [
        (date(2026, 4, 18), DRAFT, "Saturday 18 April 2026 has passed for Morning Brief"),
        (date(2026, 4, 19), SLOT, "Sunday 19 April 2026 has passed for Morning Brief"),
        (date(2026, 4, 20), SLOT + timedelta(hours=17, minutes=31), ""),
    ],
    ids=["yesterday", "its slot has come", "tomorrow there, today in UTC"],
)
def test_the_past_is_refused_in_words(ada: User, day: date, now: datetime, problem: str) -> None:
    made = newsletter()
    plan(now=DRAFT)
    if not problem:
        calendar.skip_day(newsletter_id=made.id, day=day, reason="x", actor=ada, now=now)
        return
    with pytest.raises(Refused, match=problem):
        calendar.skip_day(newsletter_id=made.id, day=day, reason="x", actor=ada, now=now)
    assert Newsletter.objects.get().cadence == DAILY
    assert journal() == []


def test_what_is_approved_is_taken_back_before_its_day_is_skipped(clock: Clock, ada: User) -> None:
    made = newsletter()
    stories()
    clock.tick(DRAFT)
    approve(edition_id=first().id, revision=first().revision, actor=ada, now=DRAFT)
    with pytest.raises(Refused, match="approved or has left"):
        calendar.skip_day(newsletter_id=made.id, day=SLOT.date(), reason="x", actor=ada, now=DRAFT)


@pytest.mark.parametrize("gap", list(Gap))
def test_a_pause_mails_nothing_afterwards_and_resuming_says_what_becomes_of_the_gap(
    clock: Clock, ada: User, gap: Gap
) -> None:
    made = newsletter(approval="rules", late_policy="send", late_after_s=14_400)
    clock.tick(DRAFT - timedelta(hours=1))
    said = calendar.pause(newsletter_id=made.id, reason="summer", actor=ada, now=DRAFT - timedelta(hours=1))
    assert said == (
        "Morning Brief is paused: summer. Nothing is collected for it, and its slots pass and say so, until somebody "
        "resumes it."
    )
    clock.run(DRAFT, SLOT + DAY * 2, step=timedelta(hours=1))
    back = SLOT + DAY * 2 + timedelta(minutes=30)
    stories(now=back)
    said = calendar.resume(newsletter_id=made.id, gap=gap, actor=ada, now=back)
    kept = "are left where they are" if gap is Gap.LEAVE else "stay candidates while they are no older than 36 h"
    assert said == (
        f"Morning Brief runs again; 3 slots passed and nothing is sent for them. Stories that came meanwhile {kept}. "
        "Next: Wednesday 22 April 2026, 06:30 CEST."
    )
    clock.run(back, back + timedelta(minutes=10))
    assert [row for row in states() if row[0] <= back] == [
        (SLOT + DAY * n, "skipped", "newsletter_paused") for n in range(3)
    ]
    since = Newsletter.objects.get().cadence.get("collects_from")
    assert since == (back.isoformat() if gap is Gap.LEAVE else None)
    assert JournalEntry.objects.get(verb="resume").detail == {"gap": gap.value, "passed": 3}


def test_what_a_person_approved_still_leaves_through_a_pause_and_the_pause_says_so(clock: Clock, ada: User) -> None:
    made = newsletter()
    stories()
    clock.tick(DRAFT)
    approve(edition_id=first().id, revision=first().revision, actor=ada, now=DRAFT)
    said = calendar.pause(newsletter_id=made.id, reason="summer", actor=ada, now=DRAFT)
    assert said.endswith("What a person has approved already still leaves; take it back if it should not.")
    clock.tick(SLOT)
    assert first().state == "sending"


def test_an_ended_newsletter_has_nothing_ahead_and_stays_ended(ada: User) -> None:
    made = newsletter()
    plan(now=DRAFT)
    said = calendar.end(newsletter_id=made.id, reason="the paper merged", actor=ada, now=DRAFT)
    assert said.startswith("Morning Brief has ended: the paper merged. Nothing is collected or sent any more.")
    assert states() == []
    assert plan(now=DRAFT) == 0
    with pytest.raises(Refused, match="stays ended"):
        calendar.resume(newsletter_id=made.id, gap=Gap.CARRY, actor=ada, now=DRAFT)


def test_a_last_day_is_kept_and_not_in_the_past(ada: User) -> None:
    made = newsletter()
    plan(now=DRAFT)
    with pytest.raises(Refused, match="Saturday 18 April 2026 has passed"):
        calendar.end(newsletter_id=made.id, reason="x", actor=ada, now=DRAFT, last_day=date(2026, 4, 18))
    calendar.end(newsletter_id=made.id, reason="x", actor=ada, now=DRAFT, last_day=SLOT.date())
    plan(now=DRAFT)
    plan(now=DRAFT + DAY)
    assert states() == [(SLOT, "planned", "")]


def test_other_times_move_what_nobody_has_touched(clock: Clock, ada: User) -> None:
    made = newsletter()
    stories()
    clock.tick(DRAFT)
    later = {**DAILY, "at": ["07:00"]}
    said = calendar.change(newsletter_id=made.id, cadence=later, actor=ada, now=DRAFT)
    assert said == (
        "Morning Brief has other times. 1 being made already stays at the old time. Next: Sunday 19 April 2026, 07:00 CEST."
    )
    half = timedelta(minutes=30)
    assert [at for at, *_ in states()] == [SLOT, SLOT + half, SLOT + DAY + half]


@pytest.mark.parametrize(
    ("cadence", "problem"),
    [({**DAILY, "at": ["25:00"]}, "no cadence"), ({**DAILY, "end": "2026-04-18"}, "has passed")],
)
def test_times_that_cannot_be_are_refused(ada: User, cadence: dict[str, Any], problem: str) -> None:
    made = newsletter()
    with pytest.raises(Refused, match=problem):
        calendar.change(newsletter_id=made.id, cadence=cadence, actor=ada, now=DRAFT)
    assert Newsletter.objects.get().cadence == DAILY


def test_who_looks_on_changes_nothing(db: None) -> None:
    made, ben = newsletter(), staff.ben()
    with pytest.raises(Refused, match="may look"):
        calendar.pause(newsletter_id=made.id, reason="x", actor=ben, now=DRAFT)
    with pytest.raises(Refused, match="may look"):
        calendar.end(newsletter_id=made.id, reason="x", actor=ben, now=DRAFT)
    with pytest.raises(Refused, match="may look"):
        calendar.skip_day(newsletter_id=made.id, day=MONDAY, reason="x", actor=ben, now=DRAFT)
    with pytest.raises(Refused, match="Say why"):
        calendar.pause(newsletter_id=made.id, reason=" ", actor=staff.ada(), now=DRAFT)


def test_what_is_ahead_is_listed_with_days_off_and_nights_of_changed_clocks() -> None:
    made = editions.newsletter(
        cadence={"kind": "daily", "zone": "Europe/Brussels", "at": ["02:30"], "skip": {"2026-10-24": "a strike"}}
    )
    ahead = calendar.upcoming(made, now=datetime(2026, 10, 23, 12, tzinfo=UTC), most=3)
    assert [(one.local_date.day, one.note) for one in ahead] == [
        (24, "a strike"),
        (25, "02:30 comes twice on this day, the first"),
        (26, ""),
    ]


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_day_at_the_end_of_calendars_is_refused_in_words(ada: User, day: date) -> None:
    made = newsletter()
    for act in (
        lambda: calendar.skip_day(newsletter_id=made.id, day=day, reason="Easter.", actor=ada, now=DRAFT),
        lambda: calendar.leave_after_all(newsletter_id=made.id, day=day, actor=ada, now=DRAFT),
        lambda: calendar.end(newsletter_id=made.id, last_day=day, reason="Enough.", actor=ada, now=DRAFT),
    ):
        with pytest.raises(Refused, match="look at the date again"):
            act()
