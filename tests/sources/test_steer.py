"""What people do to a source: done once, written down, never more than was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.sources import steer
from pipeline.sources.models import Channel, Push, Source
from pipeline.sources.pushes.seals import secret_of
from pipeline.staff.models import JournalEntry, User
from tests.factories import sources, staff

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return staff.ada()


@pytest.fixture
def source() -> Source:
    found = sources.source(now=NOW)
    sources.channel(source=found, now=LATER, last_full_at=NOW)
    return found


def verbs() -> list[str]:
    return list(JournalEntry.objects.order_by("id").values_list("verb", flat=True))


def test_a_source_is_paused_once_and_resumed_once(source: Source, ada: User) -> None:
    assert [steer.pause(source_id=source.id, actor=ada, now=NOW) for _ in range(2)] == [True, False]
    assert Source.objects.get().state == Source.State.PAUSED
    assert [steer.resume(source_id=source.id, actor=ada, now=NOW) for _ in range(2)] == [True, False]
    assert Source.objects.get().state == Source.State.ACTIVE
    assert verbs() == ["pause", "resume"]
    assert str(JournalEntry.objects.order_by("id")[0].actor) == "Ada"


def test_a_resumed_source_is_due_at_once(source: Source, ada: User) -> None:
    steer.pause(source_id=source.id, actor=ada, now=NOW)
    steer.resume(source_id=source.id, actor=ada, now=NOW)
    assert Channel.objects.get().next_due_at == NOW


def test_looking_now_asks_every_open_way_for_everything(source: Source, ada: User) -> None:
    assert steer.look_now(source_id=source.id, actor=ada, now=NOW) == 1
    channel = Channel.objects.get()
    assert (channel.next_due_at, channel.last_full_at) == (NOW, None)
    assert not Push.objects.exists(), "an editor's click is no ping"


@pytest.mark.parametrize("fields", [{"state": Channel.State.GONE}, {"last_status": 429}])
def test_a_way_that_is_gone_or_asked_us_to_wait_is_left_alone(
    fields: dict[str, object], source: Source, ada: User
) -> None:
    Channel.objects.update(**fields)
    assert steer.look_now(source_id=source.id, actor=ada, now=NOW) == 0
    assert Channel.objects.get().next_due_at == LATER
    assert verbs() == []


def test_a_way_that_refused_us_is_asked(source: Source, ada: User) -> None:
    Channel.objects.update(state=Channel.State.ASKING, last_status=403)
    assert steer.look_now(source_id=source.id, actor=ada, now=NOW) == 1


def test_a_paused_source_is_not_looked_at(source: Source, ada: User) -> None:
    steer.pause(source_id=source.id, actor=ada, now=NOW)
    assert steer.look_now(source_id=source.id, actor=ada, now=NOW) == 0
    assert Channel.objects.get().next_due_at == LATER


def test_a_caution_ends_with_its_reason_written_down(source: Source, ada: User) -> None:
    Source.objects.update(cautious_until=LATER, cautious_because="generator changed")
    assert steer.end_caution(source_id=source.id, actor=ada, now=NOW)
    source.refresh_from_db()
    assert (source.cautious_until, source.cautious_because) == (None, "")
    assert JournalEntry.objects.get().detail == {"because": "generator changed"}


def test_a_caution_that_is_over_cannot_be_ended(source: Source, ada: User) -> None:
    Source.objects.update(cautious_until=NOW)
    assert not steer.end_caution(source_id=source.id, actor=ada, now=NOW)
    assert verbs() == []


def test_changed_terms_are_kept_and_written_down(source: Source, ada: User) -> None:
    terms = replace(steer.terms_of(source), settle_s=0, daily_budget=40, zone="Asia/Tokyo")
    assert steer.change(source_id=source.id, terms=terms, actor=ada, now=NOW) == ("settle_s", "daily_budget", "zone")
    assert steer.terms_of(Source.objects.get()) == terms
    detail = JournalEntry.objects.get().detail
    assert detail["was"] == {"settle_s": 60, "daily_budget": None, "zone": "UTC"}
    assert detail["now_is"] == {"settle_s": 0, "daily_budget": 40, "zone": "Asia/Tokyo"}
    assert Channel.objects.get().next_due_at == LATER, "only another pace asks for a look"


def test_another_pace_begins_with_a_look(source: Source, ada: User) -> None:
    steer.change(source_id=source.id, terms=replace(steer.terms_of(source), poll_s=60), actor=ada, now=NOW)
    assert Channel.objects.get().next_due_at == NOW


def test_the_same_terms_change_nothing(source: Source, ada: User) -> None:
    assert steer.change(source_id=source.id, terms=steer.terms_of(source), actor=ada, now=NOW) == ()
    assert verbs() == []


def test_a_webhook_is_opened_renewed_and_ended(source: Source, ada: User) -> None:
    kind = Push.Kind.WEBHOOK
    push, first = steer.open_webhook(source_id=source.id, kind=kind, actor=ada, now=NOW)
    same, second = steer.open_webhook(source_id=source.id, kind=kind, actor=ada, now=NOW)
    assert push.id == same.id and first != second
    assert secret_of(Push.objects.get()) == second
    ended = [steer.end_webhook(source_id=source.id, push_id=push.id, actor=ada, now=NOW) for _ in range(2)]
    assert ended == [True, False]
    assert verbs() == ["open_webhook", "open_webhook", "end_webhook"]
    assert second not in str(list(JournalEntry.objects.values_list("detail", flat=True)))


def test_only_a_sources_own_webhook_is_ended(source: Source, ada: User) -> None:
    push, _ = steer.open_webhook(source_id=source.id, kind=Push.Kind.GHOST, actor=ada, now=NOW)
    other = sources.source(now=NOW)
    assert not steer.end_webhook(source_id=other.id, push_id=push.id, actor=ada, now=NOW)
    ping = Push.objects.create(source=source, kind=Push.Kind.PING, created_at=NOW)
    assert not steer.end_webhook(source_id=source.id, push_id=ping.id, actor=ada, now=NOW)
