"""Asking a real DNS server on loopback where a domain's mail goes."""

from __future__ import annotations

import pytest

from pipeline.channels.base import Outcome
from pipeline.channels.mail.mx import Ways
from tests.factories.name_server import BROKEN, SILENT, NameServer

RECORDS: dict[tuple[str, str], list[str] | str] = {
    ("news.example", "MX"): ["10 mx1.news.example.", "20 mx2.news.example."],
    ("mx1.news.example", "A"): ["127.0.0.2"],
    ("mx1.news.example", "AAAA"): ["::1"],
    ("mx2.news.example", "A"): ["127.0.0.3", "127.0.0.4"],
    ("tenant.example", "MX"): ["0 tenant-example.mail.protection.outlook.com."],
    ("bare.example", "A"): ["127.0.0.5"],
    ("web.example", "TXT"): ["nothing here"],
    ("null.example", "MX"): ["0 ."],
    ("broken.example", "MX"): BROKEN,
    ("silent.example", "MX"): SILENT,
}


def ways(server: NameServer, **options: object) -> Ways:
    return Ways(nameservers=["127.0.0.1"], dns_port=server.port, **{"lifetime_s": 0.5, "private": True} | options)  # type: ignore[arg-type]


def test_a_domain_leads_to_its_servers_in_their_order() -> None:
    with NameServer(RECORDS) as server:
        asked = ways(server)
        way = asked.of("News.Example")
        assert (way.group, way.hosts) == ("news.example", ("mx1.news.example", "mx2.news.example"))
        places = asked.places(way.hosts, port=2525)
        addresses = [place.address[:2] for place in places]
        assert addresses[:2] == [("127.0.0.2", 2525), ("::1", 2525)]
        assert set(addresses[2:]) == {("127.0.0.3", 2525), ("127.0.0.4", 2525)}
        assert asked.of("tenant.example").group == "office365"
        assert asked.of("bare.example").hosts == ("bare.example",)


@pytest.mark.parametrize(
    ("domain", "outcome", "enhanced"),
    [
        ("null.example", Outcome.REFUSED, "5.1.10"),
        ("nowhere.example", Outcome.REFUSED, "5.1.2"),
        ("web.example", Outcome.REFUSED, "5.1.2"),
        ("a..example", Outcome.DEFERRED, "4.4.3"),
        ("x" * 64 + ".example", Outcome.REFUSED, "5.1.2"),
        ("broken.example", Outcome.DEFERRED, "4.4.3"),
        ("silent.example", Outcome.DEFERRED, "4.4.3"),
    ],
)
def test_a_domain_without_a_way_says_whether_that_can_change(domain: str, outcome: Outcome, enhanced: str) -> None:
    with NameServer(RECORDS) as server:
        way = ways(server).of(domain)
    assert (way.hosts, way.outcome, way.enhanced) == ((), outcome, enhanced)
    assert way.receipt(7).key == 7


def test_an_answer_is_kept_for_as_long_as_it_says() -> None:
    now = [0.0]
    with NameServer(RECORDS, ttl=300) as server:
        asked = ways(server, clock=lambda: now[0])
        for now[0] in (0.0, 1.0, 299.0):
            asked.of("news.example")
        assert server.asked["news.example", "MX"] == 1
        now[0] = 301.0
        asked.of("news.example")
        assert server.asked["news.example", "MX"] == 2


def test_many_domains_are_asked_at_once() -> None:
    many: dict[tuple[str, str], list[str] | str] = {(f"d{n}.example", "MX"): ["1 mx1.news.example."] for n in range(50)}
    with NameServer(RECORDS | many) as server:
        asked = ways(server)
        asked.prepare(f"d{n % 50}.example" for n in range(500))
        before = sum(server.asked.values())
        assert all(asked.of(f"d{n}.example").hosts for n in range(50))
        assert sum(server.asked.values()) == before


def test_a_readers_domain_cannot_send_us_to_a_machine_of_our_own() -> None:
    with NameServer(RECORDS) as server:
        assert ways(server, private=False).places(("mx1.news.example",), port=25) == []
