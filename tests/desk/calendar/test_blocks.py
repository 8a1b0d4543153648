"""Blocks are changed as rows of a form; what left keeps the kind of block it stood in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.editions.models import Block, Edition, Item, Newsletter
from pipeline.schedule.newsletters.changing import mark_of_blocks
from pipeline.staff.models import JournalEntry, Role
from tests.factories import articles, editions, staff

pytestmark = pytest.mark.django_db
DAILY: dict[str, Any] = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}


@pytest.fixture
def brief() -> Newsletter:
    return editions.newsletter(cadence=DAILY, now=timezone.now())


def browser(role: Role = Role.HEAD, email: str = "ada@example.org") -> Client:
    client = Client()
    client.force_login(staff.user(email=email, role=role))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def rows(client: Client, made: Newsletter) -> dict[str, str]:
    """The form as the page holds it."""
    from lxml import html

    page = html.document_fromstring(client.get(f"/desk/newsletters/{made.id}/blocks").content.decode())
    return {name: value for name, value in page.get_element_by_id("settings").form_values() if name != "csrfmiddlewaretoken"}  # fmt: skip


def told(made: Newsletter) -> list[tuple[str, str, dict[str, Any]]]:
    return [(block.kind, block.title, block.rule) for block in made.blocks.all()]


def keep(client: Client, made: Newsletter, **more: str) -> Any:
    named = {name.replace("_is_", "-"): value for name, value in more.items()}
    return client.post(f"/desk/newsletters/{made.id}/blocks/keep", {**rows(client, made), **named}, follow=True)


def test_a_form_sent_back_as_it_came_changes_nothing(brief: Newsletter) -> None:
    before = told(brief)
    assert "Nothing differs" in text(keep(browser(), brief))
    assert told(brief) == before


def test_count_section_age_and_place_are_changed_and_journalled(brief: Newsletter) -> None:
    ids = [block.id for block in brief.blocks.all()]
    done = keep(
        browser(), brief, b1_is_count="4", b1_is_sections="Africa, Asia", b1_is_most_age_h="12", b3_is_place="15",
        reason="more of the world",
    )  # fmt: skip
    assert "is chosen by these blocks" in text(done)
    assert told(brief) == [
        ("lead", "", {"count": 1}),
        ("popular", "Most Popular", {"count": 3}),
        ("section", "Africa", {"count": 4, "sections": ["Africa", "Asia"], "most_age_h": 12}),
        ("top", "More news", {"count": 3}),
    ]
    assert sorted(block.id for block in brief.blocks.all()) == sorted(ids), "the rows are the same"
    entry = JournalEntry.objects.get(verb="change blocks")
    assert [one["kind"] for one in entry.detail["old"]] == ["lead", "section", "top", "popular"]
    assert [one["kind"] for one in entry.detail["new"]] == ["lead", "popular", "section", "top"]
    assert entry.reason == "more of the world"


def test_a_block_is_added_and_one_taken_out(brief: Newsletter) -> None:
    keep(browser(), brief, b4_is_kind="opinion", b4_is_title="Views", b4_is_count="2", b1_is_gone="yes")
    assert [kind for kind, _, _ in told(brief)] == ["lead", "top", "popular", "opinion"]


def test_what_no_field_shows_of_a_rule_stays(brief: Newsletter) -> None:
    Block.objects.filter(newsletter=brief, kind="top").update(rule={"count": 3, "sources": [7], "topic": "africa"})
    keep(browser(), brief, b2_is_count="5")
    assert brief.blocks.get(kind="top").rule == {"count": 5, "sources": [7], "topic": "africa"}


def test_a_story_that_left_in_a_popular_block_is_no_news_that_left(brief: Newsletter) -> None:
    from pipeline.editions.choosing.pool import placed_in

    popular = brief.blocks.get(kind="popular")
    left = Edition.objects.create(newsletter=brief, slot_at=timezone.now(), state=Edition.State.SENT)
    Item.objects.create(edition=left, article=articles.article(), block=popular, picked=True, code="popular")
    keep(browser(), brief, b3_is_kind="top")
    assert Item.objects.get().block is None, "its block is gone, and no news block took its place"
    assert placed_in(left) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"b1_is_count": "0"}, "greater than or equal to 1"), ({"b1_is_minimum": "9"}, "minimum is more than its count"), ({"b1_is_kind": "gossip"}, "valid choice")],
)  # fmt: skip
def test_a_wrong_answer_is_told_beside_the_field_and_nothing_is_kept(
    brief: Newsletter, typed: dict[str, str], said: str
) -> None:
    before = told(brief)
    answer = keep(browser(), brief, b1_is_title="R&D", **typed)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "R&amp;D" in text(answer)
    assert told(brief) == before


def test_a_newsletter_is_never_left_without_a_block(brief: Newsletter) -> None:
    answer = keep(browser(), brief, **{f"b{n}_is_gone": "yes" for n in range(4)})
    assert "needs a block" in text(answer)
    assert brief.blocks.count() == 4


def test_what_the_blocks_would_choose_is_said_before_they_are_kept(brief: Newsletter) -> None:
    now = timezone.now()
    Newsletter.objects.update(created_at=now - timedelta(days=30))
    news = articles.article(now=now - timedelta(hours=1), section_path=["Sport"])
    client, before = browser(), told(brief)
    form = rows(client, brief)
    from pipeline.schedule.plan import plan_one

    plan_one(brief, now=now)
    shown = text(client.post(f"/desk/newsletters/{brief.id}/blocks/try", form))
    assert news.headline in shown
    without = {**form, "b0-sections": "Africa", "b2-sections": "Africa", "b3-gone": "yes"}
    assert news.headline not in text(client.post(f"/desk/newsletters/{brief.id}/blocks/try", without))
    assert told(brief) == before


def test_somebody_elses_blocks_are_not_overwritten(brief: Newsletter) -> None:
    ada = browser()
    form = rows(ada, brief)
    keep(browser(email="eve@example.org"), brief, b1_is_count="9")
    answer = ada.post(f"/desk/newsletters/{brief.id}/blocks/keep", {**form, "b2-count": "8"})
    assert answer.status_code == 409
    assert [block.rule["count"] for block in brief.blocks.all()] == [1, 9, 3, 3]
    assert form["seen"] != mark_of_blocks(brief)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_who_is_no_head_looks_and_changes_nothing(brief: Newsletter, role: Role) -> None:
    client, before = browser(role), told(brief)
    assert "Keep these blocks" not in text(client.get(f"/desk/newsletters/{brief.id}/blocks"))
    assert "Only a desk head" in text(keep(client, brief, b1_is_count="9"))
    assert told(brief) == before
