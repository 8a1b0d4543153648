from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.gates import holds as gate
from pipeline.articles.gates.screen import Decision, State
from pipeline.articles.models import Article, Bulletin
from pipeline.desk import today
from pipeline.desk.stories import holds
from pipeline.sources.models import Source
from pipeline.staff.models import JournalEntry
from tests.factories import articles, sources, staff

pytestmark = pytest.mark.django_db
BURST = Decision(State.HELD, "burst", {"fresh": 12, "limit": 5})


@pytest.fixture
def source() -> Source:
    return sources.source(now=timezone.now())


def hold(source: Source, count: int = 12, decision: Decision = BURST, *, name: str = "Story") -> str:
    """An event that held so many stories half an hour ago; its batch."""
    now = timezone.now() - timedelta(minutes=30)
    for n in range(count):
        article = articles.article(source=source, now=now, headline=f"{name} number {n}", state=Article.State.SEEN)
        gate.set_aside(article, decision, now=now)
    return str(article.holds.get().batch)


def told(client: Client, query: str = "?state=held") -> Any:
    return lxml_html.document_fromstring(client.get(f"/desk/articles/{query}").content.decode())


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def post(client: Client, name: str, **sent: str) -> str:
    return client.post(f"/desk/articles/held/{name}", sent, follow=True).content.decode()


def states() -> set[str]:
    return set(Article.objects.values_list("state", flat=True))


def test_what_one_event_held_is_one_card_with_its_reason_and_newest_headlines(desk: Client, source: Source) -> None:
    hold(source)
    document = told(desk)
    [card] = document.xpath("//ul[@class='events']/li")
    said = words(card)
    assert "12 stories of The Meridian Dispatch held since" in said
    assert "more than the 5 this site is believed" in said
    assert "Story number 11" in said and "Story number 5" not in said
    assert "and 6 more: look at each" in said
    assert [words(button) for button in card.xpath(".//button")] == ["Tell all 12", "None of these is news"]
    assert not document.xpath("//ol[@class='stories']"), "they are not listed a second time"


def test_a_story_held_by_itself_keeps_its_own_button(desk: Client, source: Source) -> None:
    hold(source)
    hold(source, 1, Decision(State.HELD, "embargo", {"text": "until 09:00"}), name="Secret")
    document = told(desk)
    [single] = document.xpath("//ol[@class='stories']/li")
    assert "Secret number 0" in words(single)
    assert len(document.xpath("//ul[@class='events']/li")) == 1


def test_one_click_tells_all_of_them(desk: Client, source: Source) -> None:
    batch = hold(source)
    said = post(desk, "release-batch", batch=batch, count="12")
    assert "Told: 12 stories offered to every account and edition now." in said
    assert states() == {"eligible"}
    assert Bulletin.objects.filter(kind="new").count() == 12
    assert {str(entry.actor) for entry in JournalEntry.objects.filter(verb="release")} == {"Ada"}
    assert holds.DECIDED in post(desk, "release-batch", batch=batch, count="12")


def test_one_click_lets_all_of_them_go(desk: Client, source: Source) -> None:
    batch = hold(source)
    said = post(desk, "discard-batch", batch=batch, count="12")
    assert "Filed as archive: 12 stories" in said
    assert states() == {"archived"}
    assert not Bulletin.objects.exists()
    assert str(JournalEntry.objects.get(verb="discard").actor) == "Ada"


@pytest.mark.parametrize("name", ["release-batch", "discard-batch"])
def test_nobody_decides_about_more_stories_than_they_were_shown(desk: Client, source: Source, name: str) -> None:
    batch = hold(source, 12)
    assert hold(source, 2) == batch
    said = post(desk, name, batch=batch, count="12")
    assert "There are 14 stories now, not the 12 you looked at. Nothing was changed." in said
    assert states() == {"held"}


@pytest.mark.parametrize("batch", ["", "no-such-batch"])
def test_a_batch_that_is_not_there_is_decided(desk: Client, source: Source, batch: str) -> None:
    hold(source, 1, Decision(State.HELD, "embargo", {"text": "x"}))
    assert holds.DECIDED in post(desk, "release-batch", batch=batch, count="1")
    assert states() == {"held"}


@pytest.mark.parametrize("name", ["release-batch", "discard-batch"])
def test_who_may_only_look_decides_about_no_batch(client: Client, source: Source, name: str) -> None:
    batch = hold(source)
    client.force_login(staff.ben())
    assert holds.NOT_YOURS in post(client, name, batch=batch, count="12")
    assert states() == {"held"}
    assert not told(client).xpath("//main//form")


def test_a_batch_can_be_decided_story_by_story(desk: Client, source: Source) -> None:
    batch = hold(source)
    document = told(desk, f"?state=held&batch={batch}")
    assert len(document.xpath("//ol[@class='stories']/li//button")) == 12
    assert not document.xpath("//ul[@class='events']")


def test_one_event_is_one_card_on_the_first_screen(desk: Client, source: Source) -> None:
    hold(source)
    hold(source, 1, Decision(State.HELD, "embargo", {"text": "until 09:00"}), name="Secret")
    cards = today.needing(now=timezone.now(), zone="UTC")
    assert [card["title"].split(" held")[0] for card in cards] == [
        "12 stories of The Meridian Dispatch",
        "Secret number 0",
    ]


def test_the_page_of_held_stories_takes_a_bounded_number_of_queries(desk: Client, source: Source) -> None:
    hold(source, 2)
    told(desk)
    with CaptureQueriesContext(connection) as few:
        told(desk)
    for n in range(9):
        hold(sources.source(name=f"Site {n}", now=timezone.now()), 12)
    with CaptureQueriesContext(connection) as many:
        told(desk)
    assert len(many) == len(few) <= 12
