from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.models import Alias, Article, Bulletin, Version
from pipeline.desk.stories import article as page
from pipeline.staff.models import JournalEntry
from tests.factories import articles, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Article:
    """A story told, corrected, and known under two names."""
    now = timezone.now()
    made = articles.article(
        now=now, headline="Rain in Quito", section_path=["World", "americas"], authors=["Ana Paz"], code="news",
        dateline={"place": "QUITO", "date": "2026-04-19", "agency": "EFE"},
        markers=[{"kind": "correction", "text": "Correction: the rain fell on Monday."}],
    )  # fmt: skip
    for number, kind, headline in ((1, "first", "Rain in Guayaquil"), (2, "correction", "Rain in Quito")):
        Version.objects.create(article=made, number=number, kind=kind, at=now, fingerprint="x", headline=headline)
    Bulletin.objects.create(article=made, kind="new", version=1, at=now - timedelta(hours=1))
    Bulletin.objects.create(article=made, kind="correction", version=2, at=now, said="The rain fell on Monday.")
    for kind, value in (("wp_id", "4711"), ("url", "site.example/rain/")):
        Alias.objects.create(source=made.source, article=made, kind=kind, value=value)
    return made


def told(client: Client, article: Article) -> Any:
    answer = client.get(f"/desk/articles/{article.id}/")
    assert answer.status_code == 200
    return lxml_html.document_fromstring(answer.content.decode())


def words(node: Any) -> str:
    for cell in node.iter("td", "th", "dt", "dd"):
        cell.tail = f" {cell.tail or ''}"
    return " ".join(node.text_content().split())


def kill(client: Client, article: Article, reason: str) -> str:
    return client.post(f"/desk/articles/{article.id}/kill", {"reason": reason}, follow=True).content.decode()


def test_a_story_is_told_whole(desk: Client, story: Article) -> None:
    said = words(told(desk, story))
    for part in (
        "World › Americas", "QUITO, 2026-04-19, EFE", "Ana Paz", "It may be announced.", "first reading: “Rain in Guayaquil”",
        "carries a correction", "told as news", "told as corrected: “The rain fell on Monday.”", "WordPress number 4711",
        "address site.example/rain/", "Correction: the rain fell on Monday.",
    ):  # fmt: skip
        assert part in said


def test_a_gate_shows_what_it_weighed(desk: Client) -> None:
    article = articles.article(now=timezone.now(), state=Article.State.ARCHIVED, code="old", params={"hours": 72})
    [figures] = told(desk, article).xpath("//section[@aria-labelledby='figures']")
    assert words(figures).endswith("hours 72")


def test_a_kill_needs_a_reason(desk: Client, story: Article) -> None:
    assert page.NO_REASON in kill(desk, story, "  ")
    assert Article.objects.get(id=story.id).state == "eligible"


def test_a_killed_story_says_so_once(desk: Client, story: Article) -> None:
    assert "Killed: it leaves everything that has not left yet." in kill(desk, story, "libel")
    assert Article.objects.get(id=story.id).state == "killed"
    assert Bulletin.objects.get(kind="kill").said == "libel"
    assert "It was killed before." in kill(desk, story, "again")
    document = told(desk, story)
    assert "Ada killed it: “libel”" in words(document)
    assert not document.xpath("//form[contains(@action, 'kill')]")


def test_before_a_kill_the_page_says_how_many_have_it(desk: Client, morning: Any) -> None:
    kept = morning.leaving.edition.items.filter(picked=True).first().article
    assert "mail to 12 readers that has left or is leaving" in words(told(desk, kept))
    lone = articles.article(now=morning.now)
    assert "It is in no mail that has left." in words(told(desk, lone))


def test_who_may_only_look_kills_nothing(client: Client, story: Article) -> None:
    client.force_login(staff.ben())
    assert page.NOT_YOURS in kill(client, story, "libel")
    assert Article.objects.get(id=story.id).state == "eligible"
    assert not JournalEntry.objects.exists()
    assert not told(client, story).xpath("//main//form")


def test_a_held_story_can_be_told_from_its_page(desk: Client, morning: Any) -> None:
    document = told(desk, morning.held.article)
    assert f"/desk/articles/held/{morning.held.id}/release" in document.xpath("//main//form/@action")


def test_every_kind_of_version_and_bulletin_has_words() -> None:
    assert set(page.VERSIONS) == set(Version.Kind.values)
    assert set(page.BULLETINS) == set(Bulletin.Kind.values)


def test_a_much_changed_story_takes_no_more_queries(desk: Client, story: Article) -> None:
    told(desk, story)
    with CaptureQueriesContext(connection) as few:
        told(desk, story)
    for number in range(3, 24):
        Version.objects.create(
            article=story, number=number, kind="material", at=timezone.now(), fingerprint="x", headline="Rain"
        )
        Alias.objects.create(source=story.source, article=story, kind="guid", value=str(number))
    with CaptureQueriesContext(connection) as many:
        told(desk, story)
    assert len(many) == len(few) <= 18
