"""The morning of the desk, and programs that come with tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.audience.imports import arriving
from pipeline.audience.models import Import
from pipeline.editions.models import Newsletter
from pipeline.ranking.models import Pin
from pipeline.staff import tokens
from pipeline.staff.models import Role, User
from tests.factories import editions, mornings, personas, staff
from tests.factories.mornings import Morning

Ask = Callable[..., Any]


def token_of(owner: User, *, role: Role | None = None) -> str:
    """A token that may as much as its owner, or less."""
    now = timezone.now()
    return tokens.issue(owner=owner, name="CMS", role=role or Role(owner.role), expires_at=None, now=now)[1]


def asking(client: Client, text: str | None) -> Ask:
    """A program: `ask("POST", "/editions/1/undo", body)` answers the response; without a token it comes with none."""

    def ask(method: str, path: str, body: Any = None, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {text}"} if text else {}
        if method == "GET":
            return client.get(f"/api/v1{path}", query, headers=headers)
        if isinstance(body, dict) and any(hasattr(value, "read") for value in body.values()):
            return client.post(f"/api/v1{path}", body, headers=headers)  # a form, with its file
        return client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    return ask


@pytest.fixture
def ada(db: None) -> User:
    return staff.ada()


@pytest.fixture
def morning(db: None) -> Morning:
    return mornings.morning(now=timezone.now())


@pytest.fixture
def ask(ada: User, client: Client) -> Ask:
    """Ada's program, which may all she may."""
    return asking(client, token_of(ada))


@pytest.fixture
def as_one(client: Client, db: None) -> Callable[[str], Ask]:
    """The program of one of the personas."""
    return lambda name: asking(client, token_of(personas.person(name)))


@pytest.fixture
def house(morning: Morning) -> Iterator[Morning]:
    """A morning with a pin, a batch that was held, a rehearsed list, a colleague, and a newsletter of alerts."""
    editions.newsletter(slug="alerts", name="Alerts", kind=Newsletter.Kind.ALERT, now=morning.now)
    article = morning.stories[0]
    until = morning.now + timedelta(days=1)
    Pin.objects.create(article=article, kind=Pin.Kind.PIN, created_at=morning.now, until=until)
    type(morning.held).objects.update(batch="embargo-1")
    staff.ben()
    done = {"is_rehearsal": True, "state": Import.State.DONE, "layout": "csv", "started_at": morning.now}
    Import.objects.create(name="tried.csv", digest=bytes(32), topic=morning.ready.newsletter.topic, **done)
    yield morning
    arriving.forget(now=datetime(2100, 1, 1, tzinfo=UTC))
