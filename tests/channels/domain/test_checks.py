"""A domain as receivers see it: set up well, badly, not at all, and not to be looked up."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import dns.resolver
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from pipeline.channels.base import MailServer
from pipeline.channels.domain.ask import NameServers, outgoing_of, secrecy_of, seen_addresses
from pipeline.channels.domain.checks import BAD, LOOK, OK, UNKNOWN, Outgoing, Row, Secrecy, Wanted, as_text, rows
from pipeline.kernel.processes.supervisor import free_port
from tests.channels.domain.conftest import Asked, Records, through
from tests.channels.domain.test_records import rsa_record
from tests.factories.certificates import authority
from tests.factories.name_server import BROKEN, SILENT, NameServer

KEY = rsa_record(2048)
SEEN = "192.0.2.10"
WANTED = Wanted(
    domain="news.example",
    bounce_domain="bounce.news.example",
    site_url="https://www.news.example",
    addresses=(SEEN,),
    keys=(("n1", KEY),),
    tls=Secrecy("mail.news.example", "starttls", version="TLSv1.3"),
)


def quoted(text: str) -> list[str]:
    return [" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))]


def zone(**changed: list[str] | str | None) -> Records:
    """Everything as it should be, but for what is changed."""
    known: dict[str, tuple[tuple[str, str], list[str]]] = {
        "spf": (("bounce.news.example", "TXT"), quoted(f"v=spf1 ip4:{SEEN} -all")),
        "dkim": (("n1._domainkey.news.example", "TXT"), quoted(KEY)),
        "dmarc": (("_dmarc.news.example", "TXT"), quoted("v=DMARC1; p=quarantine")),
        "ptr": (("10.2.0.192.in-addr.arpa", "PTR"), ["mail.news.example."]),
        "a": (("mail.news.example", "A"), [SEEN]),
        "mx": (("bounce.news.example", "MX"), ["10 mail.news.example."]),
        "own": (("news.example", "MX"), ["10 mail.news.example."]),
    }
    found: Records = {}
    for name, (key, usual) in known.items():
        value = changed.get(name, usual)
        if value is not None:
            found[key] = value
    return found


def named(found: list[Row], what: str) -> Row:
    [row] = [row for row in found if row.what == what]
    return row


def test_a_domain_set_up_as_it_should_be_has_nothing_to_mend(ask: Asked) -> None:
    found = rows(WANTED, ask(zone()))
    assert {row.level for row in found} == {OK}
    assert [row.what for row in found] == [
        "SPF", "DKIM n1", "DMARC", "alignment", "reverse name", "MX of bounces", "MX of the From domain", "TLS", "one click",
    ]  # fmt: skip
    assert as_text(found) == ""


@pytest.mark.parametrize(
    ("changed", "what", "level", "record"),
    [
        ({"spf": None}, "SPF", BAD, f'bounce.news.example. IN TXT "v=spf1 ip4:{SEEN} -all"'),
        ({"spf": quoted("v=spf1 mx:x.example -all")}, "SPF", LOOK, f'bounce.news.example. IN TXT "v=spf1 mx:x.example ip4:{SEEN} -all"'),
        ({"spf": ['"v=spf1 -all"', '"v=spf1 +all"']}, "SPF", BAD, f'bounce.news.example. IN TXT "v=spf1 ip4:{SEEN} -all"'),
        ({"dkim": None}, "DKIM n1", BAD, f'n1._domainkey.news.example. IN TXT "{KEY[:255]}" "{KEY[255:]}"'),
        ({"dkim": quoted(rsa_record(2048))}, "DKIM n1", BAD, f'n1._domainkey.news.example. IN TXT "{KEY[:255]}" "{KEY[255:]}"'),
        ({"dmarc": None}, "DMARC", BAD, '_dmarc.news.example. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@news.example"'),
        ({"dmarc": quoted("v=DMARC1; p=maybe")}, "DMARC", BAD, ""),
        ({"ptr": None}, "reverse name", BAD, "10.2.0.192.in-addr.arpa. IN PTR mail.news.example."),
        ({"ptr": ["other.example."]}, "reverse name", BAD, "10.2.0.192.in-addr.arpa. IN PTR mail.news.example."),
        ({"mx": None}, "MX of bounces", BAD, "bounce.news.example. IN MX 10 mail.bounce.news.example."),
        ({"mx": ["0 ."]}, "MX of bounces", BAD, "bounce.news.example. IN MX 10 mail.bounce.news.example."),
        ({"mx": ["10 nowhere.example."]}, "MX of bounces", BAD, ""),
        ({"own": None}, "MX of the From domain", LOOK, "news.example. IN MX 10 mail.news.example."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_record_that_mends_it(
    ask: Asked, changed: dict[str, list[str] | None], what: str, level: str, record: str
) -> None:
    found = rows(WANTED, ask(zone(**changed)))
    row = named(found, what)
    assert (row.level, row.record) == (level, record), row
    assert record in as_text(found).splitlines() or not record
    assert {other.level for other in found if other.what not in (what, "alignment")} == {OK}


def test_publishing_what_was_said_mends_it(ask: Asked) -> None:
    """The oracle: a zone made of the printed lines has nothing left to mend."""
    broken = rows(WANTED, ask(zone(spf=None, dkim=None, dmarc=None, ptr=None)))
    published = zone(spf=None, dkim=None, dmarc=None, ptr=None)
    for line in as_text(broken).splitlines():
        name, _, kind, value = line.split(" ", 3)
        published[name.rstrip("."), kind] = [value]
    assert {row.level for row in rows(WANTED, ask(published))} == {OK}


@pytest.mark.parametrize(
    ("changed", "what", "level"),
    [
        ({"keys": ()}, "DKIM", LOOK),
        ({"bounce_domain": "bounce.elsewhere.example"}, "alignment", LOOK),
        ({"bounce_domain": "bounce.elsewhere.example", "signs_as": "elsewhere.example"}, "alignment", BAD),
        ({"addresses": ()}, "SPF", LOOK),
        ({"addresses": ()}, "reverse name", UNKNOWN),
        ({"include": "p.example"}, "SPF", BAD),
        ({"site_url": "http://www.news.example"}, "one click", BAD),
        ({"tls": Secrecy("mail.news.example", "plain")}, "TLS", BAD),
        ({"tls": Secrecy("localhost", "plain", local=True)}, "TLS", OK),
        ({"tls": Secrecy("mail.news.example", "starttls", said="certificate expired")}, "TLS", BAD),
    ],
)
def test_how_we_send_changes_what_is_expected(ask: Asked, changed: dict[str, object], what: str, level: str) -> None:
    assert named(rows(replace(WANTED, **changed), ask(zone())), what).level == level  # type: ignore[arg-type]


# -- where DNS does not answer


def test_without_any_name_server_all_is_unknown_and_what_needs_none_is_still_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.channels.domain.ask.PATIENCE_S", 0.3)
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], 9
    found = rows(WANTED, NameServers(resolver))
    assert {row.what: row.level for row in found} == {
        "SPF": UNKNOWN, "DKIM": UNKNOWN, "DMARC": UNKNOWN, "reverse name": UNKNOWN, "MX": UNKNOWN, "TLS": OK, "one click": OK,
    }  # fmt: skip
    assert all("could not be looked up" in row.found for row in found if row.level == UNKNOWN)
    assert as_text(found) == ""


def test_a_silent_name_server_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.channels.domain.ask.PATIENCE_S", 0.3)
    records = dict.fromkeys(zone(), SILENT)
    with NameServer(records) as server:  # type: ignore[arg-type]
        found = rows(WANTED, through(server))
        assert len(server.asked) == 1
    assert named(found, "SPF").level == UNKNOWN


def test_a_name_server_that_calls_every_name_missing_is_not_believed() -> None:
    """As behind a wall: not even the root exists there."""
    walled, open_ = {}, {(".", "NS"): ["a.root-servers.net."], ("", "NS"): ["a.root-servers.net."]}
    for records, level in ((walled, UNKNOWN), (open_, BAD)):
        with NameServer(records) as server:  # type: ignore[arg-type]
            resolver = through(server)._resolver
            assert named(rows(WANTED, NameServers(resolver, rooted=True)), "DMARC").level == level


def test_one_broken_zone_makes_one_row_unknown(ask: Asked) -> None:
    found = rows(WANTED, ask(zone(dmarc=BROKEN)))
    assert named(found, "DMARC").level == UNKNOWN
    assert {row.level for row in found if row.what != "DMARC"} == {OK}


# -- the relay


def test_a_relays_secrecy_is_what_a_careful_client_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = authority(tmp_path, name="127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.chain)
    relay = Controller(Sink(), hostname="127.0.0.1", port=free_port(0), tls_context=tls)
    relay.start()
    try:
        server = MailServer("127.0.0.1", relay.port, security="starttls")
        assert "certificate" in secrecy_of(server).said.lower(), "nobody vouches for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(made.root))
        assert secrecy_of(server) == Secrecy("127.0.0.1", "starttls", version="TLSv1.3", local=True)
        assert secrecy_of(replace(server, security="plain")) == Secrecy("127.0.0.1", "plain", local=True)
        assert secrecy_of(replace(server, security="tls")).said
    finally:
        relay.stop()
    assert secrecy_of(server).said, "nobody is there"


def test_only_public_addresses_of_a_relay_are_what_receivers_see(ask: Asked) -> None:
    names = ask({("relay.example", "A"): ["93.184.215.14", "10.0.0.1"]})
    assert seen_addresses(MailServer("relay.example", 25), names) == ("93.184.215.14",)
    assert seen_addresses(MailServer("127.0.0.1", 25), names) == ()


# -- the readers' own servers


def test_one_provider_that_greets_is_an_open_port(ask: Asked) -> None:
    reader = Controller(Sink(), hostname="127.0.0.1", port=free_port(0))
    reader.start()
    records: Records = {
        ("gmail.com", "MX"): ["5 away.example."],
        ("outlook.com", "MX"): ["5 here.example."],
        ("away.example", "A"): ["127.0.0.2"],
        ("here.example", "A"): ["127.0.0.1"],
    }
    try:
        found = outgoing_of(ask(records), port=reader.port)
    finally:
        reader.stop()
    assert found == Outgoing(reader.port, host="here.example", address="127.0.0.1")
    row = named(rows(replace(WANTED, outgoing=found), ask(zone())), "outgoing port")
    assert (row.level, row.found) == (OK, "here.example greets")


def test_a_closed_port_is_to_be_mended_and_one_nobody_could_look_for_is_unknown(ask: Asked) -> None:
    closed = outgoing_of(
        ask({("yahoo.com", "MX"): ["5 mx.example."], ("mx.example", "A"): ["127.0.0.1"]}), port=free_port(0)
    )
    row = named(rows(replace(WANTED, outgoing=closed), ask(zone())), "outgoing port")
    assert row.level == BAD
    assert "refused" in row.found
    assert "hoster" in row.mend
    lost = outgoing_of(ask({("gmail.com", "MX"): BROKEN}), port=1)
    row = named(rows(replace(WANTED, outgoing=lost), ask(zone())), "outgoing port")
    assert (row.level, row.mend) == (UNKNOWN, "")


def test_a_server_that_does_not_want_us_says_so(ask: Asked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        records: Records = {("gmail.com", "MX"): ["5 mx.example."], ("mx.example", "A"): ["127.0.0.1"]}
        unwilling = threading.Thread(target=_turn_away, args=(door,))
        unwilling.start()
        found = outgoing_of(ask(records), port=door.getsockname()[1])
        unwilling.join()
    assert (found.host, found.said) == ("", "mx.example: 554 5.7.1 you are listed")


def _turn_away(door: socket.socket) -> None:
    with door.accept()[0] as guest:
        guest.sendall(b"554 5.7.1 you are listed\r\n")
