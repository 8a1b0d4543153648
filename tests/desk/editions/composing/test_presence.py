"""The line that says who else is at an edition."""

from __future__ import annotations

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry
from tests.desk.editions.conftest import number
from tests.desk.editions.test_placing import words
from tests.factories import staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben(brief: Edition) -> Client:
    browser = Client()
    browser.force_login(staff.ben())
    return browser


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("", "Ben has this page open."),
        ("words", "Ben is editing the subject, preview line and note."),
        ("story-{A}", "Ben is editing “Story A” in Lead."),
        ("story-{H}", "Ben has this page open."),
        ("story-99999999999999999999", "Ben has this page open."),
        ("<b>\x00", "Ben has this page open."),
    ],
)
def test_a_beat_says_where_one_is_to_the_others(
    desk: Client, ben: Client, brief: Edition, part: str, said: str
) -> None:
    part = part.format(A=number("A"), H=number("H"))
    alone = ben.post(f"/desk/editions/{brief.id}/here", {"part": part})
    assert alone.content.decode().strip() == ""
    told = desk.post(f"/desk/editions/{brief.id}/here", {"part": "words"}).content.decode()
    assert words(lxml_html.fromstring(told)) == said
    assert not JournalEntry.objects.exists()


def test_the_page_beats_by_post_and_with_its_token(desk: Client, brief: Edition) -> None:
    page = lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())
    [form] = page.xpath("//div[@id='here']")
    assert form.get("hx-post") == f"/desk/editions/{brief.id}/here"
    assert "every 20s" in form.get("hx-trigger")
    assert form.xpath("input[@name='csrfmiddlewaretoken']")
    assert page.xpath("//script[contains(@src, 'composer')]")
