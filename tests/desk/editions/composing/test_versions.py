"""Two editors at one edition: what they see, and that no word of either is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from pipeline.staff.models import User
from tests.desk.editions.conftest import number
from tests.desk.editions.test_placing import fields, order, words
from tests.factories import editions, staff

pytestmark = pytest.mark.django_db


class Editor:
    """Somebody's browser, with the edition's page open since a moment ago."""

    def __init__(self, user: User, brief: Edition) -> None:
        self.browser, self.brief = Client(), brief
        self.browser.force_login(user)
        self.url = f"/desk/editions/{brief.id}/"
        self.look()

    def look(self) -> None:
        self.page: Any = lxml_html.document_fromstring(self.browser.get(self.url).content.decode())

    def sends(self, verb: str, form: dict[str, str], **typed: str) -> tuple[int, Any]:
        answer = self.browser.post(f"{self.url}{verb}", form | typed, follow=True)
        compose(edition_id=self.brief.id, now=editions.NOW)
        return answer.status_code, lxml_html.document_fromstring(answer.content.decode())

    def form(self, verb: str, page: Any = None) -> dict[str, str]:
        """The edition's first form of this act, as the browser would send it."""
        found = (self.page if page is None else page).xpath(f"//form[contains(@action, '/{verb}')]")[0]
        return dict(found.form_values())

    def story(self, verb: str, letter: str) -> dict[str, str]:
        forms = self.page.xpath(
            f"//form[contains(@action, '/{verb}')][input[@name='article'][@value='{number(letter)}']]"
        )
        return dict(forms[0].form_values())


@pytest.fixture
def both(brief: Edition) -> tuple[Editor, Editor]:
    return Editor(staff.ada(), brief), Editor(staff.user(email="eve@example.org", name="Eve"), brief)


def kept(brief: Edition) -> tuple[str, str, str]:
    brief.refresh_from_db()
    return brief.subject, brief.preheader, brief.note


def test_the_words_of_two_are_merged_where_they_do_not_overlap(both: tuple[Editor, Editor], brief: Edition) -> None:
    ada, eve = both
    ada.sends("write", ada.form("write"), subject="Ada's subject")
    status, page = eve.sends("write", eve.form("write"), note="Eve's\r\nnote")
    assert status == 200
    assert "Ada changed the subject meanwhile; that stays as they made it." in words(page)
    assert (kept(brief)[0], kept(brief)[2].split()) == ("Ada's subject", ["Eve's", "note"])


def test_the_same_words_of_two_are_shown_beside_each_other_and_one_is_chosen(
    both: tuple[Editor, Editor], brief: Edition
) -> None:
    ada, eve = both
    ada.sends("write", ada.form("write"), subject="Ada's subject")
    status, page = eve.sends("write", eve.form("write"), subject="Eve's subject", note="Eve's note")
    assert status == 409 and kept(brief)[0] == "Ada's subject"
    assert "Ada changed the subject while you were writing. Nothing was changed now" in words(page)
    [choice] = page.xpath("//fieldset[@class='versions']")
    assert "Theirs, kept now: Ada's subject" in words(choice)
    assert page.xpath("//textarea[@id='subject']")[0].value == "Eve's subject"
    assert page.xpath("//textarea[@id='note']")[0].value == "Eve's note"
    again = eve.form("write", page)
    for pick, subject in (("theirs", "Ada's subject"), ("mine", "Eve's subject")):
        status, _ = eve.sends("write", again, pick_subject=pick)
        assert status == 200 and (kept(brief)[0], kept(brief)[2]) == (subject, "Eve's note")


def test_a_story_two_wrote_waits_for_a_choice(both: tuple[Editor, Editor], brief: Edition) -> None:
    ada, eve = both
    ada.sends("write-story", fields(ada.page, "A"), headline="Ada's", standfirst="Ada's too")
    status, page = eve.sends("write-story", fields(eve.page, "A"), headline="Eve's", alt="Eve sees a harbour")
    assert status == 409
    [choice] = page.xpath(f"//li[@id='story-{number('A')}']//fieldset[@class='versions']")
    assert "Theirs, kept now: Ada's" in words(choice)
    form = fields(page, "A")
    assert (form["headline"], form["standfirst"], form["alt"]) == ("Eve's", "Ada's too", "Eve sees a harbour")
    status, _ = eve.sends("write-story", form, pick_headline="theirs")
    item = brief.items.get(article_id=number("A"))
    assert status == 200 and item.overrides == {
        "headline": "Ada's", "standfirst": "Ada's too", "alt": "Eve sees a harbour",
        "picture": "https://pictures.example/A.jpg",
    }  # fmt: skip


def test_a_hand_elsewhere_is_no_obstacle_and_is_told(both: tuple[Editor, Editor], brief: Edition) -> None:
    ada, eve = both
    ada.sends("leave-out", ada.story("move", "B"))
    _, page = eve.sends("move", eve.story("move", "E"), to="down")
    assert "Moved down." in words(page) and "Meanwhile: Ada left out “Story B”." in words(page)
    assert order(brief).endswith("FEG")


def test_a_hand_on_the_same_story_is_refused_and_says_what_happened(
    both: tuple[Editor, Editor], brief: Edition
) -> None:
    ada, eve = both
    ada.sends("put", ada.story("move", "E") | {"block": "2"})
    before = order(brief)
    _, page = eve.sends("leave-out", eve.story("move", "E"))
    assert "Someone changed this edition while you were reading it" in words(page)
    assert "Meanwhile: Ada placed “Story E”." in words(page)
    assert order(brief) == before


def test_approving_is_for_what_was_seen_and_nothing_else(both: tuple[Editor, Editor], brief: Edition) -> None:
    ada, eve = both
    ada.sends("leave-out", ada.story("move", "B"))
    _, page = eve.sends("approve", eve.form("approve"))
    assert "Meanwhile: Ada left out “Story B”." in words(page)
    assert Edition.objects.get(id=brief.id).state == "ready"
