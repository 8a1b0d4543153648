"""The door: what it asks for, how it refuses, what it says of itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.api import rates
from pipeline.staff.models import ApiToken, JournalEntry, Role, User
from tests.api.conftest import Ask, asking, token_of
from tests.factories import staff
from tests.factories.mornings import Morning

SHAPE = {"error", "message", "kept", "hint", "current"}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer dl_x"}]
)
def test_without_a_token_that_works_nothing_opens(client: Client, db: None, headers: dict[str, str]) -> None:
    answer = client.get("/api/v1/today", headers=headers)
    assert answer.status_code == 401
    assert answer.json().keys() == SHAPE
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Dateline"'


def test_a_revoked_token_is_turned_away_with_the_next_request(ask: Ask) -> None:
    assert ask("GET", "/me").status_code == 200
    ApiToken.objects.update(revoked_at=timezone.now())
    assert ask("GET", "/me").status_code == 401


def test_an_expired_token_is_turned_away(ask: Ask) -> None:
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ask("GET", "/me").status_code == 401


def test_a_token_says_whom_it_acts_for_and_with_which_role(client: Client, db: None) -> None:
    ask = asking(client, token_of(staff.user(role=Role.ADMIN), role=Role.SOCIAL))
    told = ask("GET", "/me").json()
    assert (told["owner"], told["role"], told["token"]) == ("Ada", "social", "CMS")


def test_an_administrators_token_for_looking_changes_nothing(client: Client, morning: Morning) -> None:
    ask = asking(client, token_of(staff.user(email="o@example.org", role=Role.ADMIN), role=Role.VIEWER))
    answer = ask("POST", f"/editions/{morning.ready.id}/approve", {"revision": morning.ready.revision})
    assert answer.status_code == 403
    assert answer.json()["kept"] == "Nothing was changed."
    assert User.objects.get(email="o@example.org").role == Role.ADMIN


def test_what_a_token_does_stands_in_the_journal_under_its_owners_name(ask: Ask, ada: User, morning: Morning) -> None:
    ask("POST", f"/editions/{morning.ready.id}/approve", {"revision": morning.ready.revision})
    assert JournalEntry.objects.get(verb="approve", subject_id=morning.ready.id).actor == ada


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/nowhere", None, 404, "not_found"),
        ("GET", "/editions/x", None, 404, "not_found"),
        ("GET", "/editions/999999", None, 404, "not_found"),
        ("GET", "/editions/99999999999999999999", None, 422, "unread"),
        ("GET", "/articles?size=101", None, 422, "unread"),
        ("GET", "/articles?state=lost", None, 422, "unread"),
        ("GET", "/editions?slot_from=2026-01-01T00:00:00", None, 422, "unread"),
        ("GET", "/editions?slot_from=0359-01-01T00:00:00%2B19:26", None, 422, "unread"),
        ("POST", "/editions", None, 405, "unread"),
        ("POST", "/editions/1/approve", "{", 400, "unread"),
        ("POST", "/editions/1/approve", {"revision": "seven"}, 422, "unread"),
        ("POST", "/articles/1/kill", {"reason": " \x00\n"}, 422, "unread"),
    ],
)
def test_every_refusal_has_one_shape(ask: Ask, method: str, path: str, body: Any, status: int, error: str) -> None:
    answer = ask(method, path, body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == SHAPE
    assert answer.json()["hint"]


def test_a_method_that_is_not_taken_names_those_that_are(ask: Ask) -> None:
    assert ask("POST", "/editions").headers["Allow"] == "GET"


def test_more_requests_than_a_minute_holds_are_asked_to_wait(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_A_MINUTE", 2)
    minute = timezone.now().replace(second=1, microsecond=0)
    token = ApiToken.objects.get()
    assert [rates.wait_of(token.id + 10**9, now=minute) for _ in range(3)] == [0, 0, 59]
    assert rates.wait_of(token.id + 10**9, now=minute + timedelta(minutes=1)) == 0, "a new minute"
    assert rates.wait_of(token.id + 10**9 + 1, now=minute) == 0, "another token"
    monkeypatch.setattr(rates, "MOST_A_MINUTE", 0)
    answer = ask("GET", "/me")
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_the_description_needs_no_token_and_tells_of_every_operation(client: Client) -> None:
    told = client.get("/api/v1/openapi.json").json()
    operations = [one for ways in told["paths"].values() for one in ways.values()]
    assert all(one["description"] and one["summary"] for one in operations)
    assert all(one["security"] == [{"Bearer": []}] for one in operations)
    assert all(path.startswith("/api/v1/") for path in told["paths"])
    states = told["paths"]["/api/v1/posts"]["get"]["parameters"][0]["schema"]["anyOf"][0]["enum"]
    assert "draft" in states and "planned" not in states, "each kind of row has states of its own"


def test_there_is_no_page_that_loads_scripts_from_elsewhere(ask: Ask) -> None:
    assert ask("GET", "/docs").status_code == 404


def test_every_time_is_utc_and_says_so(ask: Ask, morning: Morning) -> None:
    told = ask("GET", f"/editions/{morning.ready.id}").json()
    assert told["slot_at"].endswith("Z") and told["composed_at"].endswith("Z")


#: The most statements a list may take with its token, whatever it holds.
LISTS = {
    "/today": 11, "/editions": 4, "/articles": 4, "/holds": 4, "/posts": 4, "/accounts": 4, "/newsletters": 4,
    "/sources": 9, "/journal": 4, "/popular": 8, "/brakes": 4,
}  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_the_database_a_fixed_number_of_times(
    ask: Ask, morning: Morning, django_assert_max_num_queries: Any, path: str
) -> None:
    with django_assert_max_num_queries(LISTS[path]):
        assert ask("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("path", "rows"), [("/editions", "editions"), ("/articles", "articles"), ("/sources", "sources")]
)
def test_pages_lead_through_every_row_once(ask: Ask, morning: Morning, path: str, rows: str) -> None:
    seen, before, pages = [], {}, 0
    while pages < 30:
        told = ask("GET", path, None, size=1, **before).json()
        seen += [row["id"] for row in told[rows]]
        pages += 1
        if told["next"] is None:
            break
        before = {"before": told["next"]}
    whole = [row["id"] for row in ask("GET", path, None, size=100).json()[rows]]
    assert seen == whole == sorted(whole, reverse=True)
    assert pages == len(whole)
