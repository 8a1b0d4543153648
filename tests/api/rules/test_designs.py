"""Designs of a newsroom's own, for programs."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.editions.models import Design, Newsletter
from tests.api.conftest import Ask
from tests.editions.own.designs import GOOD
from tests.factories.mornings import Morning


@pytest.fixture
def ask(as_one: Any) -> Ask:
    """A desk head's program."""
    asked: Ask = as_one("head")
    return asked


@pytest.fixture
def harbour(house: Morning) -> Design:
    return Design.objects.get()


def test_designs_are_listed_and_read_in_any_version(ask: Ask, harbour: Design) -> None:
    told = ask("GET", "/designs").json()
    assert "morning" in told["shipped"] and told["designs"] == [{"id": harbour.id, "name": "Harbour", "newest": 1}]
    assert ask("GET", f"/designs/{harbour.id}").json()["source"] == GOOD
    assert ask("GET", f"/designs/{harbour.id}", None, number=2).status_code == 404


def test_faults_are_told_with_their_lines(ask: Ask, harbour: Design) -> None:
    found = ask("POST", "/designs/check", {"source": GOOD.replace("<mj-body", "<mj-boddy", 1)}).json()
    assert not found["is_usable"]
    fault = next(one for one in found["problems"] if one["code"] == "unknown_tag")
    line = next(n for n, said in enumerate(GOOD.splitlines(), start=1) if "<mj-body" in said)
    assert (fault["line"], fault["level"]) == (line, "error") and "mj-boddy" in fault["said"]
    assert ask("POST", "/designs/check", {"source": GOOD}).json()["is_usable"]


def test_the_next_version_is_kept_once_by_whoever_saw_the_newest(ask: Ask, harbour: Design) -> None:
    path, body = f"/designs/{harbour.id}", {"source": f"{GOOD}\n", "seen": 1, "said": "an empty line"}
    first, again = (ask("POST", f"{path}/keep", body).json() for _ in range(2))
    assert (first["done"], again["done"], again["design"]["newest"]) == (True, False, 2)
    late = ask("POST", f"{path}/keep", {**body, "source": f"{GOOD}\n\n"})
    assert (late.status_code, late.json()["current"]["newest"]) == (409, 2)
    assert ask("POST", f"{path}/versions/1/restore").json()["design"]["newest"] == 3
    versions = ask("GET", path).json()["versions"]
    assert [(one["number"], one["said"], one["by"]) for one in versions[:2]] == [(3, "as version 1", "head"), (2, "an empty line", "head")]  # fmt: skip


def test_a_newsletter_is_set_in_a_version_and_back(ask: Ask, harbour: Design, house: Morning) -> None:
    path = f"/newsletters/{house.ready.newsletter_id}/design"
    uses = [ask("POST", f"{path}/use", {"design_id": harbour.id, "number": 1}).json() for _ in range(2)]
    assert [one["done"] for one in uses] == [True, False] and "version 1" in uses[0]["message"]
    assert Newsletter.objects.get(id=house.ready.newsletter_id).own_design == GOOD
    assert ask("POST", f"{path}/use", {"design_id": harbour.id, "number": 9}).status_code == 422
    assert [ask("POST", f"{path}/use-shipped").json()["done"] for _ in range(2)] == [True, False]


def test_what_cannot_be_used_is_kept_and_not_used(ask: Ask, harbour: Design, house: Morning) -> None:
    made = ask("POST", "/designs/begin", {"name": "Pier", "source": "<mjml></mjml>"}).json()
    assert made["done"] and not made["checked"]["is_usable"]
    body = {"design_id": made["design"]["id"], "number": 1}
    answer = ask("POST", f"/newsletters/{house.ready.newsletter_id}/design/use", body)
    assert answer.status_code == 409 and "cannot be used yet" in answer.json()["message"]
    assert ask("POST", "/designs/begin", {"name": "Pier", "source": ""}).status_code == 409
