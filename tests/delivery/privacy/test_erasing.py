"""A reader sees all that is held, and is forgotten on request."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from psycopg.sql import SQL, Identifier

from pipeline.audience.imports import enter
from pipeline.audience.models import Consent, Interest, Subscriber, Suppression, Topic
from pipeline.audience.suppress import suppress
from pipeline.commands.readers import erase_reader
from pipeline.commands.unusable import UnusableInput
from pipeline.delivery.models import Delivery, Send
from pipeline.delivery.privacy import erasing
from pipeline.delivery.privacy.held import held
from pipeline.engagement.models import Event
from pipeline.engagement.records import Flag
from pipeline.engagement.settle import settle
from tests.delivery.course.conftest import Begin
from tests.factories import audience, editions
from tests.factories.hits import CHROME

pytestmark = pytest.mark.django_db
NOW = editions.NOW
ADDRESS = "cleo.unmistakable@example.org"


@pytest.fixture
def cleo(begun: Begin) -> Subscriber:
    """A reader with a row of everything, among others."""
    reader = audience.subscriber(address=ADDRESS, follows=audience.topic(), name="Cleo Unmistakable")
    send = begun(readers=2)
    Consent.objects.create(subscriber=reader, at=NOW, act="confirmed", origin="mail", network="203.0.113.0")
    Interest.objects.create(subscriber=reader, section="politics", clicks=3, last_at=NOW)
    for number, row in enumerate(Delivery.objects.filter(send=send)):
        Event.objects.create(
            id=bytes([number]) * 12, at=NOW, kind="click", origin_id=send.origin_id, ordinal=row.ordinal, link=0,
            channel="email", person=bytes([number]) * 16, network=bytes(16), agent="Cleo's own browser", method="GET",
            mode="consented", verdict="human",
        )  # fmt: skip
    return reader


def test_everything_held_is_told_as_json(cleo: Subscriber) -> None:
    told = json.loads(json.dumps(held(address=f" {ADDRESS.upper()}")))
    assert told["reader"]["name"] == "Cleo Unmistakable"
    assert [len(told[name]) for name in ("subscriptions", "consents", "interests", "deliveries", "acts")] == [1] * 5
    assert told["deliveries"][0]["state"] == "pending"
    assert held(address="stranger@example.org")["reader"] is None


def test_the_preview_counts_and_changes_nothing(cleo: Subscriber) -> None:
    told = erase_reader.run(address=ADDRESS, yes=False)
    assert (told["erased"], told["goes"]["consents"], told["stays_without_a_name"]["acts"]) == (False, 1, 1)
    cleo.refresh_from_db()
    assert (cleo.address, Suppression.objects.count()) == (ADDRESS, 0)


def test_after_erasing_no_column_of_any_row_holds_the_address_or_the_name(cleo: Subscriber) -> None:
    erase_reader.run(address=ADDRESS, yes=True)
    with connection.cursor() as cursor:
        for model in apps.get_app_config("dateline").get_models():
            query = SQL("SELECT count(*) FROM {} AS row WHERE row::text ILIKE '%unmistakable%'")
            cursor.execute(query.format(Identifier(model._meta.db_table)))
            assert cursor.fetchone()[0] == 0, model
    assert Subscriber.objects.filter(address_hash=bytes(cleo.address_hash)).count() == 0


def test_counts_of_the_send_stay_and_acts_lose_whose_they_were(cleo: Subscriber) -> None:
    send, others = Send.objects.get(), Event.objects.filter(ordinal__gt=0).count() - 1
    ordinal = Delivery.objects.get(subscriber=cleo).ordinal
    erasing.erase(address=ADDRESS, now=NOW)
    assert Delivery.objects.filter(send=send).count() == send.recipients == 3
    assert not Event.objects.filter(ordinal=ordinal).exists()
    assert (Event.objects.filter(ordinal__gt=0).count(), Event.objects.count()) == (others, 3)
    assert audience.reach(topic_id=audience.topic().id) == 2


def test_an_act_that_waits_for_its_verdict_is_a_persons_all_the_same(cleo: Subscriber) -> None:
    ordinal = Delivery.objects.get(subscriber=cleo).ordinal
    Event.objects.filter(ordinal=ordinal).update(agent=CHROME, verdict="pending", flags=int(Flag.MAC_OK))
    acts = list(Event.objects.filter(ordinal=ordinal).values_list("id", flat=True))
    erasing.erase(address=ADDRESS, now=NOW)
    settle(now=NOW + timedelta(hours=1))
    rows = Event.objects.filter(id__in=acts)
    assert acts and {(row.ordinal, row.agent, row.verdict) for row in rows} == {(0, "Mozilla/5.0 (a person)", "human")}


def test_no_list_brings_an_erased_reader_back(cleo: Subscriber, tmp_path: Path) -> None:
    erasing.erase(address=ADDRESS, now=NOW)
    file = tmp_path / "old.csv"
    file.write_text(f"email\n{ADDRESS}\n", encoding="utf-8")
    made_in = enter.enter(file=file, topic=Topic.objects.get(), now=NOW + timedelta(days=1))
    assert (made_in.added, made_in.refused) == (0, 1)
    assert not Subscriber.objects.filter(address=ADDRESS).exists()


def test_a_suppression_keeps_its_own_reason(cleo: Subscriber) -> None:
    suppress(address=ADDRESS, reason=Suppression.Reason.COMPLAINED, now=NOW)
    erasing.erase(address=ADDRESS, now=NOW)
    assert Suppression.objects.get().reason == "complained"


def test_erasing_twice_or_a_stranger_says_so(cleo: Subscriber) -> None:
    erasing.erase(address=ADDRESS, now=NOW)
    with pytest.raises(UnusableInput, match="nothing was changed"):
        erase_reader.run(address=ADDRESS, yes=True)
