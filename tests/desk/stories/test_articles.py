from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.articles.models import Article
from pipeline.desk.stories import holds
from pipeline.desk.stories.articles import PAGE
from pipeline.staff.models import JournalEntry
from tests.factories import articles, sources, staff

pytestmark = pytest.mark.django_db


def told(client: Client, query: str = "") -> Any:
    return lxml_html.document_fromstring(client.get(f"/desk/articles/{query}").content.decode())


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def test_an_article_shows_where_it_is_from(desk: Client) -> None:
    articles.article(
        headline="Rain in Quito", section_path=["World", "americas"], dateline={"place": "Quito"}, code="news"
    )
    row = words(told(desk).xpath("//ol[@class='stories']/li")[0])
    for part in (
        "Rain in Quito",
        "World › Americas",
        "Quito",
        "The Meridian Dispatch",
        "eligible",
        "It may be announced.",
    ):
        assert part in row


def test_held_articles_say_what_releasing_them_does(desk: Client, morning: Any) -> None:
    document = told(desk, "?state=held")
    assert document.xpath("//main//form/@action") == [f"/desk/articles/held/{morning.held.id}/release"]
    assert "Told, an article is posted by every account that wants it" in words(document)


def test_a_released_article_is_told(desk: Client, morning: Any) -> None:
    answer = desk.post(f"/desk/articles/held/{morning.held.id}/release", follow=True)
    assert "is offered to every account and edition now" in answer.content.decode()
    article = Article.objects.get(id=morning.held.article_id)
    assert (article.state, article.announced_at is not None) == ("eligible", True)
    assert str(JournalEntry.objects.get(verb="release").actor) == "Ada"
    again = desk.post(f"/desk/articles/held/{morning.held.id}/release", follow=True)
    assert "was not held any more" in again.content.decode()


def test_who_may_only_look_releases_nothing(client: Client, morning: Any) -> None:
    client.force_login(staff.ben())
    answer = client.post(f"/desk/articles/held/{morning.held.id}/release", follow=True)
    assert holds.NOT_YOURS in answer.content.decode()
    assert Article.objects.get(id=morning.held.article_id).state == "held"
    assert not told(client, "?state=held").xpath("//main//form")


def test_articles_of_one_source_can_be_listed(desk: Client) -> None:
    mine, other = sources.source(name="Amber Post"), sources.source(name="Zenith Times")
    articles.article(source=mine, headline="Amber story")
    articles.article(source=other, headline="Zenith story")
    document = told(desk, f"?source={mine.id}")
    assert [words(node) for node in document.xpath("//ol[@class='stories']/li/h3")] == ["Amber story"]
    assert len(told(desk, "?source=9x").xpath("//ol[@class='stories']/li")) == 2


def test_the_next_page_keeps_what_was_asked(desk: Client) -> None:
    source = sources.source()
    for _ in range(PAGE + 1):
        articles.article(source=source)
    document = told(desk, f"?state=eligible&source={source.id}")
    assert document.xpath("//a[@rel='next']/@href") == [f"/desk/articles/?state=eligible&source={source.id}&page=2"]
