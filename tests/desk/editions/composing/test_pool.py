"""Finding what else could be in an edition, and putting it in."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.addresses import comparable
from pipeline.articles.models import Alias, Article
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry, User
from tests.desk.editions.conftest import Send, number
from tests.desk.editions.test_placing import order, words
from tests.factories import articles, staff

pytestmark = pytest.mark.django_db


def found(desk: Client, brief: Edition, query: str = "", *, htmx: bool = True) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    answer = desk.get(f"/desk/editions/{brief.id}/pool{query}", headers=headers)
    assert answer.status_code == 200
    return lxml_html.document_fromstring(answer.content.decode())


def headlines(page: Any) -> list[str]:
    return [words(node) for node in page.xpath("//ul[contains(@class, 'near')]/li/div[1]/a")]


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ("", "H"),
        ("?q=story+e", "E"),
        ("?q=STORY", "ABCDEFGH"),
        ("?q=nothing", ""),
        ("?show=missed", ""),
        ("?show=missed&q=story", ""),
        ("?q=%25", ""),
        ("?q=%00&show=x", "H"),
    ],
)
def test_stories_are_found_by_any_words(desk: Client, brief: Edition, query: str, letters: str) -> None:
    assert sorted(headlines(found(desk, brief, query))) == [f"Story {letter}" for letter in letters]


def test_a_pasted_address_finds_its_story(desk: Client, brief: Edition) -> None:
    row = Article.objects.get(id=number("F"))
    url = "https://dispatch.example/2026/f/?utm_source=x"
    Alias.objects.create(source=row.source, kind="url", value=comparable(url), article=row)
    page = found(desk, brief, "?q=http%3A%2F%2Fwww.dispatch.example%2F2026%2Ff")
    assert headlines(page) == ["Story F"]
    assert "In it already: More news." in words(page)


def test_those_that_missed_the_cut_off_and_those_excluded_say_why(act: Send, desk: Client, brief: Edition) -> None:
    articles.article(now=timezone.now(), age_s=60, headline="Story Z", section_path=["World"])
    act("leave-out", article=number("A"))
    assert headlines(found(desk, brief, "?show=missed")) == ["Story Z"]
    page = found(desk, brief, "?show=excluded")
    assert headlines(page) == ["Story A"]
    assert "Not in it: left out by an editor" in words(page)


def test_what_is_found_is_added_by_its_button(act: Send, desk: Client, brief: Edition) -> None:
    page = found(desk, brief, "?q=story+h")
    [form] = page.xpath("//form[contains(@action, '/put')]")
    fields = dict(form.form_values()) | {"article": form.xpath(".//button[@name='article']/@value")[0], "block": "2"}
    _, after = act("put", **fields)
    assert "Put there by your hand." in words(after)
    assert "H" in order(brief)


@pytest.mark.parametrize(("state", "said"), [("held", "It is held: release it first."), ("killed", "It was killed.")])
def test_what_cannot_be_in_it_has_no_button(desk: Client, brief: Edition, state: str, said: str) -> None:
    Article.objects.filter(id=number("H")).update(state=state)
    page = found(desk, brief, "?q=story+h")
    assert said in words(page) and not page.xpath("//button[@name='article']")


def test_looking_is_for_everybody_and_adding_is_not(client: Client, brief: Edition) -> None:
    client.force_login(staff.ben())
    page = found(client, brief)
    assert headlines(page) == ["Story H"] and not page.xpath("//form")
    assert not JournalEntry.objects.exists()


def test_without_script_it_is_a_page(desk: Client, brief: Edition) -> None:
    page = found(desk, brief, "?q=story+h", htmx=False)
    assert headlines(page) == ["Story H"]
    assert page.xpath("//h1") and page.xpath("//input[@id='find-story'][@value='story h']")


def test_however_much_is_found_it_asks_the_database_as_often(
    desk: Client, brief: Edition, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(18):
        found(desk, brief, "?q=story")


def test_who_works_for_other_newsletters_is_offered_no_block(desk: Client, brief: Edition, ada: User) -> None:
    assert found(desk, brief).xpath("//button[@name='article']")
    User.objects.filter(id=ada.id).update(is_limited=True)
    page = found(desk, brief)
    assert headlines(page) == ["Story H"]
    assert not page.xpath("//form | //button[@name='article']")
