from __future__ import annotations

import pytest
from django.db import connection

from pipeline.audience.care import roughly
from pipeline.audience.models import Subscription
from tests.factories import audience

pytestmark = pytest.mark.django_db


def test_few_are_counted_each() -> None:
    topic = audience.topic(slug="brief", name="Brief")
    audience.readers(count=7, follows=topic)
    Subscription.objects.filter(id__in=Subscription.objects.values("id")[:2]).update(left_at="2026-04-19T04:12:00Z")
    states, followers = roughly.readers_by_state(), roughly.followers_by_topic()
    assert (states.by, states.is_sample) == ({"active": 7}, False)
    assert (followers.by, followers.is_sample) == ({str(topic.id): 5}, False)


def test_many_are_told_from_a_sample_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    audience.readers(count=4000, follows=audience.topic(slug="brief", name="Brief"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE dateline_subscriber")
    monkeypatch.setattr(roughly, "EXACT", 1000)
    monkeypatch.setattr(roughly, "SAMPLE", 2000)
    found = roughly.readers_by_state()
    assert found.is_sample
    assert 1000 < found.by["active"] < 8000
