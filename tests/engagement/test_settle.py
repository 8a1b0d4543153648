"""Verdicts over real rows: late on purpose, with every neighbour, and never for a forged link."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.delivery.models import Delivery, Feedback, Send
from pipeline.engagement import tally
from pipeline.engagement.hits import PRODUCTION, Hit
from pipeline.engagement.models import Event
from pipeline.engagement.records import Flag
from pipeline.engagement.settle import BY_MACHINE, NOWHERE, TOLD_S, settle, thresholds, void_told
from pipeline.engagement.verdicts import counts_from, judge
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.engagement import event

pytestmark = pytest.mark.django_db
ACCEPTED_AT = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
READERS = 30
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOME, OFFICE = b"home-network-key", b"office-netwrk-key"[:16]
AGES = ACCEPTED_AT + timedelta(days=1)


@dataclass(frozen=True)
class Sent:
    """An accepted edition and its links by kind."""

    send: Send
    stories: Sequence[int]
    trap: int

    def hit(self, after_s: float, *, ordinal: int = 1, link: int = 0, **fields: Any) -> Event:
        """A pending click, `after_s` seconds after acceptance, on a story by its place."""
        number = self.stories[link]
        known = {"agent": AGENT, "verdict": "pending", "network": HOME}
        at = ACCEPTED_AT + timedelta(seconds=after_s)
        article = self.send.origin.links.get(number=number).article
        return event(
            origin=self.send.origin, ordinal=ordinal, link=number, article=article, at=at, **{**known, **fields}
        )


@pytest.fixture
def sent() -> Sent:
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    audience.readers(count=READERS, follows=newsletter.topic)
    send = deliveries.send(edition=editions.composed(newsletter=newsletter))
    deliveries.answered(send=send, states=[Delivery.State.ACCEPTED] * READERS, now=ACCEPTED_AT)
    links = send.origin.links.order_by("number")
    stories = [link.number for link in links if link.kind == "story"]
    return Sent(send, stories, next(link.number for link in links if link.kind == "honeypot"))


def verdict(row: Event) -> tuple[str, list[str]]:
    row.refresh_from_db()
    return row.verdict, row.rules


def test_a_click_is_judged_when_its_quarantine_has_passed_and_not_before(sent: Sent) -> None:
    row = sent.hit(120)
    assert settle(now=row.at + timedelta(seconds=29)) == 0
    assert verdict(row) == ("pending", [])
    assert tally.kept() == []
    assert settle(now=row.at + timedelta(seconds=30)) == 1
    assert verdict(row) == ("human", [])
    assert [(count.article_id, count.n) for count in tally.kept()] == [(row.article_id, 1)]
    assert settle(now=row.at + timedelta(days=1)) == 0, "what is decided is not decided again"


@pytest.mark.parametrize(
    ("after_s", "fields", "expected"),
    [
        (29, {}, ("scanner", ["R6"])),
        (31, {}, ("human", [])),
        (31, {"kind": "open"}, ("scanner", ["R6"])),
        (61, {"kind": "open"}, ("human", [])),
        (120, {"method": "HEAD"}, ("scanner", ["R1"])),
        (120, {"flags": int(Flag.MAC_OK | Flag.PREFETCH)}, ("prefetch", ["R2"])),
        (120, {"flags": int(Flag.MAC_OK | Flag.HONEYPOT)}, ("scanner", ["R4"])),
        (120, {"flags": int(Flag.MAC_OK | Flag.MANGLED)}, ("unknown", ["DAMAGED"])),
        (120, {"flags": int(Flag.MAC_OK | Flag.SCANNER)}, ("scanner", ["R5"])),
        (590, {"flags": int(Flag.MAC_OK | Flag.GATEWAY)}, ("scanner", ["R6"])),
        (610, {"flags": int(Flag.MAC_OK | Flag.GATEWAY)}, ("human", [])),
        (120, {"agent": "curl/8.9"}, ("scanner", ["R3"])),
        (120, {"kind": "leave", "method": "POST"}, ("scanner", ["R1"])),
    ],
)  # fmt: skip
def test_what_the_door_saw_decides(
    sent: Sent, after_s: float, fields: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    row = sent.hit(after_s, **fields)
    settle(now=AGES)
    assert verdict(row) == expected


@pytest.mark.parametrize("flags", [0, Flag.MANGLED, Flag.PREFETCH, Flag.HONEYPOT])
def test_a_forged_link_never_counts_whoever_follows_it(sent: Sent, flags: int) -> None:
    row = sent.hit(120, ordinal=0, flags=int(flags))
    honest = sent.hit(130)
    settle(now=AGES)
    assert verdict(row) == ("unknown", ["MAC"])
    assert verdict(honest) == ("human", [])
    assert sum(count.n for count in tally.kept()) == 1
    assert tally.kept() == tally.recount()


def test_the_hidden_link_unmasks_its_follower_and_takes_the_vote_back(sent: Sent) -> None:
    row = sent.hit(120)
    settle(now=row.at + timedelta(seconds=31))
    assert sum(count.n for count in tally.kept()) == 1
    trap = sent.hit(125, link=0)
    Event.objects.filter(id=trap.id).update(link=sent.trap, article=None)
    assert settle(now=trap.at + timedelta(seconds=31)) == 2
    assert verdict(row) == ("scanner", ["R4", "R7"])
    assert tally.kept() == tally.recount() == []


def test_what_the_provider_called_a_machine_before_the_verdict_is_none_of_a_persons(sent: Sent) -> None:
    flagged, other, later = sent.hit(120, link=0), sent.hit(120, ordinal=2), sent.hit(200, link=0)
    copy = sent.send.deliveries.get(ordinal=1)
    known = {"kind": "other", "way": "webhook", "address_hash": b"", "noted_at": AGES, "delivery": copy}
    Feedback.objects.create(
        event="hook:1",
        reason=f"{BY_MACHINE}click",
        status=str(flagged.link),
        at=flagged.at - timedelta(seconds=TOLD_S),
        **known,
    )
    settle(now=AGES)
    assert verdict(flagged) == ("scanner", ["P1"])
    assert verdict(other) == verdict(later) == ("human", [])
    assert void_told([copy.id], now=AGES) == 0
    assert tally.kept() == tally.recount()


def test_a_delivery_in_doubt_does_not_say_when_its_reader_had_the_mail(sent: Sent) -> None:
    """It is put in doubt when a dead worker's batch is taken over, after its reader may have read it."""
    Delivery.objects.filter(send=sent.send, ordinal=1).update(state=Delivery.State.UNKNOWN)
    row = sent.hit(5)
    settle(now=AGES)
    assert verdict(row) == ("human", [])


