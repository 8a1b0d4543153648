"""Hints become few looks, none is lost, and a push that misses stories is found out."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import close_old_connections

from pipeline.kernel.queue import Job
from pipeline.sources.models import Channel, Look, Push, Source
from pipeline.sources.pushes import hints
from tests.factories import sources

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
IDLE = NOW.replace(hour=5)  #: when the channels of these tests are due anyway
Rung = Callable[[Job], list[dict[str, int]]]


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def was_made_due(site: Source) -> bool:
    """Takes the looks that are due, as a worker would."""
    return bool(Channel.objects.filter(source=site, next_due_at__lt=IDLE).update(next_due_at=IDLE, last_full_at=NOW))


def looks_of(site: Source, *, heard: list[float], until: float = 200) -> list[float]:
    """The seconds at which channels became due, with hints at the given seconds and a tick each second."""
    moments = sorted({*heard, *(float(second) for second in range(int(until)))})
    looks = []
    for moment in moments:
        hints.make_due(now=at(moment))
        if moment in heard:
            for _ in range(heard.count(moment)):
                hints.hear(source_id=site.id, now=at(moment))
        if was_made_due(site):
            looks.append(moment)
    return looks


def push(site: Source, **fields: Any) -> Push:
    known = {"kind": Push.Kind.WEBHOOK, "state": Push.State.ACTIVE, "created_at": at(-86_400)}
    return Push.objects.create(source=site, **{**known, **fields})


# -- debouncing


def test_a_hint_is_a_look_at_once_and_two_later(site: Source) -> None:
    assert looks_of(site, heard=[0.5]) == [0.5, 21, 121]
    assert not Look.objects.exists()


def test_thirty_hints_in_a_burst_cost_one_look_more_than_one(site: Source) -> None:
    assert looks_of(site, heard=[n / 10 for n in range(30)]) == [0, 5, 20, 120]


def test_thirty_hints_in_one_instant_cost_the_same(site: Source) -> None:
    assert looks_of(site, heard=[0.0] * 30) == [0, 5, 20, 120]


def test_hints_without_end_are_one_look_in_five_seconds_and_none_comes_too_late(site: Source) -> None:
    looks = looks_of(site, heard=[n / 2 for n in range(120)], until=300)
    early = [look for look in looks if look < 60]
    assert all(later - earlier >= 4.9 for earlier, later in itertools.pairwise(early) if later % 20)
    assert len(early) <= 15
    assert any(59.5 <= look <= 65 for look in looks), "the last hint got its look"
    assert any(175 <= look <= 181 for look in looks), "and its follow-up"


def test_a_hint_after_the_window_is_a_look_at_once(site: Source) -> None:
    assert looks_of(site, heard=[0, 7])[:2] == [0, 7]


def test_a_hint_soon_after_a_trailing_look_waits_for_its_window(site: Source) -> None:
    assert looks_of(site, heard=[0, 1, 6.5])[:4] == [0, 5, 10, 27]


def test_follow_ups_move_to_after_the_last_hint(site: Source) -> None:
    assert looks_of(site, heard=[0, 15]) == [0, 15, 35, 135]


def test_a_look_after_a_hint_asks_without_validators(site: Source) -> None:
    hints.hear(source_id=site.id, now=NOW)
    channel = Channel.objects.get(source=site)
    assert (channel.next_due_at, channel.last_full_at) == (NOW, None)


def test_the_bell_rings_once_the_hint_is_written(
    site: Source, rung: Rung, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(30):
            hints.hear(source_id=site.id, now=NOW)
    assert rung(Job.SOURCES_LOOK) == [{"channel_id": Channel.objects.get(source=site).id}]


def test_a_look_under_way_does_not_swallow_the_hint(site: Source) -> None:
    """Its answer may be older than the news, and when it ends it says when to look again."""
    Channel.objects.filter(source=site).update(leased_until=at(30))
    hints.hear(source_id=site.id, now=NOW)
    Channel.objects.filter(source=site).update(leased_until=None, next_due_at=IDLE)  # the look ended
    hints.make_due(now=at(1))
    assert was_made_due(site)


def test_a_look_that_never_ends_is_waited_for_second_by_second(site: Source) -> None:
    Channel.objects.filter(source=site).update(leased_until=at(3.5))
    hints.hear(source_id=site.id, now=NOW)
    for second in (1, 2, 3, 4):
        hints.make_due(now=at(second))
    Channel.objects.filter(source=site).update(leased_until=None, next_due_at=IDLE)
    assert not Look.objects.filter(step_s=hints.TRAILING).exists()


def test_sitemaps_are_left_alone_where_there_is_a_feed(site: Source) -> None:
    slow = sources.channel(source=site, url="https://gazette.example/map.xml", kind="sitemap", next_due_at=IDLE)
    alone = sources.channel(source=sources.source(), url="https://b.example/m.xml", kind="sitemap", next_due_at=IDLE)
    for source_id in (site.id, alone.source_id):
        hints.hear(source_id=source_id, now=NOW)
    slow.refresh_from_db()
    alone.refresh_from_db()
    assert (slow.next_due_at, alone.next_due_at) == (IDLE, NOW)


@pytest.mark.parametrize("fields", [{"state": "gone"}, {"state": "asking"}, {"last_status": 429}])
def test_a_channel_that_must_not_be_asked_is_not(site: Source, fields: dict[str, Any]) -> None:
    Channel.objects.filter(source=site).update(**fields)
    hints.hear(source_id=site.id, now=NOW)
    assert not was_made_due(site)


def test_looks_at_a_paused_source_are_dropped(site: Source) -> None:
    hints.hear(source_id=site.id, now=NOW)
    was_made_due(site)
    Source.objects.filter(id=site.id).update(state=Source.State.PAUSED)
    assert hints.make_due(now=at(200)) == 0
    assert not was_made_due(site)
    assert not Look.objects.exists()


def test_one_source_is_not_debounced_by_another(site: Source) -> None:
    other = sources.source()
    assert hints.hear(source_id=site.id, now=NOW)
    assert hints.hear(source_id=other.id, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_hints_and_ticks_at_the_same_moment_neither_fail_nor_double(engines: object) -> None:
    source = sources.source(now=NOW)
    sources.channel(source=source, now=NOW, next_due_at=IDLE)
    led, failed = [], []

    def knock(step: int) -> None:
        try:
            for n in range(10):
                hints.make_due(now=at(n * 25))
                led.append(hints.hear(source_id=source.id, now=at(n * 25 + step / 100)))
        except Exception as error:
            failed.append(error)
        finally:
            close_old_connections()
            from django.db import connection

            connection.close()

    threads = [threading.Thread(target=knock, args=(step,)) for step in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(led) == 60
    assert 1 <= sum(led) <= 60
    assert Look.objects.filter(source=source).count() <= 4


# -- is a push telling what it should?


def test_the_first_ping_makes_its_row_and_says_when(site: Source) -> None:
    hints.hear(source_id=site.id, now=NOW)
    hints.hear(source_id=site.id, now=at(3))
    made = Push.objects.get(source=site)
    assert (made.kind, made.state, made.heard_at) == (Push.Kind.PING, Push.State.ACTIVE, NOW)
    hints.hear(source_id=site.id, now=at(6))
    made.refresh_from_db()
    assert made.heard_at == at(6)


def test_a_story_found_after_a_hint_is_delivered_and_heals(site: Source) -> None:
    one = push(site, state=Push.State.BROKEN, missed=3)
    hints.hear(source_id=site.id, push_id=one.id, now=NOW)
    one.refresh_from_db()
    assert one.state == Push.State.BROKEN, "to be heard is not to deliver"
    hints.found(source_id=site.id, fresh=1, published=[NOW], now=at(121))
    one.refresh_from_db()
    assert (one.state, one.missed, one.delivered_at) == (Push.State.ACTIVE, 0, at(121))


def test_a_story_that_a_poll_finds_late_breaks_the_push(site: Source) -> None:
    one = push(site, heard_at=at(-3600))
    hints.found(source_id=site.id, fresh=2, published=[at(-130), at(-10)], now=NOW)
    one.refresh_from_db()
    assert (one.state, one.missed) == (Push.State.BROKEN, 1)


@pytest.mark.parametrize(
    ("published", "why"),
    [
        (at(-60), "the push still has its chance"),
        (at(-3 * 86_400), "it was backdated"),
        (None, "nobody knows how old it is"),
        (at(-2 * 3600), "the push was heard since"),
    ],
)
def test_a_story_a_push_could_not_have_told_does_not_break_it(
    site: Source, published: datetime | None, why: str
) -> None:
    one = push(site, heard_at=at(-3600))
    hints.found(source_id=site.id, fresh=1, published=[published], now=NOW)
    one.refresh_from_db()
    assert one.state == Push.State.ACTIVE, why


def test_a_push_set_up_after_the_story_does_not_break(site: Source) -> None:
    one = push(site, created_at=at(-100))
    hints.found(source_id=site.id, fresh=1, published=[at(-600)], now=NOW)
    one.refresh_from_db()
    assert one.state == Push.State.ACTIVE


@pytest.mark.parametrize("state", [Push.State.PENDING, Push.State.ENDED])
def test_a_push_that_is_not_at_work_neither_misses_nor_breaks(site: Source, state: str) -> None:
    one = push(site, state=state)
    hints.missed(source_id=site.id, published=[at(-600)], now=NOW)
    one.refresh_from_db()
    assert (one.state, one.missed) == (state, 0)


def test_a_look_without_news_says_nothing_about_a_push(site: Source) -> None:
    one = push(site, state=Push.State.BROKEN, heard_at=NOW)
    hints.found(source_id=site.id, fresh=0, published=[], now=at(1))
    one.refresh_from_db()
    assert one.state == Push.State.BROKEN
