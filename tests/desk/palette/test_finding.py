"""The palette: what some words find."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.desk import frame
from tests.factories import audience

pytestmark = pytest.mark.django_db


def found(desk: Client, words: str) -> list[tuple[str, str]]:
    """Kind and address of each link."""
    answer = desk.get("/desk/find/", {"q": words})
    assert answer.status_code == 200
    links = lxml_html.fragment_fromstring(answer.content.decode(), create_parent="div").xpath(".//a")
    return [(link.findtext("span"), link.get("href")) for link in links]


def test_an_empty_box_lists_every_screen(desk: Client) -> None:
    assert [kind for kind, _ in found(desk, " ")] == ["Screen"] * len([*frame.SCREENS, *frame.MORE])


def test_a_word_finds_screens_newsletters_and_their_editions(desk: Client, morning: Any) -> None:
    kinds = dict.fromkeys(kind for kind, _ in found(desk, morning.ready.newsletter.name))
    assert list(kinds) == ["Newsletter", "Edition"]
    assert ("Screen", "/desk/queue/") in found(desk, "queue")


def test_a_word_of_a_headline_finds_the_story_and_no_more_than_five(desk: Client, morning: Any) -> None:
    headline = morning.stories[0].headline
    assert ("Story", f"/desk/articles/{morning.stories[0].id}/") in found(desk, headline.upper())
    assert 0 < len([kind for kind, _ in found(desk, "story") if kind == "Story"]) <= 5


@pytest.mark.parametrize("words", ["zzzz-nothing", "%", "_", "\0", "'; DROP TABLE", "é" * 500, "\\"])
def test_words_that_name_nothing_are_said_to(desk: Client, words: str) -> None:
    answer = desk.get("/desk/find/", {"q": words})
    assert answer.status_code == 200
    assert answer.content.strip()


def test_no_reader_is_found_here(desk: Client) -> None:
    audience.cleo()
    assert found(desk, "cleo") == []


def test_a_look_asks_the_database_seven_times_at_most(
    desk: Client, morning: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(9):
        found(desk, "a")


def test_keys_of_screens_are_told_apart() -> None:
    keys = [one.key for one in [*frame.SCREENS, *frame.MORE] if one.key]
    assert len(keys) == len(set(keys))
