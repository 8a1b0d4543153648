"""Leases at a hub that speaks TLS, deliveries with and without its signature, and hubs that mean harm."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pipeline.articles.models import Article
from pipeline.kernel.config import config
from pipeline.kernel.outbound.http import Client
from pipeline.kernel.queue import Job
from pipeline.sources.models import Look, Push, Source
from pipeline.sources.pushes import signatures, websub
from pipeline.sources.pushes.seals import secret_of

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
TOPIC = "https://gazette.example/feed/"
Rung = Callable[[Job], list[dict[str, int]]]

FEED = b"""<rss version="2.0"><channel><title>The Gazette</title><link>https://gazette.example/</link>
<item><title>In port</title><link>https://gazette.example/port/</link><guid>https://gazette.example/?p=42</guid>
<pubDate>Sun, 19 Apr 2026 04:11:00 GMT</pubDate></item></channel></rss>"""


class Hub:
    """A hub on loopback: what it was asked, and what it answers."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, status: int = 202) -> None:
        self.asked: list[dict[str, str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                asked.append({name: values[0] for name, values in parse_qs(body).items()})
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.place = f"{'localhost' if tls else '127.0.0.1'}:{self._server.server_port}"
        self.url = f"{'https' if tls else 'http'}://{self.place}/hub"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for "localhost", and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, today - timedelta(1), today + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    chain: Path = tmp_path_factory.mktemp("hub") / "chain.pem"
    chain.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain)
    return serving, ssl.create_default_context(cadata=pem.decode())


@contextmanager
def hub_of(tls: ssl.SSLContext | None = None, *, status: int = 202) -> Iterator[Hub]:
    running = Hub(tls=tls, status=status)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def hub(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Hub]:
    with hub_of(tls[0]) as running:
        yield running


@pytest.fixture
def client(hub: Hub, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Client]:
    with Client(site_url="https://news.example.org/", allow=frozenset({hub.place}), ssl_context=tls[1]) as guarded:
        yield guarded


@pytest.fixture
def push(site: Source, hub: Hub, counters: redis.Redis) -> Push:
    return websub.subscribe(source_id=site.id, hub_url=hub.url, topic_url=TOPIC, now=NOW)


@pytest.fixture
def active(push: Push, client: Client) -> Push:
    """A push whose hub granted ten days."""
    websub.renew(push_id=push.id, now=NOW, client=client)
    assert verified(push) == "c-1"
    push.refresh_from_db()
    return push


def verified(push: Push, *, now: datetime = NOW, **changes: str) -> str | None:
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c-1", "hub.lease_seconds": "864000"}
    return websub.verify(token=push.token, query={**query, **{f"hub.{k}": v for k, v in changes.items()}}, now=now)


def deliver(push: Push, *, body: bytes = FEED, header: str | None = None, now: datetime = NOW) -> int:
    header = signatures.hub_header(secret=secret_of(push), body=body) if header is None else header
    headers = {"X-Hub-Signature": header, "Content-Type": "application/rss+xml"}
    return websub.receive(token=push.token, headers=headers, body=body, now=now)


# -- asking


def test_a_subscription_asks_its_hub_with_a_secret_and_a_callback_of_its_own(
    push: Push, hub: Hub, client: Client, rung: Rung
) -> None:
    assert websub.due_renewals(now=NOW) == 1
    assert rung(Job.SOURCES_RENEW) == [{"push_id": push.id}]
    assert websub.renew(push_id=push.id, now=NOW, client=client)
    push.refresh_from_db()
    assert hub.asked == [
        {
            "hub.mode": "subscribe",
            "hub.topic": TOPIC,
            "hub.callback": f"{config().site_url}/websub/{push.token}",
            "hub.lease_seconds": "864000",
            "hub.secret": secret_of(push),
        }
    ]
    assert 20 < len(secret_of(push)) < 200
    assert secret_of(push).encode() not in bytes(push.secret)
    assert push.state == Push.State.PENDING


def test_a_second_message_asks_nobody_twice(push: Push, hub: Hub, client: Client) -> None:
    answers = [websub.renew(push_id=push.id, now=NOW, client=client) for _ in range(2)]
    verified(push)
    answers.append(websub.renew(push_id=push.id, now=NOW + timedelta(seconds=1), client=client))
    assert (answers, len(hub.asked)) == ([True, False, False], 1)


def test_a_secret_never_travels_in_the_clear(site: Source, client: Client, counters: redis.Redis) -> None:
    with hub_of() as plain, Client(site_url="https://n.example/", allow=frozenset({plain.place})) as guarded:
        push = websub.subscribe(source_id=site.id, hub_url=plain.url, topic_url=TOPIC, now=NOW)
        assert websub.renew(push_id=push.id, now=NOW, client=guarded)
    assert "hub.secret" not in plain.asked[0]


def test_without_a_secret_a_delivery_is_a_hint_and_nothing_more(site: Source, counters: redis.Redis) -> None:
    push = websub.subscribe(source_id=site.id, hub_url="http://hub.example/", topic_url=TOPIC, now=NOW)
    assert deliver(push) == 202
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_a_hub_inside_our_own_network_is_not_asked(site: Source, hub: Hub) -> None:
    push = websub.subscribe(source_id=site.id, hub_url=hub.url, topic_url=TOPIC, now=NOW)
    with Client(site_url="https://n.example/") as strict:
        assert not websub.renew(push_id=push.id, now=NOW, client=strict)
    assert hub.asked == []


def test_a_hub_that_refuses_is_asked_again_in_an_hour(
    site: Source, tls: tuple[ssl.SSLContext, ssl.SSLContext], rung: Rung
) -> None:
    with hub_of(tls[0], status=500) as bad:
        push = websub.subscribe(source_id=site.id, hub_url=bad.url, topic_url=TOPIC, now=NOW)
        with Client(site_url="https://n.example/", allow=frozenset({bad.place}), ssl_context=tls[1]) as guarded:
            assert not websub.renew(push_id=push.id, now=NOW, client=guarded)
    assert websub.due_renewals(now=NOW + timedelta(minutes=59)) == 0
    assert websub.due_renewals(now=NOW + timedelta(minutes=60)) == 1


def test_a_working_push_whose_hub_refuses_to_go_on_is_broken(
    active: Push, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with Client(site_url="https://n.example/") as strict:
        websub.renew(push_id=active.id, now=NOW + timedelta(days=5), client=strict)
    active.refresh_from_db()
    assert active.state == Push.State.BROKEN


def test_another_hub_gets_another_secret(push: Push, hub: Hub) -> None:
    first = secret_of(push)
    again = websub.subscribe(source_id=push.source_id, hub_url=hub.url, topic_url=TOPIC, now=NOW)
    assert (again.id, secret_of(again)) == (push.id, first)
    moved = websub.subscribe(source_id=push.source_id, hub_url="https://other.example/", topic_url=TOPIC, now=NOW)
    assert moved.id == push.id
    assert secret_of(moved) != first


# -- verification


def test_the_hub_gets_its_challenge_back_and_the_lease_is_kept(active: Push) -> None:
    assert (active.state, active.lease_until) == (Push.State.ACTIVE, NOW + timedelta(days=10))


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "https://gazette.example/other/"},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"challenge": ""},
        {"challenge": "x" * 5000},
    ],
)
def test_what_we_did_not_ask_for_is_not_confirmed(push: Push, client: Client, changes: dict[str, str]) -> None:
    websub.renew(push_id=push.id, now=NOW, client=client)
    assert verified(push, **changes) is None
    push.refresh_from_db()
    assert push.state == Push.State.PENDING


