"""A newsletter and a section to join, and wishes for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pipeline.audience.joining.asking import Wish
from pipeline.audience.models import Topic
from tests.factories import audience

NOW = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
Wishing = Callable[..., Wish]


@pytest.fixture
def brief(db: None) -> Topic:
    return audience.topic()


@pytest.fixture
def wish(brief: Topic) -> Wishing:
    def made(address: str = "cleo@example.org", *, topics: tuple[int, ...] = (), language: str = "en") -> Wish:
        return Wish(
            address=address, topic_ids=topics or (brief.id,), form="page", origin="http://testserver/join/",
            network="192.0.2.0/24", language=language, wording="I want it.", wording_version="en-0",
        )  # fmt: skip

    return made
