"""Newsletters to join, and a reader with a mail in hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis
from django.test import Client

from pipeline.audience.joining import limits
from pipeline.audience.models import Subscriber, Topic
from pipeline.delivery.models import Delivery
from pipeline.engagement.tokens import Kind, mint
from pipeline.kernel.config import config
from pipeline.kernel.signing import Keyring
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries


@dataclass
class Mail:
    """Cleo's copy of the morning edition."""

    reader: Subscriber
    delivery: Delivery
    topic: Topic
    weekly: Topic

    @property
    def token(self) -> str:
        origin, ordinal = int(self.delivery.send.origin_id), self.delivery.ordinal
        keyring = Keyring.from_secret(config().secret_key)
        return mint(keyring, kind=Kind.LEAVE, origin=origin, ordinal=ordinal, link=0)


@pytest.fixture(autouse=True)
def uncounted(engines: object) -> Iterator[None]:
    limits._away_until[0] = 0.0
    with redis.Redis.from_url(config().redis_url) as client:
        for key in client.scan_iter(f"{limits.PREFIX}*"):
            client.delete(key)
    yield


@pytest.fixture
def mail(db: None) -> Mail:
    newsletter = editions.newsletter()
    weekly = audience.topic(slug="weekly", name="The Week")
    reader = audience.cleo(follows=newsletter.topic)
    audience.Subscription.objects.create(subscriber=reader, topic=weekly, since=editions.NOW)
    for _ in range(5):
        articles.article()
    send = deliveries.send(edition=editions.composed(newsletter=newsletter))
    return Mail(reader, send.deliveries.get(), newsletter.topic, weekly)


@pytest.fixture
def site() -> Client:
    return Client(enforce_csrf_checks=True)