def test_a_push_that_is_not_pending_confirms_nothing(push: Push, client: Client) -> None:
    assert verified(push) is None, "never asked"
    websub.renew(push_id=push.id, now=NOW, client=client)
    assert verified(push) == "c-1"
    assert verified(push) is None, "confirmed already"
    assert websub.verify(token="nobody", query={"hub.mode": "subscribe"}, now=NOW) is None


@pytest.mark.parametrize(
    ("lease", "days"),
    [
        ("86400", 1),
        ("", 10),
        ("soon", 10),
        ("-5", 10),
        ("999999999999999", 10),
        ("99999999999", 30),
        ("0", 300 / 86_400),
    ],
)
def test_a_lease_is_what_the_hub_grants_within_reason(push: Push, client: Client, lease: str, days: float) -> None:
    websub.renew(push_id=push.id, now=NOW, client=client)
    verified(push, lease_seconds=lease)
    push.refresh_from_db()
    assert push.lease_until == NOW + timedelta(days=days)


@pytest.mark.parametrize("lease_s", [3600, 86_400, 864_000])
def test_a_lease_is_renewed_at_its_half(push: Push, client: Client, hub: Hub, rung: Rung, lease_s: int) -> None:
    websub.renew(push_id=push.id, now=NOW, client=client)
    verified(push, lease_seconds=str(lease_s))
    half = NOW + timedelta(seconds=lease_s / 2)
    assert websub.due_renewals(now=half - timedelta(seconds=1)) == 0
    assert websub.due_renewals(now=half) == 1
    assert websub.renew(push_id=push.id, now=half, client=client)
    assert deliver(push, now=half) == 202
    assert Article.objects.count() == 1, "the old lease is good until the new one is"
    assert verified(push, now=half, lease_seconds=str(lease_s)) == "c-1"
    push.refresh_from_db()
    assert (push.state, push.lease_until) == (Push.State.ACTIVE, half + timedelta(seconds=lease_s))
    assert len(hub.asked) == 2


