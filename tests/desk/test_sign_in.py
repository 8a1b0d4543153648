from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from django.test import Client, RequestFactory

from pipeline.desk import sign_in
from pipeline.kernel.config import config
from tests.factories import staff

pytestmark = pytest.mark.django_db
DOOR = "/desk/sign-in/"


@pytest.fixture(autouse=True)
def no_tries_yet(engines: object) -> Iterator[None]:
    with redis.Redis.from_url(config().redis_url) as client:
        for key in client.scan_iter(f"{sign_in.PREFIX}*"):
            client.delete(key)
        yield
        for key in client.scan_iter(f"{sign_in.PREFIX}*"):
            client.delete(key)


def knock(
    client: Client, password: str, *, email: str = "ada@example.org", network: str = "192.0.2.7", to: str = ""
) -> Any:
    return client.post(DOOR, {"username": email, "password": password, "next": to}, REMOTE_ADDR=network)


def test_the_right_password_opens_the_desk(client: Client) -> None:
    staff.user(password=staff.PASSWORD)
    answer = knock(client, staff.PASSWORD, email=" Ada@Example.org ")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/")
    assert client.get("/desk/").status_code == 200


@pytest.mark.parametrize(
    ("to", "leads"),
    [("/desk/posts/", "/desk/posts/"), ("https://evil.example/", "/desk/"), ("//evil.example/", "/desk/")],
)
def test_signing_in_leads_nowhere_else(client: Client, to: str, leads: str) -> None:
    staff.user(password=staff.PASSWORD)
    assert knock(client, staff.PASSWORD, to=to).headers["Location"] == leads


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org", "not an address"])
def test_a_wrong_try_does_not_say_who_works_here(client: Client, email: str) -> None:
    staff.user(password=staff.PASSWORD)
    answer = knock(client, "wrong", email=email)
    assert answer.status_code == 200
    known = "do not go together" if "@" in email else "valid email address"
    assert known in answer.content.decode()


def test_a_closed_account_stays_out(client: Client) -> None:
    staff.user(password=staff.PASSWORD, is_active=False)
    assert knock(client, staff.PASSWORD).status_code == 200


def test_the_sixth_try_waits_even_with_the_right_password(client: Client) -> None:
    staff.user(password=staff.PASSWORD)
    for number in range(sign_in.MOST_FAILURES):
        assert knock(client, "wrong", network=f"10.{number}.0.1").status_code == 200
    answer = knock(client, staff.PASSWORD, network="10.99.0.1")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= sign_in.WINDOW_S
    assert "Too many tries. Wait 15 minutes" in answer.content.decode()


def test_one_network_may_not_try_many_addresses(client: Client) -> None:
    for number in range(sign_in.MOST_FAILURES):
        knock(client, "wrong", email=f"{number}@example.org", network=f"192.0.2.{number}")
    assert knock(client, "wrong", email="6@example.org", network="192.0.2.200").status_code == 429
    assert knock(client, "wrong", email="6@example.org", network="198.51.100.1").status_code == 200


def test_a_success_starts_the_count_afresh(client: Client) -> None:
    staff.user(password=staff.PASSWORD)
    for _ in range(2):
        for _ in range(sign_in.MOST_FAILURES - 1):
            knock(client, "wrong")
        assert knock(client, staff.PASSWORD).status_code == 302
        client.post("/desk/sign-out/")


def test_the_wait_runs_from_the_first_try_not_the_last(client: Client) -> None:
    keys = sign_in.keys_of(address="ada@example.org", network="192.0.2.0/24")
    sign_in.count_try(keys)
    with redis.Redis.from_url(config().redis_url) as store:
        store.expire(keys[0], 100)
        sign_in.count_try(keys)
        assert store.ttl(keys[0]) <= 100


def test_redis_away_keeps_nobody_out(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = replace(config(), redis_url="unix:///nowhere/redis.sock")
    monkeypatch.setattr("pipeline.kernel.processes.redis_link.config", lambda: away)
    monkeypatch.setattr(sign_in, "_redis", sign_in._redis.__wrapped__)  # the one that is kept knows another address
    staff.user(password=staff.PASSWORD)
    with caplog.at_level(logging.WARNING, logger="dateline.desk"):
        assert knock(client, staff.PASSWORD).status_code == 302
    assert "not being counted" in caplog.text


def test_what_redis_keeps_names_nobody() -> None:
    keys = sign_in.keys_of(address="ada@example.org", network="192.0.2.0/24")
    assert all(key.startswith("dateline:signin:") and "ada" not in key and "192" not in key for key in keys)
    assert keys == sign_in.keys_of(address=" ADA@example.org", network="192.0.2.0/24")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", "nowhere"),
        ("unix:", "nowhere"),
    ],
)
def test_a_network_is_counted_not_an_address(address: str, network: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=address, headers={"X-Forwarded-For": "203.0.113.9"})
    assert sign_in.network_of(request) == network


def test_signing_out_takes_a_post(desk: Client) -> None:
    assert desk.get("/desk/sign-out/").status_code == 405
    assert desk.get("/desk/").status_code == 200
    assert desk.post("/desk/sign-out/").headers["Location"] == DOOR
    assert desk.get("/desk/").status_code == 302


def test_a_form_from_elsewhere_is_not_taken(desk: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(DOOR, {"username": "a@example.org", "password": "b"}).status_code == 403
