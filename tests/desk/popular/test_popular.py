"""Most Popular at the desk: reasons and filtered clicks on the page, hands by POST, a method in sentences."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.engagement.models import Origin
from pipeline.engagement.settle import settle
from pipeline.ranking import method, rank
from pipeline.ranking.models import Method, Pin, Standing
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import articles
from tests.factories.engagement import event

pytestmark = pytest.mark.django_db
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def story(db: None) -> Article:
    now = timezone.now()
    made = articles.article(now=now, age_s=3600, section_path=["World", "Africa"])
    origin = Origin.objects.create(id=9, kind=Origin.Kind.EDITION, started_at=now)
    for ordinal, agent in ((1, PERSON), (2, PERSON), (3, "curl/8.9")):
        event(
            origin=origin, ordinal=ordinal, article=made, at=now - timedelta(minutes=9), verdict="pending", agent=agent
        )
    settle(now=now)
    rank.refresh(now=now)
    return made


def page(desk: Client, query: str = "") -> str:
    answer = desk.get(f"/desk/popular/{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_every_place_says_why_and_what_was_not_counted(desk: Client, story: Article) -> None:
    told = page(desk)
    assert "Its count put it here. Clicks: 2 counted; 1 scanners." in told
    assert told.count(story.headline) >= 4, "four lists"
    assert "Opens never count." in told


def test_a_section_has_lists_of_its_own(desk: Client, story: Article) -> None:
    assert "?section=World" in page(desk)
    assert "Its count put it here." in page(desk, "?section=World")


def test_a_ban_needs_a_reason_and_takes_the_story_out(desk: Client, story: Article) -> None:
    where = f"/desk/popular/{story.id}/hand"
    assert "Say why" in desk.post(where, {"kind": "ban", "reason": " "}, follow=True).content.decode()
    assert not Pin.objects.exists()
    until = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    desk.post(where, {"kind": "ban", "reason": "A hoax sent people there.", "until": until})
    rank.refresh(now=timezone.now())
    assert not Standing.objects.filter(article=story).exists()
    told = page(desk)
    assert "“A hoax sent people there.”" in told and "Banned" in told
    entry = JournalEntry.objects.get(verb="ban_popular")
    assert entry.subject_id == story.id and entry.reason == "A hoax sent people there."


def test_a_pin_stands_until_somebody_ends_it(desk: Client, story: Article) -> None:
    desk.post(f"/desk/popular/{story.id}/hand", {"kind": "pin", "place": "1", "reason": "The day’s story."})
    rank.refresh(now=timezone.now())
    assert set(Standing.objects.filter(article=story).values_list("code", flat=True)) == {"pinned"}
    ended = desk.post(f"/desk/popular/hands/{Pin.objects.get().id}/end", {"reason": "Enough."}, follow=True)
    assert "Ended:" in ended.content.decode() and not Pin.objects.exists()
    assert JournalEntry.objects.filter(verb="unpin_popular", reason="Enough.").exists()


@pytest.mark.parametrize(
    "asked", [{"place": "11"}, {"place": "first"}, {"until": "tomorrow"}, {"until": "2020-01-01T00:00"}]
)
def test_a_hand_that_cannot_be_laid_changes_nothing(desk: Client, story: Article, asked: dict[str, str]) -> None:
    said = desk.post(f"/desk/popular/{story.id}/hand", {"kind": "pin", "reason": "So.", **asked}, follow=True)
    assert "Nothing was changed" in said.content.decode()
    assert not Pin.objects.exists()


def test_who_only_looks_lays_no_hand(desk: Client, ada: User, story: Article) -> None:
    User.objects.filter(id=ada.id).update(role=Role.VIEWER)
    desk.post(f"/desk/popular/{story.id}/hand", {"kind": "ban", "reason": "No."})
    assert not Pin.objects.exists()


CHANGED = {
    "weight-email": "2", "weight-social": "1", "weight-site": "1", "box_weight": "0", "age_cap_days": "30",
    "per_section": "2", "network_cap": "5", "reason": "Agreed on Monday.",
}  # fmt: skip


def test_a_head_changes_how_we_count_and_it_stands_in_sentences(desk: Client, ada: User, story: Article) -> None:
    User.objects.filter(id=ada.id).update(role=Role.HEAD)
    desk.post("/desk/popular/method", CHANGED)
    told = page(desk)
    assert "A vote weighs: from mail 2, from posts 1, from the site 1." in told
    assert "A story older than 30 days stands only where an editor pins it." in told
    rank.refresh(now=timezone.now())
    assert Standing.objects.get(chart__window="today", chart__section="").value == 4
    entry = JournalEntry.objects.get(verb="change_method")
    assert (entry.detail["before"]["network_cap"], entry.detail["after"]["network_cap"]) == (20, 5)


@pytest.mark.parametrize(("role", "change"), [("editor", {}), ("head", {"reason": ""}), ("head", {"network_cap": "0"})])
def test_the_method_is_not_changed_by_others_or_without_a_reason(
    desk: Client, ada: User, story: Article, role: str, change: dict[str, str]
) -> None:
    User.objects.filter(id=ada.id).update(role=role)
    desk.post("/desk/popular/method", {**CHANGED, **change})
    assert not Method.objects.exists() and method.current() == method.Counting()
