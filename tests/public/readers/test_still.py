"""The answer to our question: a look is none, a POST is, and it brings back what rested."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.audience import sunset
from pipeline.audience.joining import seals
from pipeline.audience.models import Consent, Subscriber, Topic
from pipeline.editions.models import Newsletter
from tests.public.readers.conftest import Mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def silent(mail: Mail) -> Mail:
    """Cleo was asked forty days ago, and nothing was seen of her."""
    now = timezone.now()
    Newsletter.objects.update(asks_again=True, tracking="consented")
    Topic.objects.filter(id=mail.topic.id).update(per_week=7)
    Subscriber.objects.update(
        tracking="consented", tracking_at=now - timedelta(days=400), asked_again_at=now - timedelta(days=40)
    )
    return mail


def is_silent(mail: Mail) -> bool:
    return sunset.is_silent(mail.reader.id, now=timezone.now())


def test_a_look_answers_nothing_and_a_post_does(site: Client, silent: Mail) -> None:
    door = seals.reader_door(silent.reader.id)
    for method in (site.get, site.head, site.get):
        assert method(f"/still/{door}").status_code == 200
    assert is_silent(silent)
    form = html.fromstring(site.get(f"/still/{door}").content).forms[0]
    for _ in range(2):
        assert "goes on coming" in site.post(form.action).content.decode()
    assert not is_silent(silent)
    assert set(Consent.objects.values_list("act", "form")) == {("stays", "still")}


def test_the_choices_say_what_rests_and_why_and_bring_it_back(site: Client, silent: Mail) -> None:
    page = html.fromstring(site.get(f"/p/{silent.token}").content)
    told = " ".join(page.text_content().split())
    assert "so Morning Brief rests. Nothing you chose is lost." in told
    assert "The Week" not in told.partition("so Morning Brief rests")[0], "no newsletter judges silence for it"
    assert "mails a week: about 0" in told
    [form] = [form for form in page.forms if "/still/" in form.action]
    site.post(form.action)
    told = html.fromstring(site.get(f"/p/{silent.token}").content).text_content()
    assert "rests" not in told and "mails a week: about 7" in told


def test_saving_what_stands_is_an_answer_too(site: Client, silent: Mail) -> None:
    form = next(form for form in html.fromstring(site.get(f"/p/{silent.token}").content).forms if "/p/" in form.action)
    site.post(form.action, {name: value for name, value in form.form_values() if value is not None})
    assert not is_silent(silent)


@pytest.mark.parametrize("policy", [{"asks_again": False}, {"tracking": "aggregate"}])
def test_where_silence_is_not_judged_nothing_rests(site: Client, silent: Mail, policy: dict[str, object]) -> None:
    Newsletter.objects.update(**policy)
    assert "rests" not in html.fromstring(site.get(f"/p/{silent.token}").content).text_content()


@pytest.mark.parametrize("wrong", ["x", "A" * 24, "é"])
def test_what_is_not_ours_is_a_page_and_does_nothing(db: None, site: Client, wrong: str) -> None:
    assert [site.get(f"/still/{wrong}").status_code, site.post(f"/still/{wrong}").status_code] == [404, 404]
