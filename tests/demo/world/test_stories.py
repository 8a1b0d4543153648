from __future__ import annotations

from datetime import date

import pytest

from pipeline.demo.world.stories import Story, authors, dateline, follow_up, slugify, stories

DAY = date(2026, 4, 19)
FOLLOW_UPS = [follow_up(number=number) for number in range(343)]


def paragraphs(story: Story) -> list[str]:
    return [block.text for block in story.blocks if block.kind == "p"]


def shingles(story: Story) -> set[tuple[str, ...]]:
    words = " ".join(block.text for block in story.blocks).split()
    return {tuple(words[at : at + 4]) for at in range(len(words) - 3)}


def test_the_stock_is_large_and_every_story_has_its_own_address_and_headline() -> None:
    assert len(stories()) >= 28
    assert len({story.slug for story in stories()}) == len({story.title for story in stories()}) == len(stories())


def test_sections_form_a_tree_of_two_levels() -> None:
    sections = {story.section for story in stories()}
    assert len(sections) >= 8
    assert {len(section) for section in sections} == {1, 2}
    assert ("Diplomatic News", "Ambassadors") in sections


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.slug)
def test_each_story_is_real_prose(story: Story) -> None:
    assert 5 <= len(paragraphs(story)) <= 10
    for text in paragraphs(story):
        assert 35 <= len(text.split()) <= 85, text
    assert any(block.kind in ("h2", "h3") for block in story.blocks)
    assert sum(block.kind == "also" for block in story.blocks) == 1
    assert story.author in authors()


def test_each_story_points_to_one_that_comes_before_it() -> None:
    order = [story.slug for story in stories()]
    for place, slug in enumerate(order[1:], start=1):
        assert stories()[place].related in order[:place], slug


def test_the_awkward_ones_are_all_there() -> None:
    titles = [story.title for story in stories()]
    assert any(len(title) == 170 for title in titles)
    assert any("&" in title and "“" in title and "☕" in title for title in titles)
    assert [story.language for story in stories()].count("ar") == 1
    assert any(block.kind == "correction" for story in stories() for block in story.blocks)
    assert any(story.kind == "OpinionNewsArticle" for story in stories())
    assert any(story.image is None for story in stories())


def test_about_six_in_ten_pages_tell_machines_everything_and_some_tell_nothing() -> None:
    told = [story.markup for story in stories()]
    assert 0.5 <= told.count("jsonld") / len(told) <= 0.7
    assert told.count("og") >= 4
    assert told.count("bare") >= 4


def test_datelines_are_printed_for_their_day_in_many_forms() -> None:
    printed = {dateline(story, day=DAY) for story in stories()}
    assert "Tokyo, 19 April 2026 (TMD):" in printed
    assert "ROTTERDAM, Apr 19 (TMD) —" in printed
    assert "عمّان، 19 أبريل 2026 (TMD):" in printed
    assert "" in printed
    assert not any("{" in each for each in printed)


def test_follow_ups_never_repeat_an_address_or_a_headline() -> None:
    many = [follow_up(number=number) for number in range(700)]
    assert len({story.slug for story in many}) == len({story.title for story in many}) == 700


def test_follow_ups_read_like_stories() -> None:
    for story in FOLLOW_UPS:
        assert all(40 <= len(text.split()) <= 80 for text in paragraphs(story)), story.slug
        assert "{" not in " ".join(block.text for block in story.blocks) + story.title


def test_no_two_follow_ups_are_alike_enough_to_pass_for_one_story() -> None:
    # Dateline takes a similarity of .85 for the same story edited (watching.md, 2.4).
    told = [shingles(story) for story in FOLLOW_UPS[:150]]
    worst = max(len(a & b) / len(a | b) for place, a in enumerate(told) for b in told[:place])
    assert worst < 0.5


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Diplomatic News", "diplomatic-news"),
        ("Tomé Arrais", "tome-arrais"),
        ("Kenya–Japan", "kenya-japan"),
        ("رنا الحديدي", "رنا-الحديدي"),
    ],
)
def test_slugs_are_made_as_addresses_need_them(name: str, slug: str) -> None:
    assert slugify(name) == slug
