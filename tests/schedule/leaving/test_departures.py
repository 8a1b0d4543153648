"""The slot's wall-clock time in every zone of the readers, and an edition that begins with the first of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.articles.models import Article
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.acts.review import approve
from pipeline.editions.choosing.departures import FARTHEST, at_wall_clock, departures, first_departure
from pipeline.editions.models import Edition, Newsletter
from tests.factories import articles, audience, staff
from tests.schedule.conftest import SLOT, Clock, first, newsletter, stories

FAR = [
    *("Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kathmandu", "America/Santiago"),
    *("Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Casablanca", "America/New_York"),
]
MINUTE = timedelta(minutes=1)


def first_shown(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Walk along the clock of a zone, minute by minute, until it shows this time of that day or a later one."""
    at = datetime.combine(day, clock, UTC) - timedelta(hours=16)
    while at.astimezone(zone).replace(tzinfo=None) < datetime.combine(day, clock):
        at += MINUTE
    return at


@pytest.mark.parametrize("zone", FAR)
def test_through_every_night_of_changed_clocks_it_is_the_same_time_on_the_readers_wall(zone: str) -> None:
    home = ZoneInfo("Europe/Brussels")
    days = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 9, 6), date(2026, 9, 27), date(2026, 10, 4),
            date(2026, 10, 25), date(2026, 11, 1), date(2027, 3, 14), date(2030, 7, 1)]  # fmt: skip
    for day in days:
        for clock in (time(0, 15), time(6, 30), time(23, 45)):
            slot = datetime.combine(day, clock, home).astimezone(UTC)
            found = at_wall_clock(slot, "Europe/Brussels", [zone])[zone]
            assert found == first_shown(day, clock, ZoneInfo(zone)), (zone, day, clock)
            assert abs(found - slot) <= FARTHEST


def test_no_place_and_no_zone_mean_the_newsrooms_own_time() -> None:
    found = at_wall_clock(SLOT, "Europe/Brussels", ["Mars/Base", "Asia/Tokyo", "../etc"])
    assert {zone for zone, at in found.items() if at != SLOT} == {"Asia/Tokyo"}
    assert {"", "UTC", "Europe/Brussels"} <= set(found)


@pytest.mark.django_db
def test_only_a_newsletter_at_its_readers_clock_departs_early() -> None:
    made = newsletter()
    audience.subscriber(address="kei@example.org", follows=made.topic, zone="Asia/Tokyo")
    audience.subscriber(address="elsewhere@example.org", zone="Pacific/Kiritimati")
    edition = Edition.objects.create(newsletter=made, slot_at=SLOT)
    assert (first_departure(edition), departures(edition)) == (SLOT, {})
    made.at_readers_clock = True
    assert first_departure(edition) == SLOT - timedelta(hours=7), "nobody who reads it lives in Kiritimati"


@pytest.fixture
def worldwide(db: None) -> None:
    """Cleo has no zone; Kei reads seven hours before the newsroom does, Ana nine hours after it."""
    made = newsletter(at_readers_clock=True, approval="rules", pace_s=0)
    audience.subscriber(address="kei@example.org", follows=made.topic, zone="Asia/Tokyo")
    audience.subscriber(address="ana@example.org", follows=made.topic, zone="America/Los_Angeles")


TOKYO, ANGELES = SLOT - timedelta(hours=7), SLOT + timedelta(hours=9)


@pytest.mark.usefixtures("worldwide")
def test_it_is_frozen_once_with_the_first_zone_and_each_zone_is_due_at_its_own_time(clock: Clock) -> None:
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3))
    stories(now=TOKYO - timedelta(minutes=45))
    clock.tick(TOKYO - timedelta(minutes=46))
    assert first().state == "planned"
    clock.run(TOKYO - timedelta(minutes=45), TOKYO - timedelta(seconds=1), step=timedelta(minutes=5))
    assert (first().state, first().leaves_at) == ("approved", TOKYO)
    articles.article(age_s=1, now=TOKYO - timedelta(minutes=10))
    clock.tick(TOKYO)
    assert Send.objects.get().state == "submitting"
    due = dict(Delivery.objects.values_list("address", "batch__due_at"))
    assert due == {"kei@example.org": TOKYO, "cleo@example.org": SLOT, "ana@example.org": ANGELES}
    clock.run(TOKYO, ANGELES, step=timedelta(hours=1))
    assert (Send.objects.count(), Batch.objects.count()) == (1, 3), "frozen once"