def test_a_denied_subscription_is_polled_around_and_asked_for_again_in_a_day(active: Push, rung: Rung) -> None:
    assert verified(active, mode="denied", reason="quota\nexceeded") == ""
    active.refresh_from_db()
    assert (active.state, active.lease_until) == (Push.State.BROKEN, None)
    assert verified(active) is None
    assert websub.due_renewals(now=NOW + timedelta(hours=23)) == 0
    assert websub.due_renewals(now=NOW + timedelta(hours=24)) == 1


def test_an_ended_push_confirms_its_end_once_and_is_gone_for_the_hub(active: Push, hub: Hub, client: Client) -> None:
    websub.unsubscribe(push_id=active.id, now=NOW, client=client)
    assert hub.asked[-1]["hub.mode"] == "unsubscribe"
    assert verified(active) is None
    assert verified(active, mode="unsubscribe") == "c-1"
    assert verified(active, mode="unsubscribe") is None
    assert deliver(active) == 410
    assert not Article.objects.exists()


# -- deliveries


def test_a_signed_delivery_is_read_as_a_poll_would_read_it(active: Push) -> None:
    assert deliver(active) == 202
    story = Article.objects.get()
    assert (story.headline, story.state) == ("In port", Article.State.SEEN)
    active.refresh_from_db()
    assert (active.heard_at, active.delivered_at) == (NOW, NOW)
    assert Look.objects.filter(push=active).exists()


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=" + "0" * 64, "sha1=", "nonsense", "ü" * 2000])
def test_a_delivery_with_a_bad_signature_is_thanked_for_and_dropped(active: Push, header: str) -> None:
    assert deliver(active, header=header) == 202
    active.refresh_from_db()
    assert active.heard_at is None
    assert not Article.objects.exists() and not Look.objects.exists()


def test_a_delivery_signed_with_sha1_is_dropped(active: Push) -> None:
    header = signatures.hub_header(secret=secret_of(active), body=FEED, digest="sha1")
    assert deliver(active, header=header) == 202
    assert not Article.objects.exists()


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x00", b"{}", b"<a>" * 60_000], ids=range(5))
def test_a_signed_delivery_that_is_no_feed_is_still_a_hint(active: Push, body: bytes) -> None:
    assert deliver(active, body=body) == 202
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_a_delivery_too_large_to_read_at_once_is_a_hint(active: Push) -> None:
    assert deliver(active, body=FEED + b" " * websub.LARGEST_READ) == 202
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_a_delivery_of_very_many_items_is_a_hint_and_costs_nothing(active: Push) -> None:
    began = time.process_time()
    assert deliver(active, body=FEED + b"<item/>" * 15_000) == 202
    assert time.process_time() - began < 0.2
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_before_the_baseline_a_delivery_is_only_a_hint(active: Push) -> None:
    Source.objects.update(baseline_at=None)
    assert deliver(active) == 202
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_a_hub_that_floods_us_is_thanked_and_not_acted_on(active: Push) -> None:
    for _ in range(60):
        deliver(active, header="bad")
    assert deliver(active) == 202
    assert not Article.objects.exists()


def test_an_unknown_token_is_nothing(db: None) -> None:
    assert websub.receive(token="nobody", headers={}, body=FEED, now=NOW) == 404
