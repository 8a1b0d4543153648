from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.models import Article
from pipeline.editions.acts import ordering
from pipeline.editions.models import Edition, Item
from tests.desk.editions.conftest import number
from tests.factories import articles, editions

pytestmark = pytest.mark.django_db


def shown(desk: Client, brief: Edition) -> Any:
    return lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())


def words(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def test_every_block_says_its_rule_in_a_sentence(desk: Client, brief: Edition) -> None:
    titles = [words(node) for node in shown(desk, brief).xpath("//div[@class='block']/h3")]
    assert titles == [
        "Lead newest 1",
        "Africa newest 2 in Africa",
        "Trade newest 2 in Trade; if fewer than 2, it stays short",
        "More news newest 3",
        "Partner what the order says",
    ]


def test_a_block_that_came_up_short_says_what_became_of_it(desk: Client, brief: Edition) -> None:
    assert "Only 1 of at least 2 fit: it stays short." in words(shown(desk, brief).get_element_by_id("block-3"))


@pytest.mark.parametrize(
    ("fallback", "told"),
    [
        ("skip", "Fewer than 2 fit, so it is left out of this edition."),
        ("evergreen", "evergreens were to make up the number, as far as there are any. It has 1 story more by that."),
    ],
)
def test_a_fallback_is_told_in_words(desk: Client, fallback: str, told: str) -> None:
    now = timezone.now()
    articles.article(now=now, age_s=2400, section_path=["Trade"])
    articles.article(now=now, age_s=9 * 86400, section_path=["Trade"], is_evergreen=True)
    blocks = [{"kind": "section", "title": "Trade", "rule": {"count": 2, "minimum": 2, "fallback": fallback}}]
    newsletter = editions.newsletter(blocks=blocks, minimum=0, now=now)
    edition = editions.composed(newsletter=newsletter, slot_at=now + timedelta(minutes=30), now=now)
    assert told in words(shown(desk, edition).get_element_by_id("block-1"))


def test_a_promised_place_shows_what_was_ordered(desk: Client, brief: Edition) -> None:
    assert "“Buy this”, as ordered." in words(shown(desk, brief).get_element_by_id("block-5"))


def test_a_rule_that_cannot_be_used_is_named_and_the_page_opens(desk: Client, brief: Edition) -> None:
    brief.newsletter.blocks.filter(position=4).update(rule={"count": "x"})
    Edition.objects.filter(id=brief.id).update(state="held", code="unusable_rule", params={"said": "block 4"})
    told = words(shown(desk, brief))
    assert "its rule cannot be used: block 4: count must be a whole number from 1 to 100" in told
    assert "What you can do: Correct the rule of the block , then press “Keep and compose again”" in told


def test_what_a_story_is_beside_news_is_marked(desk: Client, brief: Edition) -> None:
    Item.objects.filter(article__headline="Story A").update(
        pinned=True, params={"rank": 1, "of": 2, "alerted": "2026-04-19T04:12:00Z"}
    )
    Item.objects.filter(article__headline="Story B").update(code="carried", label="Update")
    page = shown(desk, brief)
    tags = {
        letter: [words(tag) for tag in page.xpath(f"//li[@id='story-{number(letter)}']//span[@class='tag']")]
        for letter in "ABC"
    }
    assert tags == {"A": ["by hand", "alerted"], "B": ["Update", "carried over"], "C": []}


def test_those_without_room_say_that_they_are_kept(desk: Client, brief: Edition) -> None:
    [near] = shown(desk, brief).xpath("//section[h2[@id='left']]//li[contains(., 'Story H')]")
    assert "kept for the next" in words(near)


def test_what_missed_the_cutoff_stands_open_to_be_pulled_in(desk: Client, brief: Edition) -> None:
    late = articles.article(now=timezone.now(), age_s=0, headline="Too late")
    editions.item(edition=brief, article=late, picked=False, position=0, code="missed_cutoff", params={"by_s": 250})
    [group] = shown(desk, brief).xpath("//section[h2[@id='left']]/details[@open]")
    assert words(group.find("summary")) == "Missed the cut-off 1"
    assert words(group.xpath(".//button")[0]) == "Pull in : Too late"
    assert group.xpath(".//option[@selected]/@value") == ["2"], "the lead is not lost by haste"


def test_a_killed_story_cannot_be_put_in(desk: Client, brief: Edition) -> None:
    Item.objects.filter(article__headline="Story H").update(code="killed")
    [group] = shown(desk, brief).xpath(
        "//section[h2[@id='left']]/details[starts-with(normalize-space(summary), 'Killed')]"
    )
    assert not group.xpath(".//button")


def test_a_headline_is_text(desk: Client, brief: Edition) -> None:
    Article.objects.filter(headline="Story A").update(headline="<script>alert(1)</script>")
    assert not shown(desk, brief).xpath("//main//script")


def test_the_page_asks_as_often_for_many_stories_as_for_few(desk: Client, brief: Edition) -> None:
    url = f"/desk/editions/{brief.id}/"
    desk.get(url)
    with CaptureQueriesContext(connection) as few:
        desk.get(url)
    block = brief.newsletter.blocks.get(position=4)
    for n in range(40):
        more = articles.article(headline=f"More {n}")
        given: dict[str, Any] = {"overrides": {"headline": "Ours"}, "site": {"headline": "Before"}}
        editions.item(edition=brief, article=more, position=4 + n, block=block, pinned=n % 2 == 0, **given)
    with CaptureQueriesContext(connection) as many:
        desk.get(url)
    assert len(many) == len(few) <= 14


def test_a_hand_stands_where_composing_will_put_it(brief: Edition) -> None:
    block = brief.newsletter.blocks.get(position=4)
    for position, letter in ((9, "E"), (1, "G")):
        Item.objects.filter(article__headline=f"Story {letter}").update(pinned=True, position=position, block=block)
    order = ordering.arranged(ordering.loaded(brief.id))[4]
    assert [item.article.headline[-1] for item in order] == ["G", "F", "E"]
