"""An approved edition, and its send in small batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from pipeline.delivery.course import freeze
from pipeline.delivery.models import Send
from pipeline.delivery.send import begin, prepare
from pipeline.editions.models import Edition, Newsletter
from pipeline.staff.models import User
from tests.factories import articles, audience, editions, staff

Begin = Callable[..., Send]


@pytest.fixture
def ada(db: None) -> User:
    return staff.ada()


@pytest.fixture
def begun(db: None, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Make a newsletter with so many readers and begin its send; `freeze` is false to stop before the audience is."""

    def make(
        *, readers: int = 6, batch: int = 2, now: datetime = editions.NOW, departures: Any = None, **settings: Any
    ) -> Send:
        monkeypatch.setattr(freeze, "BATCH_SIZE", batch)
        newsletter = Newsletter.objects.first() or editions.newsletter()
        # the scene is of a day long past, and the database's clock decides what is too old
        keeps_s = int((timezone.now() - now).total_seconds()) + 12 * 3600
        clocks = {"at_readers_clock": settings.pop("at_readers_clock", False)}
        Newsletter.objects.filter(id=newsletter.id).update(**{"keeps_s": keeps_s, **settings})
        if readers:
            audience.readers(count=readers, follows=newsletter.topic)
        for _ in range(5):
            articles.article()
        edition = editions.composed(newsletter=Newsletter.objects.get(id=newsletter.id), slot_at=now)
        Newsletter.objects.filter(id=newsletter.id).update(**clocks)  # its stories came long before the first zone
        Edition.objects.filter(id=edition.id).update(state="approved", leaves_at=now)
        assert begin(edition_id=edition.id, now=now, departures=departures)
        made = Send.objects.get(edition=edition)
        prepare(send_id=made.id, now=now)
        return Send.objects.select_related("edition__newsletter").get(id=made.id)

    return make
