"""Choices by a signed link: shown with their effect, saved as a whole, kept as evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from lxml import html

from pipeline.audience.joining import seals
from pipeline.audience.models import Consent, Subscriber, Subscription, Topic
from tests.public.readers.conftest import Mail

pytestmark = pytest.mark.django_db


def page(site: Client, token: str) -> Any:
    return html.fromstring(site.get(f"/p/{token}").content)


def fields(site: Client, mail: Mail, **said: Any) -> dict[str, Any]:
    form = page(site, mail.token).forms[0]
    values = dict(form.form_values()) | said
    return {name: value for name, value in values.items() if value is not None}


def said(answer: Any) -> str:
    return str(html.fromstring(answer.content).xpath("string(//*[contains(@class, 'notice')])")).strip()


def test_every_choice_states_its_effect_in_mails_a_week(site: Client, mail: Mail) -> None:
    Topic.objects.filter(id=mail.topic.id).update(per_week=14)
    shown = page(site, mail.token)
    options = shown.xpath(f"//input[@name='pace-{mail.topic.id}']/../span/text()")
    assert [option.rpartition(" ")[2] for option in options] == ["14", "7", "1"]
    unknown = shown.xpath(f"//input[@name='pace-{mail.weekly.id}']/../span/text()")
    assert ["not known yet" in option for option in unknown] == [True] * 3
    assert "mails a week: about 14" in shown.text_content()


def test_choices_are_saved_and_every_change_is_evidence(site: Client, mail: Mail) -> None:
    topic = mail.topic.id
    change = {
        f"pace-{topic}": "weekly", f"pause-{topic}": "2030-01-02", f"topic-{mail.weekly.id}": None,
        "wants_at": "07:30", "zone": "Asia/Karachi", "language": "ur", "tracking": "consented",
    }  # fmt: skip
    answer = site.post(f"/p/{mail.token}", fields(site, mail, **change))
    assert answer.status_code == 200
    assert html.fromstring(answer.content).get("dir") == "rtl"
    row = Subscription.objects.get(topic=mail.topic)
    assert (row.pace, row.paused_until) == ("weekly", datetime(2030, 1, 1, 19, 0, tzinfo=UTC))
    assert row.last_at == mail.delivery.send.edition.slot_at, "the dial counts from the last edition they had"
    assert Subscription.objects.get(topic=mail.weekly).left_at is not None
    reader = Subscriber.objects.get()
    assert (reader.zone, reader.language, reader.tracking) == ("Asia/Karachi", "ur", "consented")
    assert str(reader.wants_at) == "07:30:00"
    assert reader.tracking_at is not None and reader.tracking_at == reader.last_human_at
    acts = sorted(Consent.objects.values_list("act", "wording"))
    assert [act for act, _ in acts] == ["changed", "changed", "changed", "changed", "left", "tracking"]
    assert ("changed", "weekly, paused until 2030-01-01 19:00 UTC") in acts


def test_saving_what_stands_changes_nothing(site: Client, mail: Mail) -> None:
    answer = site.post(f"/p/{mail.token}", fields(site, mail))
    assert said(answer) == "Nothing was different, so nothing was changed."
    assert Consent.objects.count() == 0


def test_two_windows_do_not_overwrite_each_other(site: Client, mail: Mail) -> None:
    old = fields(site, mail, zone="Europe/Paris")
    assert site.post(f"/p/{mail.token}", fields(site, mail, zone="Asia/Tokyo")).status_code == 200
    late = site.post(f"/p/{mail.token}", old)
    assert late.status_code == 409
    assert "was not saved" in said(late)
    assert Subscriber.objects.get().zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("zone", "Mars/Base", "Your time zone"),
        ("wants_at", "25:00", "At what time"),
        ("tracking", "all", "What we may count"),
        ("language", "tlh", "Language"),
        ("pause", "soon", "Pause until"),
        ("pace", "hourly", "How often"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_and_nothing_is_saved(
    site: Client, mail: Mail, name: str, value: str, label: str
) -> None:
    name = f"{name}-{mail.topic.id}" if name in ("pause", "pace") else name
    answer = site.post(f"/p/{mail.token}", fields(site, mail, **{name: value, f"topic-{mail.weekly.id}": None}))
    assert answer.status_code == 422
    assert said(answer).startswith(f"Nothing was saved: {label}")
    assert Consent.objects.count() == 0


def test_a_topic_that_was_not_on_the_page_is_not_left(site: Client, mail: Mail) -> None:
    seen = fields(site, mail)["seen"]
    site.post(f"/p/{mail.token}", {"seen": seen, "zone": "Asia/Tokyo"})
    assert Subscription.objects.filter(left_at=None).count() == 2


def test_a_door_of_our_own_letters_opens_the_same_choices(site: Client, mail: Mail) -> None:
    assert "cleo@example.org" in page(site, seals.reader_door(mail.reader.id)).text_content()


def test_erased_readers_and_strangers_have_no_choices(site: Client, mail: Mail) -> None:
    Subscriber.objects.update(state="erased")
    for token in (mail.token, seals.reader_door(mail.reader.id), seals.reader_door(10**9), "x"):
        assert site.get(f"/p/{token}").status_code == 404
        assert site.post(f"/p/{token}", {"zone": "Asia/Tokyo"}).status_code == 404