def test_a_bounce_afterwards_does_not_undo_when_the_mail_was_accepted(sent: Sent) -> None:
    Delivery.objects.filter(send=sent.send, ordinal=1).update(state=Delivery.State.BOUNCED)
    row = sent.hit(5)
    settle(now=AGES)
    assert verdict(row) == ("scanner", ["R6"])


def test_a_neighbour_waits_until_its_own_neighbours_are_read(sent: Sent) -> None:
    trap = sent.hit(115, ordinal=2, network=OFFICE)
    Event.objects.filter(id=trap.id).update(link=sent.trap, article=None)
    settle(now=AGES)
    first, second = sent.hit(120, ordinal=1), sent.hit(121, ordinal=2)
    settle(now=AGES, portion=1)
    assert (verdict(first)[0], verdict(second)[0]) == ("human", "pending")
    settle(now=AGES, portion=1)
    assert verdict(second) == ("scanner", ["R4"])


@pytest.mark.parametrize(
    ("network", "expected"), [(OFFICE, ("scanner", ["R9"])), (NOWHERE, ("human", []))], ids=["one network", "unknown"]
)
def test_a_crowd_needs_a_network_in_common(sent: Sent, network: bytes, expected: tuple[str, list[str]]) -> None:
    rows = [sent.hit(300 + n, ordinal=n, network=network) for n in range(1, 26)]
    settle(now=AGES)
    assert {(found, tuple(rules)) for found, rules in map(verdict, rows)} == {(expected[0], tuple(expected[1]))}


def test_the_way_out_and_a_story_are_two_links_of_one_message(sent: Sent) -> None:
    rows = [sent.hit(300, link=0), sent.hit(301, kind="leave", link=0), sent.hit(302, kind="view", link=0)]
    settle(now=AGES)
    assert {tuple(verdict(row)[1]) for row in rows} == {("R7",)}


def test_one_settler_at_a_time(sent: Sent) -> None:
    row = sent.hit(120)
    known = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in {"dbname", "user", "host", "port"}
    }
    with psycopg.connect(**known) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [tally.LOCK])
        assert settle(now=AGES) == 0
    assert settle(now=AGES) == 1
    assert verdict(row)[0] == "human"


@pytest.mark.parametrize("quarantine_s", [1, 30, 120])
def test_the_newsrooms_quarantine_is_never_shorter_than_the_verdicts_own(quarantine_s: int) -> None:
    """`settle` waits for the click's own age; `counts_from` also for the acceptance before it."""
    limits = thresholds(quarantine_s)
    for delivered_s in (0, quarantine_s / 2, quarantine_s, 10_000):
        hit = Hit(at=ACCEPTED_AT, delivered_at=ACCEPTED_AT - timedelta(seconds=delivered_s), message="m", link="1")
        assert counts_from(hit, thresholds=limits) <= hit.at + timedelta(seconds=quarantine_s)
    assert thresholds(PRODUCTION.click_after_s) == PRODUCTION


hits = st.tuples(
    st.integers(0, 90), st.integers(1, 3), st.integers(0, 3), st.sampled_from([HOME, OFFICE, NOWHERE]),
    st.sampled_from([int(Flag.MAC_OK), int(Flag.MAC_OK | Flag.HONEYPOT), int(Flag.MAC_OK | Flag.MANGLED)]),
    st.sampled_from(["GET", "HEAD"]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=st.lists(st.lists(hits, max_size=4), min_size=1, max_size=5), portion=st.integers(1, 6))
def test_portions_and_late_arrivals_end_where_judging_all_at_once_ends(
    sent: Sent, arrivals: list[list[tuple[Any, ...]]], portion: int
) -> None:
    with transaction.atomic():
        for arrived in arrivals:
            for after_s, ordinal, link, network, flags, method in arrived:
                sent.hit(
                    after_s, ordinal=ordinal, link=link, network=network, flags=flags, method=method, id=os.urandom(12)
                )
            while settle(now=AGES, portion=portion):
                pass
        rows = list(Event.objects.order_by("at", "id"))
        together = judge([_hit(row) for row in rows])
        assert [row.verdict for row in rows] == [str(one.verdict) for one in together]
        assert tally.kept() == tally.recount()
        transaction.set_rollback(True)


def _hit(row: Event) -> Hit:
    return Hit(
        at=row.at, delivered_at=ACCEPTED_AT, message=str(row.ordinal), link=str(row.link), method=row.method, ua=row.agent,
        ip="" if bytes(row.network) == NOWHERE else bytes(row.network).hex(), honeypot=bool(row.flags & Flag.HONEYPOT),
        mangled=bool(row.flags & Flag.MANGLED), network="",
    )  # fmt: skip
