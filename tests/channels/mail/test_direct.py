"""Batches to many domains at once: real servers, a real DNS, every provider at its own pace."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.channels.base import Envelope, Outcome, RateLimited
from pipeline.channels.mail.providers import Caps, Pace
from pipeline.channels.mail.wire import lane
from tests.factories.mail_server import CLOSE, Book, Rule, Visit
from tests.factories.town import Town

A, D, R, P, UNS, UNK = (
    Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.POLICY, Outcome.UNSENT, Outcome.UNKNOWN,
)  # fmt: skip
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


def test_each_reader_is_mailed_at_their_own_server() -> None:
    town = Town({"mx.a.example": {}, "mx.b.example": {}})
    town.lead("a.example", "mx.a.example")
    town.lead("b.example", "mx.b.example")
    book = town.sent([f"r{n}@{'ab'[n % 2]}.example" for n in range(40)])
    assert set(book.outcomes) == {A}
    assert [len(server.stored) for server in town.servers.values()] == [20, 20]
    assert {receipt.group for receipt in book.records} == {"a.example", "b.example"}


def test_domains_of_the_same_servers_share_a_connection() -> None:
    town = Town({"mx.host.example": {}})
    for n in range(8):
        town.lead(f"d{n}.example", "mx.host.example")
    assert set(town.sent([f"r@d{n}.example" for n in range(8)]).outcomes) == {A}
    assert town.servers["mx.host.example"].reached["connect"] == 1


def test_the_next_server_is_tried_where_the_preferred_is_away() -> None:
    town = Town({"up.a.example": {}, "down.a.example": {}}, dead=("down.a.example",))
    town.lead("a.example", "down.a.example", "up.a.example")
    assert town.sent(["r@a.example"] * 3).outcomes == [A] * 3


def test_a_server_that_is_away_defers_its_own_readers_and_no_others() -> None:
    town = Town({"up.a.example": {}, "down.b.example": {}}, dead=("down.b.example",))
    town.lead("a.example", "up.a.example")
    town.lead("b.example", "down.b.example")
    book = town.sent(["r@b.example", "r@a.example", "s@b.example", "r@null.example", "r@nowhere.example"])
    assert book.outcomes == [D, A, D, R, R]
    assert {receipt.enhanced for receipt in book.records} == {"4.4.1", "", "2.0.0", "5.1.10", "5.1.2"} - {""}
    assert book.error is None


@pytest.mark.parametrize("tenants", [1, 12])
def test_a_provider_gets_no_more_connections_than_its_cap_whatever_domains_it_serves(tenants: int) -> None:
    town = Town({f"t{n}.mail.protection.outlook.com": {} for n in range(tenants)})
    for n in range(tenants):
        town.lead(f"t{n}.example", f"t{n}.mail.protection.outlook.com")
    open_now: list[int] = []
    watch = lambda _stage: open_now.append(sum(s.open_now for s in town.servers.values()))  # noqa: E731
    for server in town.servers.values():
        server.before = watch
    book = town.sent([f"r{n}@t{n % tenants}.example" for n in range(120)], processes=2)
    assert set(book.outcomes) == {A}
    assert max(open_now) <= 2 + 1, "a server may still be closing what the next replaces"


def test_a_provider_that_complains_gets_half_and_the_pace_is_known_afterwards() -> None:
    rules: dict[str, Rule] = {"MAIL": lambda n: b"421 4.7.0 slow down\r\n" + CLOSE if n == 30 else None}
    town = Town({"mx.a.example": rules})
    town.lead("a.example", "mx.a.example")
    book = town.sent([f"r{n}@a.example" for n in range(100)])
    assert book.outcomes.count(A) >= 98
    pace = town.channel.gauges["a.example"].pace
    assert (pace.connections, pace.said[:3]) == (5, "421")


def test_a_provider_that_blocks_us_is_left_alone_and_the_others_go_on() -> None:
    rules: dict[str, Rule] = {"MAIL": b"421 4.7.0 [TSS04] Messages temporarily deferred\r\n" + CLOSE}
    town = Town({"mx1.am0.yahoodns.net": rules, "mx.a.example": {}})
    town.lead("yahoo.example", "mx1.am0.yahoodns.net")
    town.lead("a.example", "mx.a.example")
    book = town.sent([f"r{n}@{('yahoo', 'a')[n % 2]}.example" for n in range(80)])
    by_group = {group: [r.outcome for r in book.records if r.group == group] for group in ("yahoo", "a.example")}
    assert set(by_group["a.example"]) == {A}
    assert set(by_group["yahoo"]) == {UNS}
    assert isinstance(book.error, RateLimited)
    assert 7000 < (book.error.retry_after_s or 0) <= 7200
    assert town.servers["mx1.am0.yahoodns.net"].reached["connect"] <= 10


def test_a_pause_learnt_before_is_kept() -> None:
    town = Town({"mx.a.example": {}})
    town.lead("a.example", "mx.a.example")
    paused = Pace(Caps(), 1, 0, NOW, paused_until=NOW + timedelta(minutes=9), said="421 not now")
    book = town.sent(["r@a.example"] * 3, paces={"a.example": paused}, clock=lambda: NOW)
    assert (book.outcomes, town.servers["mx.a.example"].reached["connect"]) == ([UNS] * 3, 0)
    assert isinstance(book.error, RateLimited)
    assert book.error.retry_after_s == 540


def test_a_crawl_keeps_no_batch_waiting_for_longer_than_two_minutes_of_it() -> None:
    town = Town({"mx.a.example": {}})
    town.lead("a.example", "mx.a.example")
    crawl = Pace(Caps(), 1, 600, NOW)
    slow = Pace(Caps(), 1, 2, NOW)
    assert town.sent([f"r{n}@a.example" for n in range(12)], paces={"a.example": crawl}).outcomes == [A] * 12
    again = Town({"mx.a.example": {}})
    again.lead("a.example", "mx.a.example")
    book, started = Book(), datetime.now(UTC)
    stop = lambda: datetime.now(UTC) - started > timedelta(seconds=1)  # noqa: E731
    again.sent(
        [f"r{n}@a.example" for n in range(12)], book=book, stopping=stop, paces={"a.example": slow}, clock=lambda: NOW
    )
    assert book.outcomes.count(A) == 1
    assert sum("stopped" not in r.text and r.outcome is UNS for r in book.records) >= 7


def test_a_server_that_tires_of_a_slow_sender_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "_IDLE_PAUSE_S", 0.01)
    monkeypatch.setattr(Visit, "timeout", 0.2)
    town = Town({"mx.a.example": {}})
    town.lead("a.example", "mx.a.example")
    slow = Pace(Caps(), 1, 40, NOW)
    book = town.sent(["r@a.example"] * 3, paces={"a.example": slow}, clock=lambda: NOW)
    assert book.outcomes == [A] * 3
    assert town.servers["mx.a.example"].reached["connect"] > 2
    assert town.channel.gauges["a.example"].pace.connections == 1


def test_a_new_sender_hands_over_no_more_than_the_days_plan() -> None:
    town = Town({"mx.a.example": {}, "mx.b.example": {}})
    town.lead("a.example", "mx.a.example")
    town.lead("b.example", "mx.b.example")
    book = town.sent(
        [f"r{n}@{'ab'[n % 2]}.example" for n in range(40)],
        today=lambda group: (7, 600) if group == "a.example" else None,
    )
    assert len(town.servers["mx.a.example"].stored) == 7
    assert len(town.servers["mx.b.example"].stored) == 20
    assert isinstance(book.error, RateLimited)
    assert town.channel.left == {"a.example": 0}


def test_stopping_puts_back_what_has_not_left() -> None:
    town = Town({"mx.a.example": {}})
    town.lead("a.example", "mx.a.example")
    book = Book()
    town.sent([f"r{n}@a.example" for n in range(300)], book=book, stopping=lambda: len(book.records) >= 5)
    assert {A, UNS} == set(book.outcomes)
    assert book.error is None


def test_a_source_that_fails_is_heard_after_those_in_flight() -> None:
    class Torn(Book):
        def source(self, envelopes: list[Envelope]) -> Iterator[Envelope]:
            yield from super().source(envelopes)
            raise LookupError("the table is gone")

    town = Town({"mx.a.example": {}})
    town.lead("a.example", "mx.a.example")
    book = Torn()
    with pytest.raises(LookupError):
        town.sent(["r@a.example"] * 3, book=book)
    book.check(town.servers["mx.a.example"].stored)


def test_a_connection_lost_after_the_dot_is_unknown_here_too() -> None:
    town = Town({"mx.a.example": {"dot": lambda n: CLOSE if n == 2 else None}})
    town.lead("a.example", "mx.a.example")
    book = town.sent(["r@a.example"] * 4)
    assert book.outcomes.count(UNK) == 1
    assert D not in book.outcomes


def test_tls_is_taken_where_offered_without_asking_who_vouches(secure: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    town = Town({"mx.a.example": {}}, tls=secure[0])
    town.servers["mx.a.example"].words = ("STARTTLS", "PIPELINING")
    town.lead("a.example", "mx.a.example")
    assert town.sent(["r@a.example"] * 3).outcomes == [A] * 3
    assert town.servers["mx.a.example"].reached["STARTTLS"] == 1


def test_what_must_not_go_in_the_clear_waits() -> None:
    town = Town({"mx.google.com": {}})
    town.lead("g.example", "mx.google.com")
    book = town.sent(["r@g.example"] * 3)
    assert book.outcomes == [D] * 3
    assert town.servers["mx.google.com"].reached["MAIL"] == 0
    assert "STARTTLS" in book.records[0].text


def test_a_refusal_that_blames_us_says_whose_it_is() -> None:
    town = Town({"mx.a.example": {"RCPT": b"550 5.7.1 spam\r\n"}})
    town.lead("a.example", "mx.a.example")
    book = town.sent(["r@a.example"] * 2)
    assert [(r.outcome, r.group, r.enhanced) for r in book.records] == [(P, "a.example", "5.7.1")] * 2
