"""What the drain keeps of an act: what the newsletter and its reader allow at that moment, and of a view its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from pipeline.delivery.models import Delivery, Send
from pipeline.engagement import tally
from pipeline.engagement.drain import DRAINED, STREAM, drain
from pipeline.engagement.keeping import reports
from pipeline.engagement.keeping.expire import expire
from pipeline.engagement.keeping.forget import forget
from pipeline.engagement.models import Event, Horizon, Reading, Report
from pipeline.engagement.records import Flag, Record, event_id, pack
from pipeline.engagement.settle import settle
from pipeline.engagement.tokens import UNRECORDED, Kind
from pipeline.kernel.config import config
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.hits import CHROME

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 5, 0, tzinfo=UTC)
DAY = int(NOW.timestamp()) // 86_400
VISITOR = bytes(range(16))
BEACON: dict[str, Any] = {"kind": Kind.VIEW, "origin": 0, "link": 0, "method": "POST", "flags": Flag.MAC_OK | Flag.HEAD}


def untold() -> bool:
    """No report says anything of acts, nor is to be computed; what the audience was made of is not an act."""
    return all(row.stale_since is None and "days" not in row.body for row in Report.objects.all())


@pytest.fixture
def stream(db: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete(STREAM, DRAINED)
        yield client
        client.delete(STREAM, DRAINED)


@pytest.fixture
def sent() -> Send:
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    audience.readers(count=1, follows=newsletter.topic)
    made = deliveries.send(edition=editions.composed(newsletter=newsletter))
    deliveries.answered(send=made, states=[Delivery.State.ACCEPTED])
    return made


def record(counter: int, *, at: datetime = NOW, **fields: Any) -> Record:
    known: dict[str, Any] = {
        "kind": Kind.CLICK, "origin": 0, "ordinal": 1, "link": 0, "flags": Flag.MAC_OK, "method": "GET",
        "visitor": VISITOR, "user_agent": CHROME, "referrer": "",
    }  # fmt: skip
    return Record(event_id=event_id(b"boot-1", counter), at_ms=int(at.timestamp() * 1000), **{**known, **fields})


def drained(client: redis.Redis, *records: Record) -> list[Event]:
    client.xadd(STREAM, {"p": pack(records)})
    drain(client=client, now=NOW)
    return list(Event.objects.order_by("id"))


def choose(sent: Send, *, newsletter: str, reader: str, since: timedelta = timedelta(days=-1)) -> None:
    sent.edition.newsletter.tracking = newsletter
    sent.edition.newsletter.save()
    who = sent.deliveries.get().subscriber
    who.tracking, who.tracking_at = reader, sent.origin.started_at + since
    who.save()


@pytest.mark.parametrize(
    ("newsletter", "reader", "mode"),
    [
        ("aggregate", "aggregate", "aggregate"),
        ("aggregate", "consented", "aggregate"),
        ("consented", "aggregate", "aggregate"),
        ("consented", "consented", "consented"),
        ("off", "consented", "off"),
        ("consented", "off", "off"),
    ],
)
def test_the_lesser_of_two_choices_holds(
    stream: redis.Redis, sent: Send, newsletter: str, reader: str, mode: str
) -> None:
    choose(sent, newsletter=newsletter, reader=reader)
    [row] = drained(stream, record(1, origin=sent.origin_id))
    assert row.mode == mode


def test_consent_given_after_the_edition_left_is_none_for_it(stream: redis.Redis, sent: Send) -> None:
    choose(sent, newsletter="consented", reader="consented", since=timedelta(seconds=1))
    [row] = drained(stream, record(1, origin=sent.origin_id))
    assert row.mode == "aggregate"


def test_who_asks_for_privacy_at_the_click_is_counted_and_not_kept(stream: redis.Redis, sent: Send) -> None:
    choose(sent, newsletter="consented", reader="consented")
    asked, not_asked = Flag.MAC_OK | Flag.PRIVATE, Flag.MAC_OK
    drained(stream, record(1, origin=sent.origin_id, flags=asked), record(2, origin=sent.origin_id, flags=not_asked))
    assert list(Event.objects.order_by("id").values_list("mode", flat=True)) == ["aggregate", "consented"]
    settle(now=NOW + timedelta(hours=1))
    assert set(Event.objects.values_list("verdict", flat=True)) == {"human"}
    assert forget(now=NOW + timedelta(days=2)) == 2, "of that day nothing of this reader stays named"


def test_consent_taken_back_acts_at_the_next_hit(stream: redis.Redis, sent: Send) -> None:
    choose(sent, newsletter="consented", reader="consented")
    drained(stream, record(1, origin=sent.origin_id))
    choose(sent, newsletter="consented", reader="off", since=timedelta(hours=1))
    rows = drained(stream, record(2, origin=sent.origin_id))
    assert [row.mode for row in rows] == ["consented", "off"]


def test_off_keeps_nothing_but_that_the_doors_event_was_seen(stream: redis.Redis, sent: Send) -> None:
    choose(sent, newsletter="off", reader="aggregate")
    [row] = drained(stream, record(1, origin=sent.origin_id))
    kept = (row.origin_id, row.ordinal, row.article_id, bytes(row.person), bytes(row.network), row.agent, row.verdict)
    assert kept == (None, 0, None, bytes(16), bytes(16), "", "unknown")
    assert row.at == NOW.replace(hour=0)
    assert stream.hget(DRAINED, b"boot-1".hex()) == b"1", "the door may forget it"
    assert untold()
    assert settle(now=NOW + timedelta(days=1)) == 0
    assert len(drained(stream, record(1, origin=sent.origin_id))) == 1


def test_a_link_of_all_who_are_not_recorded_keeps_nothing_though_it_names_no_reader(
    stream: redis.Redis, sent: Send
) -> None:
    choose(sent, newsletter="aggregate", reader="off")
    [row] = drained(stream, record(1, origin=sent.origin_id, ordinal=UNRECORDED))
    assert (row.mode, row.origin_id, row.ordinal, bytes(row.network), row.rules) == ("off", None, 0, bytes(16), ["OFF"])


def test_what_arrives_after_its_day_was_removed_counts_nothing(stream: redis.Redis, sent: Send) -> None:
    Horizon.objects.create(minute=(DAY + 1) * 1440)
    [row] = drained(stream, record(1, origin=sent.origin_id))
    assert (row.mode, row.article_id, row.rules) == ("off", None, ["LATE"])
    assert tally.kept() == []


def test_what_arrives_after_its_day_was_removed_is_told_once_and_for_good(stream: redis.Redis, sent: Send) -> None:
    drained(stream, record(1, origin=sent.origin_id))
    settle(now=NOW + timedelta(hours=1))
    gone = NOW + timedelta(days=40)
    assert expire(now=gone) == 1
    late = [
        record(2, origin=sent.origin_id),
        record(3, origin=sent.origin_id),
        record(4, origin=sent.origin_id, kind=Kind.OPEN),
    ]
    drained(stream, *late)
    drained(stream, *late[:2])
    for _ in range(2):
        reports.refresh(now=gone)
        seen = reports.told(sent.origin_id)
        assert seen.filtered == (("click", "unknown", "LATE", 2), ("open", "unknown", "LATE", 1))
        assert seen.people == {"click": 1}, "what was counted stands"
        expire(now=gone + timedelta(days=1))
        reports.mark([sent.origin_id], now=gone + timedelta(days=1))
        gone += timedelta(days=1)


def test_who_wants_nothing_recorded_is_not_told_of_when_late_either(stream: redis.Redis, sent: Send) -> None:
    choose(sent, newsletter="aggregate", reader="off")
    Horizon.objects.create(minute=(DAY + 1) * 1440)
    rows = drained(stream, record(1, origin=sent.origin_id), record(2, origin=sent.origin_id, ordinal=UNRECORDED))
    assert [(row.rules, row.origin_id) for row in rows] == [(["OFF"], None)] * 2
    assert untold()


def test_what_arrives_for_a_forgotten_day_is_told_and_counts_nothing(stream: redis.Redis, sent: Send) -> None:
    """Who it was has another name by then: a second vote of one person, were it counted."""
    link = sent.origin.links.exclude(article=None).first()
    click = {"origin": sent.origin_id, "link": link.number}
    drained(stream, record(1, **click))
    settle(now=NOW + timedelta(hours=1))
    assert forget(now=NOW + timedelta(days=2)) == 1
    rows = drained(stream, record(2, **click), record(3, at=NOW + timedelta(days=1), **click))
    late, next_day = rows[1], rows[2]
    assert (late.mode, late.origin_id, late.ordinal, late.rules) == ("off", sent.origin_id, 0, ["LATE"])
    assert (late.article_id, bytes(late.person)) == (None, bytes(16))
    assert (next_day.mode, next_day.ordinal, next_day.verdict) == ("aggregate", 1, "pending")
    settle(now=NOW + timedelta(days=3))
    assert [(count.article_id, count.n) for count in tally.kept()] == [(link.article_id, 1)] * 2, (
        "one vote for each day"
    )
    assert tally.kept() == tally.recount()
    reports.refresh(now=NOW + timedelta(days=3))
    assert ("click", "unknown", "LATE", 1) in reports.told(sent.origin_id).filtered


def test_a_visitor_without_a_name_is_never_too_late_for_a_forgotten_day(stream: redis.Redis, sent: Send) -> None:
    forget(now=NOW + timedelta(days=2))
    [row, view] = drained(
        stream,
        record(1, origin=sent.origin_id, ordinal=0),
        record(2, **BEACON, ordinal=articles.article().id, seconds=9),
    )
    assert (row.mode, view.mode) == ("aggregate", "aggregate")


def test_of_what_comes_days_late_the_program_is_told_by_its_kind(stream: redis.Redis, sent: Send) -> None:
    old = NOW - timedelta(days=2)
    rows = drained(stream, record(1, origin=sent.origin_id, ordinal=0, at=old), record(2, origin=sent.origin_id))
    assert [row.agent for row in rows] == ["Mozilla/5.0 (a person)", CHROME]


def test_of_what_comes_when_its_day_is_forgotten_the_program_is_told_by_its_kind(
    stream: redis.Redis, sent: Send
) -> None:
    """Another process, or a clock some minutes ahead, forgot the day while this drain was on its way to the lock."""
    forget(now=(NOW + timedelta(days=2)).replace(hour=0))
    tomorrow = NOW + timedelta(days=1)
    rows = drained(stream, record(1, origin=0, ordinal=0), record(2, origin=0, ordinal=0, at=tomorrow))
    assert [row.agent for row in rows] == ["Mozilla/5.0 (a person)", CHROME]


def test_an_event_makes_the_report_of_its_origin_stale(stream: redis.Redis, sent: Send) -> None:
    drained(stream, record(1, origin=sent.origin_id), record(2, origin=sent.origin_id))
    assert Report.objects.get().origin_id == sent.origin_id
    assert Report.objects.get().stale_since == NOW


def test_a_view_and_its_later_reports_are_one_reading(stream: redis.Redis) -> None:
    story = articles.article()
    view = record(1, ordinal=story.id, seconds=40, **BEACON)
    rows = drained(stream, view, view, record(2, ordinal=story.id, seconds=25, **BEACON | {"link": 1}))
    assert [(row.article_id, row.ordinal, row.seconds, row.channel) for row in rows] == [
        (story.id, 0, 40, "site"), (story.id, 0, 25, "site"),
    ]  # fmt: skip
    assert {bytes(row.person) for row in rows} == {VISITOR}
    assert Reading.objects.values_list("day", "views", "seconds").get() == (DAY, 1, 65)
    drained(stream, view, record(3, ordinal=story.id, seconds=5, **BEACON))
    assert Reading.objects.values_list("day", "views", "seconds").get() == (DAY, 2, 70)
    settle(now=NOW + timedelta(hours=1))
    assert set(Event.objects.values_list("verdict", flat=True)) == {"human"}


@pytest.mark.parametrize(
    "changes",
    [
        {"flags": Flag.HEAD}, {"flags": Flag.MAC_OK | Flag.PREFETCH}, {"flags": Flag.MAC_OK | Flag.SCANNER},
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, {"ordinal": 999_999_999}, {"seconds": None},
    ],
    ids=["forged", "ahead", "scanner", "robot", "no such story", "no time"],
)  # fmt: skip
def test_nobody_reads_what_nobody_looks_at(stream: redis.Redis, changes: dict[str, Any]) -> None:
    story = articles.article()
    drained(stream, record(1, **{"ordinal": story.id, "seconds": 40, **BEACON, **changes}))
    assert not Reading.objects.exists()
