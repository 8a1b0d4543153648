"""Joining and leaving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.audience import subscribe
from pipeline.audience.addresses import NotAnAddress
from pipeline.audience.models import Consent, Subscriber, Subscription, Suppression, Topic
from pipeline.audience.suppress import suppress
from tests.factories import audience

NOW = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def brief() -> Topic:
    return Topic.objects.create(slug="brief", name="Morning Brief")


def test_asking_alone_makes_nobody_a_recipient(brief: Topic) -> None:
    reader = subscribe.ask(address="Cleo@Example.org ", topic=brief, origin="form", now=NOW)
    assert (reader.address, reader.state) == ("cleo@example.org", Subscriber.State.PENDING)
    assert audience.reach(topic_id=brief.id) == 0


def test_confirming_makes_a_recipient_and_keeps_the_evidence(brief: Topic) -> None:
    reader = subscribe.ask(address="cleo@example.org", topic=brief, origin="form", now=NOW)
    subscribe.confirm(subscriber_id=reader.id, topic_id=brief.id, origin="mail", now=NOW)
    assert audience.reach(topic_id=brief.id) == 1
    assert list(Consent.objects.order_by("id").values_list("act", flat=True)) == ["asked", "confirmed"]


def test_confirming_twice_changes_nothing(brief: Topic) -> None:
    reader = subscribe.ask(address="cleo@example.org", topic=brief, origin="form", now=NOW)
    for _ in range(2):
        subscribe.confirm(subscriber_id=reader.id, topic_id=brief.id, origin="mail", now=NOW)
    assert Consent.objects.filter(act="confirmed").count() == 1


def test_leaving_one_topic_touches_no_other(brief: Topic) -> None:
    weekly = Topic.objects.create(slug="weekly", name="The Week")
    for topic in (brief, weekly):
        subscribe.enrol(addresses=["cleo@example.org"], topic=topic, origin="import", now=NOW)
    reader = Subscriber.objects.get()
    assert subscribe.leave(subscriber_id=reader.id, topic_id=brief.id, origin="one-click", now=NOW)
    assert (audience.reach(topic_id=brief.id), audience.reach(topic_id=weekly.id)) == (0, 1)


def test_leaving_again_is_harmless(brief: Topic) -> None:
    subscribe.enrol(addresses=["cleo@example.org"], topic=brief, origin="import", now=NOW)
    reader = Subscriber.objects.get()
    first = subscribe.leave(subscriber_id=reader.id, topic_id=brief.id, origin="one-click", now=NOW)
    second = subscribe.leave(
        subscriber_id=reader.id, topic_id=brief.id, origin="one-click", now=NOW + timedelta(days=1)
    )
    assert (first, second) == (True, False)
    assert Subscription.objects.get().left_at == NOW


def test_an_import_never_brings_back_a_reader_who_left(brief: Topic) -> None:
    subscribe.enrol(addresses=["cleo@example.org"], topic=brief, origin="import", now=NOW)
    subscribe.leave(subscriber_id=Subscriber.objects.get().id, topic_id=brief.id, origin="one-click", now=NOW)
    assert subscribe.enrol(addresses=["cleo@example.org"], topic=brief, origin="import", now=NOW) == 0
    assert audience.reach(topic_id=brief.id) == 0


def test_a_suppressed_address_is_never_offered_however_it_is_spelled(brief: Topic) -> None:
    subscribe.enrol(addresses=["cleo@example.org"], topic=brief, origin="import", now=NOW)
    assert suppress(address=" CLEO@example.org", reason=Suppression.Reason.BOUNCED, now=NOW)
    assert audience.reach(topic_id=brief.id) == 0


def test_suppression_holds_no_address_and_outlives_the_reader(brief: Topic) -> None:
    subscribe.enrol(addresses=["cleo@example.org"], topic=brief, origin="import", now=NOW)
    suppress(address="cleo@example.org", reason=Suppression.Reason.COMPLAINED, now=NOW)
    Subscriber.objects.all().delete()
    subscribe.enrol(addresses=["cleo@example.org"], topic=brief, origin="import", now=NOW)
    assert audience.reach(topic_id=brief.id) == 0
    assert b"cleo" not in bytes(Suppression.objects.get().address_hash)


@pytest.mark.parametrize(
    "text", ["", "cleo", "cleo@", "a@b@c.org", "cleo@example.org\r\nBcc: x@y.org", "<cleo@example.org>"]
)
def test_what_is_not_an_address_is_refused_in_words(text: str, brief: Topic) -> None:
    with pytest.raises(NotAnAddress, match="not a mail address"):
        subscribe.ask(address=text, topic=brief, origin="form", now=NOW)
