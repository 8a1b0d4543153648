"""From the stream into the table: once, in any order, past anything unreadable, and never forgotten too early."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.engagement import drain as draining
from pipeline.engagement.drain import DRAINED, STREAM, backlog, drain, drain_all
from pipeline.engagement.models import Door, Event, Link, Origin, Poison
from pipeline.engagement.records import Flag, Record, event_id, pack
from pipeline.engagement.tokens import Kind
from pipeline.kernel.config import config
from tests.factories import articles

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 5, 0, tzinfo=UTC)
BOOT, OTHER = b"boot-1", b"boot-2"
VISITOR = bytes(range(16))


@pytest.fixture
def stream(db: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete(STREAM, DRAINED)
        yield client
        client.delete(STREAM, DRAINED)


@pytest.fixture
def origin() -> Origin:
    made = Origin.objects.create(id=0xC0FFEE01, kind=Origin.Kind.EDITION, started_at=NOW)
    Link.objects.create(origin=made, number=0, url="https://news.example/a", kind="story", article=articles.article())
    return made


def record(counter: int, *, boot: bytes = BOOT, at: datetime = NOW, **fields: Any) -> Record:
    known: dict[str, Any] = {
        "kind": Kind.CLICK, "origin": 0xC0FFEE01, "ordinal": 7, "link": 0, "flags": Flag.MAC_OK, "method": "GET",
        "visitor": VISITOR, "user_agent": "Mozilla/5.0 (X11) Firefox/140.0", "referrer": "",
    }  # fmt: skip
    return Record(event_id=event_id(boot, counter), at_ms=int(at.timestamp() * 1000), **{**known, **fields})


def post(client: redis.Redis, *records: Record) -> None:
    client.xadd(STREAM, {"p": pack(records)})


def told(client: redis.Redis, boot: bytes = BOOT) -> int:
    return int(client.hget(DRAINED, boot.hex()) or 0)


class CutOff(redis.Redis):
    """A connection that dies after the rows were committed and before the door is told."""

    def hset(self, *_: Any, **__: Any) -> int:
        raise redis.ConnectionError("gone")


def test_a_click_arrives_with_the_article_its_link_leads_to(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1, at=NOW + timedelta(milliseconds=250)))
    assert drain(client=stream, now=NOW) == 1
    row = Event.objects.get()
    assert (row.article_id, row.channel, row.verdict, row.counted) == (
        origin.links.get().article_id,
        "email",
        "pending",
        False,
    )
    assert row.at == NOW + timedelta(milliseconds=250)
    assert bytes(row.person) == (0xC0FFEE01).to_bytes(8, "big") + (7).to_bytes(8, "big")
    assert (bytes(row.network), row.agent, row.flags) == (VISITOR, "Mozilla/5.0 (X11) Firefox/140.0", int(Flag.MAC_OK))
    assert backlog(stream) == 0
    assert told(stream) == 1


def test_an_open_is_of_a_message_and_of_no_article(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1, kind=Kind.OPEN))
    drain(client=stream, now=NOW)
    assert Event.objects.get().article_id is None


@pytest.mark.parametrize(("kind", "channel"), [("edition", "email"), ("post", "social"), ("box", "site")])
def test_the_channel_is_what_carried_the_link(stream: redis.Redis, kind: str, channel: str) -> None:
    Origin.objects.create(id=5, kind=kind, started_at=NOW)
    post(stream, record(1, origin=5))
    drain(client=stream, now=NOW)
    assert Event.objects.get().channel == channel


def test_nobody_in_particular_is_the_visitor_of_the_day(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1, ordinal=0))
    drain(client=stream, now=NOW)
    assert bytes(Event.objects.get().person) == VISITOR


def test_an_origin_nobody_knows_is_kept_as_an_event_of_none(stream: redis.Redis) -> None:
    post(stream, record(1, origin=404))
    assert drain(client=stream, now=NOW) == 1
    assert Event.objects.get().origin_id is None


def test_a_repeat_is_recognised_by_its_id(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1), record(2))
    post(stream, record(2), record(3))
    post(stream, record(1, user_agent="an impostor"))
    assert drain(client=stream, now=NOW) == 3
    assert Event.objects.count() == 3
    assert not Event.objects.filter(agent="an impostor").exists()


def test_a_crash_before_the_door_is_told_repeats_work_and_changes_nothing(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1), record(2))
    with CutOff.from_url(config().redis_url) as cut, pytest.raises(redis.ConnectionError):
        drain(client=cut, now=NOW)
    assert (Event.objects.count(), backlog(stream), told(stream)) == (2, 1, 0)
    assert drain(client=stream, now=NOW) == 0
    assert (Event.objects.count(), backlog(stream), told(stream)) == (2, 0, 2)


def test_what_lies_behind_a_gap_is_not_told_until_the_gap_is_closed(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1), record(2))
    post(stream, record(4), record(5))
    post(stream, record(1, boot=OTHER))
    drain(client=stream, now=NOW)
    assert (told(stream), told(stream, OTHER)) == (2, 1)
    post(stream, record(3))
    drain(client=stream, now=NOW)
    assert told(stream) == 5, "the late frame closes the gap for what came before it"
    assert Door.objects.get(boot=BOOT).upto == 5


def test_counters_beyond_three_bytes_are_read_as_they_were_written(stream: redis.Redis, origin: Origin) -> None:
    first = 2**40
    Door.objects.create(boot=BOOT, upto=first - 1)
    post(stream, record(first), record(first + 1))
    drain(client=stream, now=NOW)
    assert told(stream) == first + 1


@pytest.mark.parametrize(
    "fields",
    [
        {"p": b"no frame at all"},
        {"p": pack([record(9)])[:-1]},
        {"q": b"no payload"},
        {"p": pack([record(9)._replace(at_ms=2**63)])},
    ],
    ids=["noise", "cut", "without", "beyond the calendar"],
)
def test_what_cannot_be_read_is_set_aside_and_stands_in_nobodys_way(
    stream: redis.Redis, origin: Origin, fields: dict[str, bytes]
) -> None:
    post(stream, record(1))
    stream.xadd(STREAM, fields)  # type: ignore[arg-type]
    post(stream, record(2))
    assert drain(client=stream, now=NOW) == 2
    assert backlog(stream) == 0
    aside = Poison.objects.get()
    assert bytes(aside.body) == fields.get("p", b"")
    assert aside.error
    assert told(stream) == 2


def test_an_empty_stream_costs_no_statement(stream: redis.Redis, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert drain(client=stream, now=NOW) == 0


def test_a_second_drain_finds_the_lock_taken_and_leaves(stream: redis.Redis, origin: Origin) -> None:
    post(stream, record(1))
    with psycopg.connect(**_database()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [draining.LOCK])
        assert drain_all(now=NOW) == 0
        assert backlog(stream) == 1
    assert drain_all(now=NOW) == 1


def test_a_long_stream_is_drained_in_portions_and_within_a_slice(stream: redis.Redis, origin: Origin) -> None:
    for counter in range(1, 31):
        post(stream, record(counter))
    assert drain(client=stream, now=NOW, entries=10) == 10
    assert told(stream) == 10
    assert drain_all(now=NOW, portions=1) == 20
    assert told(stream) == 30


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.lists(
        st.lists(st.tuples(st.sampled_from([BOOT, OTHER]), st.integers(1, 12)), min_size=1, max_size=5), max_size=8
    ),
    portion=st.integers(1, 4),
)
def test_any_order_and_any_repeats_give_each_event_once_and_the_mark_before_the_first_gap(
    stream: redis.Redis, entries: list[list[tuple[bytes, int]]], portion: int
) -> None:
    Event.objects.all().delete()
    Door.objects.all().delete()
    stream.delete(STREAM, DRAINED)
    for entry in entries:
        post(stream, *[record(counter, boot=boot) for boot, counter in entry])
    while backlog(stream):
        drain(client=stream, now=NOW, entries=portion)
    seen = {pair for entry in entries for pair in entry}
    assert {(bytes(row.id)[:6], int.from_bytes(bytes(row.id)[6:], "big")) for row in Event.objects.all()} == seen
    for boot in (BOOT, OTHER):
        gap = next(counter for counter in range(1, 14) if (boot, counter) not in seen)
        assert told(stream, boot) == gap - 1


def _database() -> dict[str, Any]:
    return {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in {"dbname", "user", "host", "port"}
    }