@pytest.mark.usefixtures("worldwide")
def test_approved_by_a_person_it_leaves_with_the_first_zone_but_not_within_the_undo_window(clock: Clock) -> None:
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3), approval="editor")
    stories(now=TOKYO - timedelta(minutes=45))
    clock.run(TOKYO - timedelta(minutes=45), TOKYO - timedelta(minutes=15), step=timedelta(minutes=5))
    at = TOKYO - timedelta(seconds=30)
    approve(edition_id=first().id, revision=first().revision, actor=staff.ada(), now=at)
    clock.tick(at)
    assert first().leaves_at == at + timedelta(seconds=90)
    clock.tick(at + timedelta(seconds=89))
    assert first().state == "approved"
    clock.tick(at + timedelta(seconds=90))
    assert first().state == "sending"


@pytest.mark.usefixtures("worldwide")
def test_an_embargoed_story_does_not_leave_with_the_first_zone_nor_with_any(clock: Clock) -> None:
    """Only a person lifts an embargo, so the first zone's hour is as early as the last one's."""
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3))
    victim = stories(5, now=TOKYO - timedelta(minutes=45))[0]
    clock.run(TOKYO - timedelta(minutes=45), TOKYO - timedelta(minutes=15), step=timedelta(minutes=5))
    assert first().state == "approved"
    Article.objects.filter(id=victim.id).update(markers=[{"kind": "embargo", "text": "EMBARGOED UNTIL NOON"}])
    clock.run(TOKYO - timedelta(minutes=10), ANGELES, step=timedelta(hours=1))
    assert (first().state, first().code) == ("held", "preflight")
    assert "still under embargo" in first().preflight[0]["sentence"]
    assert not Send.objects.exists()


@pytest.mark.usefixtures("worldwide")
def test_paused_before_the_first_zone_it_does_not_begin(clock: Clock) -> None:
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3))
    stories(now=TOKYO - timedelta(minutes=45))
    clock.run(TOKYO - timedelta(minutes=45), TOKYO - timedelta(minutes=1), step=timedelta(minutes=4))
    Newsletter.objects.update(state="paused")
    clock.run(TOKYO, SLOT, step=timedelta(hours=1))
    assert (first().state, first().code) == ("skipped", "newsletter_paused")
    assert not Send.objects.exists()


@pytest.mark.usefixtures("worldwide")
def test_the_cut_off_and_the_minimum_are_counted_from_the_first_zone(clock: Clock) -> None:
    """Too few stories by then: it is skipped before anybody's hour, not collected past the first readers' own."""
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3), minimum=5)
    stories(2, now=TOKYO - timedelta(minutes=45))
    clock.run(TOKYO - timedelta(minutes=45), TOKYO - timedelta(minutes=25), step=timedelta(minutes=5))
    assert first().state == "collecting"
    clock.run(TOKYO - timedelta(minutes=20), TOKYO, step=timedelta(minutes=5))
    assert (first().state, first().code) == ("skipped", "below_minimum")


@pytest.mark.usefixtures("worldwide")
def test_too_few_stories_is_decided_before_the_first_zone_not_before_the_newsroom(clock: Clock) -> None:
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3), below_minimum="shorten")
    stories(1, now=TOKYO - timedelta(minutes=45))
    clock.run(TOKYO - timedelta(minutes=45), TOKYO - timedelta(minutes=21), step=timedelta(minutes=4))
    assert (first().state, first().code) == ("collecting", "below_minimum"), "stories may still come"
    clock.run(TOKYO - timedelta(minutes=20), TOKYO, step=timedelta(minutes=4))
    assert Send.objects.get().created_at == TOKYO
    assert first().items.filter(picked=True).count() == 1


@pytest.mark.usefixtures("worldwide")
def test_a_story_after_the_first_zones_cutoff_is_in_nobodys_edition(clock: Clock) -> None:
    Newsletter.objects.update(created_at=TOKYO - timedelta(hours=3))
    stories(now=TOKYO - timedelta(minutes=45))
    late = articles.article(age_s=0, now=TOKYO - timedelta(minutes=19))
    clock.run(TOKYO - timedelta(minutes=30), TOKYO, step=timedelta(minutes=6))
    assert (first().state, first().items.get(article=late).picked) == ("sending", False)
