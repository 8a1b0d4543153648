"""After the day after nobody can say who it was, and no count has moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import OperationalError, connection

from pipeline.engagement import drain, tally
from pipeline.engagement.asking.agents import kind
from pipeline.engagement.keeping import forget as forgetting
from pipeline.engagement.keeping.forget import forget
from pipeline.engagement.models import Event, Horizon, Origin
from pipeline.kernel.config import config
from tests.factories import articles
from tests.factories.engagement import event
from tests.factories.hits import CHROME

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 4, 19, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)
DAY_AFTER_NEXT = DAY + timedelta(days=2)


@pytest.fixture
def origin() -> Origin:
    return Origin.objects.create(id=7, kind=Origin.Kind.EDITION, started_at=DAY)


def persons() -> list[bytes]:
    return [bytes(person) for person in Event.objects.order_by("at", "id").values_list("person", flat=True)]


def test_a_day_is_forgotten_when_the_day_after_next_begins_and_not_before(origin: Origin) -> None:
    event(origin=origin, ordinal=5, at=NOON)
    before = persons()
    assert forget(now=DAY_AFTER_NEXT - timedelta(milliseconds=1)) == 0
    assert (persons(), Event.objects.get().ordinal) == (before, 5)
    assert forget(now=DAY_AFTER_NEXT) == 1
    assert Event.objects.get().ordinal == 0
    assert persons() != before
    assert forget(now=DAY_AFTER_NEXT) == 0


def test_a_process_that_was_slow_opens_no_day_again(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    event(origin=origin, ordinal=5, at=NOON)
    close = forgetting._close_one

    def slow(until: datetime) -> int | None:
        monkeypatch.setattr(forgetting, "_close_one", close)
        forget(now=DAY_AFTER_NEXT + timedelta(days=3))  # another process, by a later clock, before this one's lock
        return close(until)

    monkeypatch.setattr(forgetting, "_close_one", slow)
    assert forget(now=DAY_AFTER_NEXT) == 0
    assert Horizon.objects.get().forgotten == int((DAY + timedelta(days=4)).timestamp()) // 60


def test_one_person_stays_one_person_of_that_day_and_is_another_on_the_next(origin: Origin) -> None:
    for hours in (1, 2, 25):
        event(origin=origin, ordinal=5, at=DAY + timedelta(hours=hours))
    event(origin=origin, ordinal=6, at=DAY + timedelta(hours=3))
    forget(now=DAY + timedelta(days=5))
    one, same, other, next_day = persons()
    assert one == same
    assert len({one, other, next_day}) == 3


def test_no_vote_moves(origin: Origin) -> None:
    story = articles.article()
    for hours, ordinal in ((1, 5), (2, 5), (3, 6), (30, 5)):
        event(origin=origin, ordinal=ordinal, at=DAY + timedelta(hours=hours), article=story)
    tally.rebuild()
    before = tally.kept()
    assert sum(count.n for count in before) == 3
    forget(now=DAY + timedelta(days=5))
    assert tally.kept() == tally.recount() == before


def test_what_a_reader_agreed_to_is_kept(origin: Origin) -> None:
    event(origin=origin, ordinal=5, at=NOON, mode="consented")
    before = persons()
    assert forget(now=DAY_AFTER_NEXT) == 0
    assert (persons(), Event.objects.get().ordinal) == (before, 5)


def test_who_took_consent_back_during_the_day_is_forgotten_for_all_of_it(origin: Origin) -> None:
    for hours, mode in ((1, "consented"), (2, "aggregate")):
        event(origin=origin, ordinal=5, at=DAY + timedelta(hours=hours), mode=mode)
    assert forget(now=DAY_AFTER_NEXT) == 2
    assert set(Event.objects.values_list("ordinal", "mode")) == {(0, "aggregate")}
    assert len(set(persons())) == 1


def test_a_day_waits_for_its_verdicts(origin: Origin) -> None:
    event(origin=origin, ordinal=5, at=NOON, verdict="pending")
    event(origin=origin, ordinal=5, at=NOON)
    assert forget(now=DAY_AFTER_NEXT) == 0
    Event.objects.update(verdict="human")
    assert forget(now=DAY_AFTER_NEXT) == 2


def test_a_day_that_waits_keeps_those_after_it_open_and_closes_none_before_its_time(origin: Origin) -> None:
    for days, verdict in ((0, "human"), (1, "pending"), (2, "human")):
        event(origin=origin, ordinal=5, at=NOON + timedelta(days=days), verdict=verdict)
    assert forget(now=DAY + timedelta(days=9)) == 1
    assert Horizon.objects.get().forgotten == _minute(DAY + timedelta(days=1))
    Event.objects.update(verdict="human")
    assert forget(now=DAY + timedelta(days=9)) == 2
    assert Horizon.objects.get().forgotten == _minute(DAY + timedelta(days=8)), "days without anything are closed too"
    assert forget(now=DAY) == 0
    assert Horizon.objects.get().forgotten == _minute(DAY + timedelta(days=8)), "a clock that goes back opens nothing"


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def test_nothing_arrives_while_a_day_is_closed(origin: Origin) -> None:
    with psycopg.connect(config().database_url, dbname=connection.settings_dict["NAME"]) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [drain.LOCK])
        connection.cursor().execute("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            forget(now=DAY_AFTER_NEXT)


def test_a_visitor_of_the_day_has_no_name_to_forget(origin: Origin) -> None:
    event(origin=origin, ordinal=0, at=NOON, person=b"n" * 16)
    assert forget(now=DAY_AFTER_NEXT) == 0
    assert persons() == [b"n" * 16]


def test_of_every_program_only_its_kind_is_left_and_it_is_judged_as_before(origin: Origin) -> None:
    headers = [CHROME, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.9", ""]
    for number, header in enumerate(headers):
        event(
            origin=origin, ordinal=number % 2, at=NOON, agent=header, mode="consented" if number == 1 else "aggregate"
        )
    event(origin=origin, ordinal=0, at=NOON + timedelta(days=1), agent=CHROME)
    forget(now=DAY_AFTER_NEXT)
    told = list(Event.objects.filter(at=NOON).values_list("agent", flat=True))
    assert sorted(told) == ["", "Mozilla/5.0 (a person)", "Mozilla/5.0 (a person)", "curl/"]
    assert sorted(map(kind, told)) == sorted(map(kind, headers))
    assert Event.objects.get(at__gt=NOON).agent == CHROME, "the day after is not over yet"


def test_days_on_which_nobody_is_named_forget_their_programs_too(origin: Origin) -> None:
    event(origin=origin, ordinal=0, at=NOON, agent=CHROME)
    forget(now=DAY + timedelta(days=5))
    assert Event.objects.get().agent == "Mozilla/5.0 (a person)"
