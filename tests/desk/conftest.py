"""A newsroom morning with something of everything, and a browser signed in as Ada."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.staff.models import User
from tests.factories import mornings, staff
from tests.factories.mornings import Morning


@pytest.fixture
def ada(db: None) -> User:
    return staff.ada()


@pytest.fixture
def desk(ada: User, client: Client) -> Client:
    """Ada's browser."""
    client.force_login(ada)
    return client


@pytest.fixture
def morning(db: None) -> Morning:
    return mornings.morning(now=timezone.now())
