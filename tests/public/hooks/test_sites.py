"""The doors that sites knock on: what they answer to friends, to strangers and to noise, and over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import redis
from django.conf import settings
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.articles.models import Article
from pipeline.kernel.config import config
from pipeline.kernel.processes.supervisor import free_port
from pipeline.sources.models import Channel, Look, Push, Source
from pipeline.sources.pushes import owners, signatures, websub
from pipeline.sources.pushes.seals import secret_of
from tests.factories import sources
from tests.public.conftest import made

pytestmark = pytest.mark.usefixtures("counters")
EXTENDED = ("The Gazette", "https://evil.example/", "https://evil.example/feed/")


def xml(method: str, *parameters: str) -> bytes:
    return xmlrpc.client.dumps(parameters, method).encode()


def ping(client: Client, token: str, body: bytes, *, kind: str = "text/xml") -> Any:
    return client.post(f"/ping/{token}", data=body, content_type=kind)


def was_made_due(site: Source) -> bool:
    return Channel.objects.filter(source=site, next_due_at__lte=timezone.now(), last_full_at=None).exists()


def signed(push: Push, **said: Any) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(said).encode()
    header = signatures.dateline_header(secret=secret_of(push), body=body, at=timezone.now())
    return body, {"Dateline-Signature": header}


@pytest.fixture
def hook(site: Source) -> Push:
    return owners.open_hook(source_id=site.id, kind=Push.Kind.WEBHOOK, now=timezone.now())[0]


@pytest.fixture
def strict() -> Client:
    """A browserless sender: no cookies, no CSRF token, and a fault of ours is an exception."""
    return Client(enforce_csrf_checks=True)


# -- pings


@pytest.mark.parametrize("method", ["weblogUpdates.ping", "weblogUpdates.extendedPing"])
def test_a_ping_is_thanked_as_weblogs_com_did_and_causes_a_look(strict: Client, site: Source, method: str) -> None:
    answer = ping(strict, site.ping_token, xml(method, *EXTENDED))
    (struct,), _ = xmlrpc.client.loads(answer.content.decode())
    assert answer.status_code == 200 and answer["Content-Type"] == "text/xml"
    assert struct["flerror"] is False and struct["message"]
    assert was_made_due(site)
    assert not answer.cookies and "Location" not in answer
    push = Push.objects.get()
    assert (push.kind, push.state) == (Push.Kind.PING, Push.State.ACTIVE)


def test_the_addresses_in_a_ping_are_not_used(strict: Client, site: Source) -> None:
    ping(strict, site.ping_token, xml("weblogUpdates.extendedPing", *EXTENDED))
    assert not any("evil" in str(row) for model in (Source, Channel, Push) for row in model.objects.values_list())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"url=https%3A%2F%2Fgazette.example%2Ffeed%2F", "application/x-www-form-urlencoded"),
        (b'{"hello": 1}', "application/json"),
        (b"\xff\x00", "application/octet-stream"),
    ],
)
def test_any_other_post_is_a_ping_too(strict: Client, site: Source, body: bytes, kind: str) -> None:
    assert ping(strict, site.ping_token, body, kind=kind).status_code == 200
    assert was_made_due(site)


@pytest.mark.parametrize("body", [xml("system.listMethods"), b"<methodCall>", b"<!DOCTYPE a>"])
def test_another_method_is_a_fault_and_no_hint(strict: Client, site: Source, body: bytes) -> None:
    answer = ping(strict, site.ping_token, body)
    with pytest.raises(xmlrpc.client.Fault):
        xmlrpc.client.loads(answer.content.decode())
    assert answer.status_code == 200
    assert not Look.objects.exists()


def test_opening_an_address_shows_a_sentence_and_changes_nothing(strict: Client, site: Source, hook: Push) -> None:
    for path in (f"/ping/{site.ping_token}", f"/hooks/{hook.token}"):
        answer = strict.get(path)
        assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
        assert answer.content.decode().strip().endswith("does nothing.")
        assert strict.head(path).status_code == 200
        assert strict.put(path).status_code == 405
    assert not Look.objects.exists()
    assert Push.objects.get().heard_at is None


def test_every_unknown_token_gets_the_same_answer_whatever_was_sent(strict: Client, site: Source, hook: Push) -> None:
    answers = [
        strict.generic(method, f"/{door}/{token}", body)
        for door in ("ping", "hooks", "websub")
        for token in ("nobody", "%00", "ü" * 50, hook.token + "x")
        for method, body in (("GET", b""), ("POST", b""), ("POST", xml("weblogUpdates.ping", "a", "b")))
    ]
    assert {(one.status_code, one.content, one["Content-Type"]) for one in answers} == {
        (404, b"There is nothing here.\n", "text/plain; charset=utf-8")
    }


def test_thirty_pings_are_one_look_now_and_one_at_the_end(strict: Client, site: Source) -> None:
    body = xml("weblogUpdates.extendedPing", *EXTENDED)
    for _ in range(30):
        assert ping(strict, site.ping_token, body).status_code == 200
    assert set(Look.objects.values_list("step_s", flat=True)) <= {0, 5, 20, 120}


def test_pings_beyond_sixty_a_minute_are_thanked_and_dropped(
    strict: Client, site: Source, counters: redis.Redis
) -> None:
    minute = int(time.time()) // 60
    for number in (minute, minute + 1):
        counters.set(f"dateline:knocks:{site.ping_token}:{number}", 60)
    answer = ping(strict, site.ping_token, xml("weblogUpdates.ping", "a", "b"))
    assert xmlrpc.client.loads(answer.content.decode())[0][0]["flerror"] is False
    assert not Look.objects.exists()


def test_a_paused_source_is_thanked_for_and_not_looked_at(strict: Client, site: Source) -> None:
    Source.objects.update(state=Source.State.PAUSED)
    assert ping(strict, site.ping_token, xml("weblogUpdates.ping", "a", "b")).status_code == 200
    assert not Look.objects.exists()


@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 200), (64 * 1024 + 1, 413), (5_000_000, 413)])
def test_a_ping_has_a_largest_size(strict: Client, site: Source, size: int, status: int) -> None:
    assert ping(strict, site.ping_token, b"x" * size).status_code == status
    assert Look.objects.exists() == (status == 200)


# -- webhooks and hubs


def test_a_signed_webhook_is_accepted(strict: Client, hook: Push) -> None:
    body, headers = signed(hook, event="published", url="https://gazette.example/port/", title="In port")
    answer = strict.post(f"/hooks/{hook.token}", data=body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.content) == (202, b"Heard.\n")
    assert Article.objects.get().headline == "In port"
    again = strict.post(f"/hooks/{hook.token}", data=body, content_type="application/json", headers=headers)
    assert again.status_code == 409


@pytest.mark.parametrize(("size", "status"), [(256 * 1024, 401), (256 * 1024 + 1, 413), (5_000_000, 413)])
def test_a_webhook_has_a_largest_size(strict: Client, hook: Push, size: int, status: int) -> None:
    answer = strict.post(f"/hooks/{hook.token}", data=b"x" * size, content_type="application/json")
    assert answer.status_code == status


def test_a_hub_gets_its_challenge_as_plain_text(strict: Client, site: Source) -> None:
    push = websub.subscribe(
        source_id=site.id, hub_url="https://hub.example/", topic_url="https://gazette.example/feed/", now=timezone.now()
    )
    Push.objects.update(asked_at=timezone.now())
    asked = {
        "hub.mode": "subscribe",
        "hub.topic": push.topic_url,
        "hub.challenge": "<b>c</b>",
        "hub.lease_seconds": "9",
    }
    answer = strict.get(f"/websub/{push.token}", asked)
    assert (answer.status_code, answer.content) == (200, b"<b>c</b>")
    assert answer["Content-Type"].startswith("text/plain") and answer["X-Content-Type-Options"] == "nosniff"
    assert strict.get(f"/websub/{push.token}", asked).status_code == 404


def test_a_hub_is_told_yes_whatever_it_delivers(strict: Client, site: Source) -> None:
    push = websub.subscribe(
        source_id=site.id, hub_url="https://hub.example/", topic_url="https://gazette.example/feed/", now=timezone.now()
    )
    for body in (b"", b"<rss/>", b"x" * 3_000_000):
        answer = strict.post(f"/websub/{push.token}", data=body, content_type="application/rss+xml")
        assert answer.status_code == 202
    assert not Look.objects.exists()


# -- noise

_HEADERS = [
    "HTTP_DATELINE_SIGNATURE",
    "HTTP_X_GHOST_SIGNATURE",
    "HTTP_X_HUB_SIGNATURE",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
]
_BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(lambda text: f"<methodCall><methodName>{text}</methodName></methodCall>".encode("utf-8", "replace")),
    st.dictionaries(st.sampled_from(["event", "url", "id", "post", "current"]), st.text(max_size=20)).map(
        lambda said: json.dumps(said).encode()
    ),
)  # fmt: skip


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    door=st.sampled_from(["ping", "hooks", "websub"]),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    query=st.dictionaries(st.sampled_from(["hub.mode", "hub.topic", "hub.challenge", "x"]), st.text(max_size=20)),
    headers=st.dictionaries(st.sampled_from(_HEADERS), st.text(st.characters(max_codepoint=255), max_size=60)),
    body=_BODIES,
    sign=st.booleans(),
)
def test_no_noise_makes_a_fault_of_ours(
    strict: Client,
    site: Source,
    hook: Push,
    door: str,
    method: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    sign: bool,
) -> None:
    """The test client raises what a view raises."""
    token = site.ping_token if door == "ping" else hook.token
    if sign:
        stamp = timezone.now()
        headers["HTTP_DATELINE_SIGNATURE"] = signatures.dateline_header(secret=secret_of(hook), body=body, at=stamp)
    asked = httpx.QueryParams(query)
    kind = headers.pop("CONTENT_TYPE", "text/plain")
    answer = strict.generic(method, f"/{door}/{token}?{asked}", body, kind, **headers)
    assert answer.status_code in {200, 202, 400, 401, 404, 405, 409, 413, 429}
    assert not answer.cookies


# -- over real HTTP


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    """The desk's own server in a process of its own, on this test's database."""
    parts = urlsplit(config().database_url)
    database = urlunsplit(parts._replace(path="/" + settings.DATABASES["default"]["NAME"]))
    port = free_port(0)
    environ = {**os.environ, "DATELINE_DATA_DIR": str(config().data_dir), "DATABASE_URL": database}
    environ |= {"REDIS_URL": config().redis_url, "DATELINE_LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1", "--no-ws"]
    log = (tmp_path / "web.log").open("wb")
    server = subprocess.Popen([*command, "pipeline.wsgi:application"], env=environ, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        log.close()


def test_the_doors_answer_over_http_whole_chunked_and_cut_off(web: int) -> None:
    site = made()
    hook = owners.open_hook(source_id=site.id, kind=Push.Kind.WEBHOOK, now=timezone.now())[0]
    base = f"http://127.0.0.1:{web}"
    with xmlrpc.client.ServerProxy(f"{base}/ping/{site.ping_token}") as proxy:
        told: Any = proxy.weblogUpdates.extendedPing(*EXTENDED)
        assert told["flerror"] is False
        with pytest.raises(xmlrpc.client.Fault):
            proxy.system.listMethods()
    assert was_made_due(site)
    body, headers = signed(hook, event="published", url="https://gazette.example/port/", title="In port")
    pieces = iter([body[:10], body[10:]])
    assert httpx.post(f"{base}/hooks/{hook.token}", content=pieces, headers=headers).status_code == 202
    assert httpx.post(f"{base}/hooks/{hook.token}", content=body, headers=headers).status_code == 409
    assert Article.objects.get().headline == "In port"
    assert httpx.post(f"{base}/ping/{site.ping_token}", content=iter([b"x" * 50_000] * 4)).status_code == 413
    _cut_off(web, hook.token)
    took = _times(base, sources.source(name="Another").ping_token)
    assert sorted(took)[len(took) // 2] < 1  # it waits for nothing; benchmarks/hints.py has the milliseconds


def _cut_off(port: int, token: str) -> None:
    """A sender that promises more than it sends and hangs up; the server goes on."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(f"POST /hooks/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{{".encode())


def _times(base: str, token: str) -> list[float]:
    took = []
    with httpx.Client() as client:
        for _ in range(20):
            began = time.perf_counter()
            assert client.post(f"{base}/ping/{token}", content=xml("weblogUpdates.ping", "a", "b")).status_code == 200
            took.append(time.perf_counter() - began)
    return took
