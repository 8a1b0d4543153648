"""Which article a page is: one question for all who ask, remembered, and never a flood of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.tracking.site.pages import ABSENT_S, FOUND_S, Away, Pages

STORY = "https://www.example.org/story/7"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_all_who_wait_share_a_question_and_the_answer_is_kept_for_a_while(site: Any) -> None:
    clock = Clock()
    pages = Pages(site, clock=clock)
    assert await asyncio.gather(*(pages.article(STORY) for _ in range(20))) == [77] * 20
    clock.now += FOUND_S - 1
    assert await pages.article(STORY) == 77
    assert site.asked == [STORY]
    clock.now += 2
    await pages.article(STORY)
    assert site.asked == [STORY, STORY]


async def test_a_page_that_is_no_article_is_asked_for_again_sooner(site: Any) -> None:
    clock = Clock()
    pages = Pages(site, clock=clock)
    assert [await pages.article("https://www.example.org/about") for _ in range(3)] == [None] * 3
    clock.now += ABSENT_S + 1
    site.pages["https://www.example.org/about"] = 5
    assert await pages.article("https://www.example.org/about") == 5


async def test_a_thousand_invented_addresses_do_not_reach_the_database(site: Any) -> None:
    pages = Pages(site, clock=Clock())
    outcomes = await asyncio.gather(*(pages.article(f"https://x/{n}") for n in range(1000)), return_exceptions=True)
    assert len(site.asked) <= 51
    assert sum(isinstance(one, Away) for one in outcomes) >= 949


async def test_a_source_that_is_away_is_not_remembered(site: Any) -> None:
    pages = Pages(site)
    site.away = True
    with pytest.raises(Away):
        await pages.article(STORY)
    site.away = False
    assert await pages.article(STORY) == 77
