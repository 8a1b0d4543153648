"""A send in one batch, and a place for the journals of whoever takes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from pipeline.delivery.models import Send
from pipeline.kernel.config import Config, config
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries


@pytest.fixture
def here(tmp_path: Path) -> Config:
    return replace(config(), data_dir=tmp_path)


@pytest.fixture
def going(db: None, request: pytest.FixtureRequest) -> Send:
    """Due for some seconds, to as many readers as the module says in READERS."""
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    for n in range(request.module.READERS):
        audience.subscriber(address=f"reader{n}@example.org", follows=newsletter.topic)
    return deliveries.send(edition=editions.composed(newsletter=newsletter), now=timezone.now() - timedelta(seconds=9))
