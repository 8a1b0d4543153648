"""An account is authorised in a browser: the challenge is proved, the answer is ours, and only sealed keys are kept."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone

from pipeline.commands.connecting.add_account import Browser, run
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.secrets import unseal
from pipeline.posts.models import Account
from tests.factories.consent_server import APP, ConsentServer, consenting

pytestmark = pytest.mark.django_db
PASTED = "https://desk.example/authorised"


@pytest.fixture
def server() -> Iterator[ConsentServer]:
    with consenting() as started:
        yield started


class Person:
    """Opens the address that is shown, as a browser does; `led_to` is where it ended."""

    def __init__(self) -> None:
        self.said, self.led_to = "", ""
        self.page: httpx.Response | None = None
        self._visit: threading.Thread | None = None

    def read(self, line: str) -> None:
        self.said = line
        answer = httpx.get(line.split()[1])
        self.led_to = answer.headers["Location"]

    def read_and_go(self, line: str) -> None:
        self.read(line)
        self._visit = threading.Thread(target=self._go)
        self._visit.start()

    def _go(self) -> None:
        httpx.get(self.led_to.partition("?")[0] + "/favicon.ico")
        self.page = httpx.get(self.led_to)

    def came_back(self) -> httpx.Response:
        assert self._visit
        self._visit.join()
        assert self.page
        return self.page


def authorised(
    tmp_path: Path, server: ConsentServer, network: str, browser: Browser, **app: Any
) -> tuple[dict[str, Any], Account]:
    path = tmp_path / "app.json"
    path.write_text(json.dumps({**APP, **app}), encoding="utf-8")
    told = run(network=network, handle="@desk", credentials=path, base_url=server.url, approval=False, browser=browser)
    return told, Account.objects.get()


def kept(account: Account) -> dict[str, str]:
    return dict(unseal(account.credentials, secrets=[config().secret_key], bound_to=str(account)))


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/authorised"


def test_x_is_authorised_through_loopback_with_a_proof(tmp_path: Path, server: ConsentServer) -> None:
    person, redirect = Person(), free_address()
    told, account = authorised(tmp_path, server, "x", Browser(redirect=redirect, say=person.read_and_go))
    page = person.came_back()
    assert "You can close this window" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    [asked] = server.asked
    assert (asked["redirect_uri"], asked["code_challenge_method"]) == (redirect, "S256")
    assert set(asked["scope"].split()) == {
        "tweet.read", "tweet.write", "users.read", "media.write", "offline.access"
    }  # fmt: skip
    assert kept(account) == {**APP, "access_token": "given-short", "refresh_token": "given-refresh"}
    assert account.token_until
    assert abs(account.token_until - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)
    assert not any(secret in json.dumps(told) + person.said for secret in ("given", APP["client_secret"]))
    assert "given" not in account.credentials


@pytest.mark.parametrize(
    ("network", "app", "keys", "lasts"),
    [
        (
            "linkedin",
            {"organisation": "2414183"},
            {**APP, "access_token": "given-short", "refresh_token": "given-refresh", "organisation": "2414183"},
            timedelta(seconds=7200),
        ),
        ("facebook", {"page": "page-9"}, {"access_token": "given-page", "page": "page-9", "app_secret": "cs-secret"}, None),
        ("threads", {}, {"access_token": "given-long", "user": "4711"}, timedelta(days=60)),
    ],
)  # fmt: skip
def test_a_pasted_address_does_for_networks_that_ask_for_https(
    tmp_path: Path, server: ConsentServer, network: str, app: Any, keys: Any, lasts: timedelta | None
) -> None:
    person = Person()
    browser = Browser(redirect=PASTED, say=person.read, pasted=lambda: person.led_to + "\n")
    _, account = authorised(tmp_path, server, network, browser, **app)
    assert kept(account) == keys
    assert (account.token_until is None) == (lasts is None)
    if lasts is not None and account.token_until is not None:
        assert abs(account.token_until - timezone.now() - lasts) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"state": "another"}, "not to this request of X (another state)"),
        ({"refuses": True}, "X was not given the consent (The user denied it)"),
        ({"expired": True}, "X does not take the code (Value passed for the authorization code was invalid.)"),
    ],
)
def test_what_goes_wrong_is_one_clear_line_and_nothing_is_stored(
    tmp_path: Path, server: ConsentServer, trouble: dict[str, Any], said: str
) -> None:
    for name, value in trouble.items():
        setattr(server, name, value)
    person = Person()
    browser = Browser(paste=True, say=person.read, pasted=lambda: person.led_to)
    with pytest.raises(UnusableInput) as refused:
        authorised(tmp_path, server, "x", browser)
    assert said in str(refused.value)
    assert "nothing was stored" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not Account.objects.exists()


def test_a_code_of_somebody_elses_request_is_refused_by_the_verifier(tmp_path: Path, server: ConsentServer) -> None:
    """Whoever steals a code, and even the state, has not the verifier."""
    first, second = Person(), Person()

    def swapped() -> str:
        stolen = httpx.URL(first.led_to).params["code"]
        return str(httpx.URL(second.led_to).copy_set_param("code", stolen))

    with pytest.raises(UnusableInput):
        authorised(tmp_path, server, "x", Browser(paste=True, say=first.read, pasted=lambda: ""))
    with pytest.raises(UnusableInput, match="the verifier does not match"):
        authorised(tmp_path, server, "x", Browser(paste=True, say=second.read, pasted=swapped))
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("network", "app", "said"),
    [
        ("bluesky", {}, "bluesky is not authorised in a browser; only x, linkedin, facebook, threads are"),
        ("x", {"client_id": ""}, "the app's client_id must be given"),
        ("linkedin", {}, "the app's organisation must be given"),
    ],
)
def test_an_app_without_its_keys_asks_nobody(
    tmp_path: Path, server: ConsentServer, network: str, app: Any, said: str
) -> None:
    with pytest.raises(UnusableInput, match=said):
        authorised(tmp_path, server, network, Browser(paste=True), **app)
    assert server.asked == []


def test_an_address_that_is_taken_and_a_person_who_never_comes_are_told(tmp_path: Path, server: ConsentServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        redirect = f"http://127.0.0.1:{taken.getsockname()[1]}/authorised"
        with pytest.raises(UnusableInput, match="give another --redirect"):
            authorised(tmp_path, server, "x", Browser(redirect=redirect, say=lambda _: None))
    with pytest.raises(UnusableInput, match="nobody came back"):
        authorised(tmp_path, server, "x", Browser(redirect=free_address(), say=lambda _: None, patience_s=0.05))


def test_an_account_that_was_locked_out_is_open_again(tmp_path: Path, server: ConsentServer) -> None:
    Account.objects.create(
        network="x", handle="@desk", state="broken", said="no", created_at=timezone.now(), app="desk"
    )
    person = Person()
    told, account = authorised(
        tmp_path, server, "x", Browser(paste=True, say=person.read, pasted=lambda: person.led_to)
    )
    assert (told["new"], account.state, account.said, account.app) == (False, "active", "", "desk")
