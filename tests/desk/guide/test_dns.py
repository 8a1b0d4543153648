"""What DNS says stands on the sender's page as a piece, and on a page of its own without a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from pipeline.delivery import domains
from pipeline.staff.models import Role
from tests.channels.domain.conftest import through
from tests.factories import editions, staff
from tests.factories.name_server import NameServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """An administrator whose domain publishes a policy and nothing else, at a name server on loopback."""
    editions.newsletter(from_address="brief@dispatch.example")
    records: dict[tuple[str, str], list[str] | str] = {("_dmarc.dispatch.example", "TXT"): ['"v=DMARC1; p=none"']}
    client = Client()
    client.force_login(staff.user(role=Role.ADMIN))
    with NameServer(records) as server:
        names = through(server)
        monkeypatch.setattr(domains, "NameServers", lambda: names)
        yield client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_expected_and_found_stand_side_by_side_on_a_page_of_its_own(desk: Client) -> None:
    told = text(desk.get("/desk/guide/sender/dns"))
    assert "dispatch.example" in told
    assert "v=DMARC1; p=none" in told, "what was found"
    assert 'data-label="Expected"' in told
    assert "<h1>" in told


def test_a_piece_has_no_page_around_it(desk: Client) -> None:
    told = text(desk.get("/desk/guide/sender/dns", headers={"HX-Request": "true"}))
    assert "v=DMARC1; p=none" in told
    assert "<html" not in told
    assert "<h1>" not in told
