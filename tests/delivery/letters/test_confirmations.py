"""The letter that asks: handed over once, in the reader's language, with a link that works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone

from pipeline.audience.joining import confirming
from pipeline.audience.joining.asking import Wish, ask_to_join
from pipeline.audience.models import Confirmation
from pipeline.delivery.letters import confirmations
from pipeline.demo.world.inbox import Inbox
from pipeline.kernel.config import Config, config
from tests.factories import audience, editions

pytestmark = pytest.mark.django_db


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    made.start()
    yield made
    made.stop()


def settings(port: int) -> Config:
    return replace(config(), smtp_url=f"smtp://127.0.0.1:{port}")


def asked(*, language: str = "en") -> int:
    topic = editions.newsletter().topic
    wish = Wish(
        address="cleo@bücher.example", topic_ids=(topic.id,), form="page", origin="o", network="n", language=language,
        wording="w", wording_version="v",
    )  # fmt: skip
    made = ask_to_join(wish, now=timezone.now())
    assert made is not None
    return int(made.id)


def message(inbox: Inbox) -> EmailMessage:
    [mail] = inbox.mails()
    return mail.message


def test_a_letter_is_sent_once_and_its_link_works(inbox: Inbox) -> None:
    waiting, now = asked(), timezone.now()
    assert confirmations.send(confirmation_id=waiting, config=settings(inbox.smtp_port), now=now)
    assert not confirmations.send(confirmation_id=waiting, config=settings(inbox.smtp_port), now=now)
    got = message(inbox)
    assert got["Subject"] == "Please confirm: Morning Brief"
    assert got["To"] == "cleo@xn--bcher-kva.example"
    assert got["List-Unsubscribe"] is None
    plain, html = (part.get_content() for part in got.iter_parts())
    [token] = set(re.findall(r"/confirm/([\w-]+)", plain))
    assert f"/confirm/{token}" in html
    assert confirming.found(token, now=now).state == confirming.State.OPEN


def test_a_letter_is_written_in_the_readers_language(inbox: Inbox) -> None:
    confirmations.send(confirmation_id=asked(language="ar"), config=settings(inbox.smtp_port), now=timezone.now())
    got = message(inbox)
    assert got["Content-Language"] == "ar"
    assert "يرجى التأكيد" in got["Subject"]
    assert 'dir="rtl"' in list(got.iter_parts())[1].get_content()


def test_who_has_it_already_is_told_so_and_given_nothing_to_confirm(inbox: Inbox) -> None:
    waiting = asked()
    audience.Subscriber.objects.update(state="active")
    audience.Subscription.objects.create(
        subscriber=audience.Subscriber.objects.get(), topic=audience.topic(), since=timezone.now()
    )
    confirmations.send(confirmation_id=waiting, config=settings(inbox.smtp_port), now=timezone.now())
    got = message(inbox)
    assert got["Subject"] == "You already get Morning Brief"
    assert "/confirm/" not in got.as_string()


def test_a_relay_that_is_away_gets_the_letter_later(inbox: Inbox) -> None:
    waiting, now = asked(), timezone.now()
    assert not confirmations.send(confirmation_id=waiting, config=settings(1), now=now)
    assert Confirmation.objects.get().sent_at is None
    assert confirmations.sweep(now=now + timedelta(minutes=1)) == 1
    assert confirmations.send(confirmation_id=waiting, config=settings(inbox.smtp_port), now=now)
    assert len(inbox.mails()) == 1
