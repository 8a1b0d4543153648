"""A letter without the stories its readers had: made of what was approved, its links meaning what they meant."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.articles.models import Article
from pipeline.delivery.message.renderings import approved, frozen, holds_news, shortened, without
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Story
from pipeline.editions.models import Edition, Item
from tests.factories import articles, editions

LETTERHEAD = Masthead(name="Dispatch", slug="d", publisher="R", home_url="https://c.example/", postal_address="1 Row")


def story(number: int) -> Story:
    return Story(headline=f"Story {number}", url=f"https://c.example/{number}", article_id=number)


CONTENT = EditionContent(
    masthead=LETTERHEAD,
    slot_at=datetime(2026, 4, 19, tzinfo=UTC),
    subject="An editor's subject",
    preheader="An editor's preheader",
    blocks=(
        FilledBlock(kind="lead", stories=(story(1),)),
        FilledBlock(kind="top", stories=(story(2), story(3))),
        FilledBlock(kind="sponsor", stories=(Story(headline="A car", url="https://car.example/"),)),
        FilledBlock(kind="section", stories=(story(4),), topic="africa"),
        FilledBlock(kind="popular", stories=(story(5), story(6))),
    ),
)


def ids(content: EditionContent) -> list[list[int | None]]:
    return [[story.article_id for story in block.stories] for block in content.blocks]


def test_blocks_keep_their_positions_and_what_is_no_news_stays() -> None:
    assert ids(shortened(CONTENT, left_out=frozenset({2, 4, 5}), edited=False)) == [[1], [3], [None], [], [5, 6]]


@pytest.mark.parametrize(
    ("left_out", "edited", "subject", "preheader"),
    [
        ({3}, True, "An editor's subject", "An editor's preheader"),
        ({3}, False, "Story 1", "Story 2 · A car"),
        ({1}, True, "Story 2", "Story 3 · A car"),
        ({1}, False, "Story 2", "Story 3 · A car"),
    ],
)
def test_the_subject_stays_an_editors_while_its_lead_does(
    left_out: set[int], edited: bool, subject: str, preheader: str
) -> None:
    content = shortened(CONTENT, left_out=frozenset(left_out), edited=edited)
    assert (content.subject, content.preheader) == (subject, preheader)


@pytest.mark.parametrize(
    ("left_out", "blocks", "news"),
    [
        ({1, 2, 3}, None, True),
        ({1, 2, 3, 4}, None, False),
        ({1, 2, 3}, (1, 2, 3, 5), False),
        ({1, 2, 3}, (4,), True),
        ({2}, (5, 3), False),
    ],
)
def test_a_chart_and_an_advertisement_are_no_news(
    left_out: set[int], blocks: tuple[int, ...] | None, news: bool
) -> None:
    assert holds_news(CONTENT, left_out=frozenset(left_out), blocks=blocks) is news


@pytest.fixture
def ready(db: None) -> Edition:
    newsletter = editions.newsletter()
    for n in range(6):
        articles.article(headline=f"Überschrift {n}", standfirst="Été à Tōkyō.", age_s=3600 + n)
    return editions.composed(newsletter=newsletter)


def picked(edition: Edition) -> list[Item]:
    return list(
        edition.items.filter(picked=True).select_related("article", "block").order_by("block__position", "position")
    )


def links_of(html: str) -> set[int]:
    return {int(number) for number in re.findall(r"\[\[dl:c(\d+)\]\]", html)}


def test_what_is_left_says_what_it_said_and_leads_where_it_led(ready: Edition) -> None:
    whole, second = frozen(ready), picked(ready)[1]
    shorter = without(ready, frozenset({second.article_id}))
    assert second.article.headline in whole.html
    assert second.article.headline not in shorter.html + shorter.text
    assert shorter.links == whole.links
    gone = {link.number for link in whole.links if link.article_id == second.article_id}
    trap = {link.number for link in whole.links if link.kind == "honeypot"}
    assert gone
    assert links_of(shorter.html) == links_of(whole.html) - gone
    assert links_of(shorter.text) == links_of(whole.text) - gone - trap
    for item in picked(ready)[2:]:
        after = shorter.text[shorter.text.index(item.article.headline) :]
        found = re.search(r"\[\[dl:c(\d+)\]\]", after)
        assert found
        assert whole.links[int(found[1])].article_id == item.article_id
    assert (shorter.subject, shorter.language, shorter.direction) == (whole.subject, whole.language, whole.direction)


def test_without_its_lead_the_next_story_is_the_subject(ready: Edition) -> None:
    first, second = picked(ready)[:2]
    shorter = without(ready, frozenset({first.article_id}))
    assert frozen(ready).subject == first.article.headline
    assert shorter.subject == second.article.headline
    assert first.article.headline not in shorter.html


def test_leaving_nothing_out_is_the_edition_itself(ready: Edition) -> None:
    assert without(ready, frozenset()) == frozen(ready)
    assert without(ready, frozenset({0})).html == frozen(ready).html


def test_what_was_corrected_after_approval_is_sent_as_it_was_approved(
    ready: Edition, caplog: pytest.LogCaptureFixture
) -> None:
    """A shorter letter made now would say what nobody approved."""
    first, second = picked(ready)[:2]
    Article.objects.filter(id=first.article_id).update(headline="Another headline")
    assert approved(ready) is None
    assert without(ready, frozenset({second.article_id})) == frozen(ready)
    assert "changed since it was approved" in caplog.text


def test_an_edition_of_another_revision_is_read_again(ready: Edition) -> None:
    before = approved(ready)
    assert before is not None
    Article.objects.filter(id=picked(ready)[0].article_id).update(headline="Another headline")
    assert approved(ready) is before, "a process keeps what it once proved"
    ready.rendering.revision += 1
    ready.rendering.save()
    assert approved(ready) is None


def test_a_story_shown_in_a_chart_as_well_stays_in_the_chart() -> None:
    twice = replace(CONTENT, blocks=(*CONTENT.blocks[:2], FilledBlock(kind="popular", stories=(story(2),))))
    assert ids(shortened(twice, left_out=frozenset({2}), edited=False)) == [[1], [3], [2]]
