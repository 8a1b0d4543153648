"""The description is true: what it allows, and what it forbids, is sent to every operation with a token of three kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.api import rates
from pipeline.wsgi import application
from tests.api.conftest import token_of
from tests.api.table import NOWHERE, TABLE, numbers_of, seen_of
from tests.factories import personas
from tests.factories.mornings import Morning

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: Requests to each operation: an editor reaches what an operation does, a viewer only what reads the request.
EXAMPLES = {"viewer": 1, "editor": 3, personas.LIMITED: 1}


def cases(operation: Any, numbers: dict[str, Any]) -> st.SearchStrategy[Case]:
    """Requests as described and others, to rows that are there and to any."""
    wanted = {one.name for one in operation.path_parameters}
    there = {name: number for name, number in numbers.items() if name in wanted}
    known = [
        operation.as_strategy(mode, path_parameters=there)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return st.one_of(*known, operation.as_strategy(GenerationMode.POSITIVE))


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The server's way to end a request would end the test's transaction; Django's own test client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("name", EXAMPLES)
def test_no_operation_breaks_and_every_answer_is_as_described(
    house: Morning, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(rates, "MOST_A_MINUTE", 10**6)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    headers = {"Authorization": f"Bearer {token_of(personas.person(name))}"}
    called, statuses, marks = set(), set(), seen_of(house)

    def send(case: Case) -> None:
        if isinstance(case.body, dict) and type(case.body.get("revision")) is int:
            case.body["revision"] = house.ready.revision
        if isinstance(case.body, dict) and type(case.body.get("seen")) is str:
            case.body["seen"] = marks["{blocks}" if "blocks" in case.body else "{settings}"]
        if isinstance(case.body, dict) and "url" in case.body:
            case.body["url"] = NOWHERE  # no site is asked from here
        with personas.undone():
            response = case.call(headers=headers)
        called.add(case.operation.definition.raw["operationId"])
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    for result in schema.get_all_operations():
        operation = result.ok()
        numbers = numbers_of(TABLE[operation.definition.raw["operationId"]], house)
        quick = settings(
            max_examples=EXAMPLES[name], database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        seed(2026)(quick(given(cases(operation, numbers))(send)))()
    assert called == set(TABLE)
    assert statuses >= ({200, 404, 409, 422} if EXAMPLES[name] > 1 else {200}), "they never got far"
