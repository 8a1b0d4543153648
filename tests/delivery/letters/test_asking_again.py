"""The letter that asks whether our mail is still wanted: to whom, what it says, and what silence means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pipeline.audience.models import Consent, Subscriber, Subscription
from pipeline.delivery.course import brake
from pipeline.delivery.letters import asking_again
from pipeline.demo.world.inbox import Inbox
from pipeline.editions.models import Newsletter
from pipeline.kernel.config import Config, config
from pipeline.staff.models import User
from tests.factories import audience, editions, staff

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def brief() -> Newsletter:
    return editions.newsletter(tracking="consented", asks_again=True)


def reader(brief: Newsletter, address: str = "cleo@example.org", **fields: object) -> Subscriber:
    row = audience.subscriber(address=address, follows=brief.topic, now=LONG_AGO)
    Subscriber.objects.filter(id=row.id).update(**{"tracking": "consented", "tracking_at": LONG_AGO, **fields})
    return row


def sweep(port: int) -> int:
    here: Config = replace(config(), smtp_url=f"smtp://127.0.0.1:{port}")
    return asking_again.sweep(config=here, now=NOW)


def test_a_reader_long_unseen_is_asked_once_in_their_language(inbox: Inbox, brief: Newsletter) -> None:
    row = reader(brief, language="fr")
    assert [sweep(inbox.smtp_port), sweep(inbox.smtp_port)] == [1, 0]
    [mail] = inbox.mails()
    assert mail.message["Subject"] == "Voulez-vous encore Morning Brief ?"
    plain = next(iter(mail.message.iter_parts())).get_content()
    assert re.search(r"/still/[\w-]{24}\s", plain)
    row.refresh_from_db()
    assert (row.asked_again_at, Consent.objects.get().act) == (NOW, "asked again")


@pytest.mark.parametrize(
    "fields", [{"tracking": "aggregate"}, {"tracking": "off"}, {"last_human_at": NOW - timedelta(days=100)}]
)
def test_who_cannot_be_seen_or_was_seen_is_not_asked(
    inbox: Inbox, brief: Newsletter, fields: dict[str, object]
) -> None:
    reader(brief, **fields)
    assert (sweep(inbox.smtp_port), inbox.mails()) == (0, [])


@pytest.mark.parametrize("policy", [{"asks_again": False}, {"tracking": "aggregate"}, {"state": "paused"}])
def test_nobody_is_asked_for_a_newsletter_that_judges_no_silence(
    inbox: Inbox, brief: Newsletter, policy: dict[str, object]
) -> None:
    reader(brief)
    Newsletter.objects.update(**policy)
    assert (sweep(inbox.smtp_port), inbox.mails()) == (0, [])


def test_it_is_off_unless_somebody_turns_it_on() -> None:
    assert not editions.newsletter(tracking="consented").judges_silence


def test_a_relay_that_is_away_asks_nobody_and_is_tried_again(inbox: Inbox, brief: Newsletter) -> None:
    reader(brief)
    assert (sweep(1), Subscriber.objects.get().asked_again_at) == (0, None)
    assert sweep(inbox.smtp_port) == 1


def test_while_sending_is_stopped_nobody_is_asked(inbox: Inbox, brief: Newsletter) -> None:
    reader(brief)
    ada: User = staff.ada()
    brake.pull(actor=ada, reason="a storm", now=NOW)
    assert (sweep(inbox.smtp_port), inbox.mails()) == (0, [])


def test_a_list_silent_for_years_makes_no_burst(
    inbox: Inbox, brief: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_again, "MOST", 2)
    for n in range(3):
        reader(brief, f"r{n}@example.org")
    assert [sweep(inbox.smtp_port), sweep(inbox.smtp_port), sweep(inbox.smtp_port)] == [2, 1, 0]
    assert Subscription.objects.filter(left_at=None).count() == 3


def test_who_left_while_others_were_written_to_is_not_asked(
    inbox: Inbox, brief: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "ben", "cleo"):
        reader(brief, f"{name}@example.org")
    ask = asking_again._ask

    def slow(row: Subscriber, *told: Any, **more: Any) -> int:
        asked = ask(row, *told, **more)
        Subscription.objects.filter(subscriber__address="ben@example.org").update(left_at=NOW)
        return asked

    monkeypatch.setattr(asking_again, "_ask", slow)
    assert sweep(inbox.smtp_port) == 2
    assert sorted(mail.message["To"] for mail in inbox.mails()) == ["ada@example.org", "cleo@example.org"]
