from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.models import Article
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition, Newsletter
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import articles, editions, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def quakes(db: None, now: datetime) -> Newsletter:
    blocks = [{"kind": "lead", "title": "", "rule": {"count": 1}}]
    return editions.newsletter(slug="alerts", name="Alerts", kind="alert", minimum=1, blocks=blocks, now=now)


@pytest.fixture
def story(now: datetime) -> Article:
    return articles.article(now=now, headline="Quake off Zanzibar")


def told(answer: Any) -> str:
    tree: Any = lxml_html.document_fromstring(answer.content.decode())
    return " ".join(" ".join(tree.itertext()).split())


def raised(client: Client, alerts: Newsletter, story: Article, **data: Any) -> Any:
    known = {"newsletter": alerts.id, "article": story.id, "so_what": "Ports close at noon.\r\nTrains run."}
    return client.post("/desk/alerts/raise", {**known, **data}, follow=True)


def test_an_alert_waits_for_approval_with_its_so_what(desk: Client, quakes: Newsletter, story: Article) -> None:
    answer = raised(desk, quakes, story)
    edition = Edition.objects.get()
    assert answer.redirect_chain[-1][0] == f"/desk/editions/{edition.id}/"
    assert "Raised. Nothing was sent yet" in told(answer)
    assert edition.note == "Ports close at noon.\n\nTrains run."
    assert compose(edition_id=edition.id, now=timezone.now()) == "ready"
    page = told(desk.get(f"/desk/editions/{edition.id}/"))
    assert "Quake off Zanzibar" in page and "An alert carries the one story it was raised for." in page
    assert JournalEntry.objects.get().verb == "alert"


def test_when_readers_were_last_alarmed_is_said_before(
    desk: Client, quakes: Newsletter, story: Article, now: datetime
) -> None:
    assert "Never alerted" in told(desk.get(f"/desk/alerts/?article={story.id}"))
    editions.edition(newsletter=quakes, slot_at=now - timedelta(minutes=40), state="sent", subject="Flood")
    page = told(desk.get(f"/desk/alerts/?article={story.id}"))
    assert "Alerted 40 min ago : “Flood”" in page.replace("ago:", "ago :")
    assert "only a desk head" not in page


def test_within_the_pause_only_a_head_is_asked_for_a_reason(
    desk: Client, client: Client, quakes: Newsletter, story: Article, now: datetime
) -> None:
    editions.edition(newsletter=quakes, slot_at=now - timedelta(minutes=12), state="sent")
    page = told(desk.get(f"/desk/alerts/?article={story.id}"))
    assert "within the pause of 30 min; it ends in 17 min" in page
    assert "only a desk head may go on" in page and "Why all the same" not in page
    answer = raised(desk, quakes, story)
    assert answer.status_code == 409
    assert "Readers were alerted 12 min ago" in told(answer) and "Ports close at noon." in told(answer)
    client.force_login(staff.user(email="head@example.org", role=Role.HEAD))
    assert "give a reason" in told(raised(client, quakes, story))
    assert raised(client, quakes, story, reason="The second quake").redirect_chain
    assert JournalEntry.objects.get().reason == "The second quake"


def test_a_story_that_was_alerted_before_is_named(
    desk: Client, quakes: Newsletter, story: Article, now: datetime
) -> None:
    sent = editions.edition(newsletter=quakes, slot_at=now - timedelta(hours=5), state="sent")
    editions.item(edition=sent, article=story)
    assert "Its readers were alerted of this story 5 h ago" in told(desk.get(f"/desk/alerts/?article={story.id}"))


@pytest.mark.parametrize("so_what", ["One.\nTwo.\nThree.", "x" * 281])
def test_a_so_what_that_is_too_long_is_shown_again_and_nothing_is_raised(
    desk: Client, quakes: Newsletter, story: Article, so_what: str
) -> None:
    answer = raised(desk, quakes, story, so_what=so_what)
    assert answer.status_code == 400
    tree: Any = lxml_html.document_fromstring(answer.content.decode())
    assert tree.get_element_by_id("so-what").value == so_what
    assert not Edition.objects.exists()


def test_without_a_newsletter_nothing_is_raised(desk: Client, quakes: Newsletter, story: Article) -> None:
    brief = editions.newsletter()
    for other in ("", "x", "999999", str(brief.id)):
        assert "Choose the newsletter it goes to." in told(raised(desk, quakes, story, newsletter=other))
    assert not Edition.objects.exists()


def test_a_story_that_may_not_be_told_cannot_be_alerted(desk: Client, quakes: Newsletter, now: datetime) -> None:
    held = articles.article(now=now, state=Article.State.HELD)
    page = desk.get(f"/desk/alerts/?article={held.id}")
    assert "may not be announced" in told(page) and b"alerts/raise" not in page.content
    assert "may not be announced" in told(raised(desk, quakes, held))
    assert desk.get("/desk/alerts/?article=999999").status_code == 404


def test_without_a_story_the_latest_are_offered(desk: Client, quakes: Newsletter, story: Article) -> None:
    tree: Any = lxml_html.document_fromstring(desk.get("/desk/alerts/").content.decode())
    assert tree.xpath("//h3/a/@href") == [f"/desk/alerts/?article={story.id}"]


def test_a_viewer_is_offered_no_alert(client: Client, quakes: Newsletter, story: Article) -> None:
    client.force_login(staff.ben())
    page = client.get(f"/desk/alerts/?article={story.id}")
    assert b"alerts/raise" not in page.content
    assert "ask a desk head" in told(raised(client, quakes, story))
    assert not Edition.objects.exists()


def test_the_page_of_an_alert_takes_a_bounded_number_of_queries(
    desk: Client, ada: User, quakes: Newsletter, story: Article, now: datetime
) -> None:
    with CaptureQueriesContext(connection) as few:
        desk.get(f"/desk/alerts/?article={story.id}")
    for n in range(20):
        sent = editions.edition(newsletter=quakes, slot_at=now - timedelta(hours=n + 1), state="sent")
        editions.item(edition=sent, article=story)
    with CaptureQueriesContext(connection) as many:
        desk.get(f"/desk/alerts/?article={story.id}")
    assert len(many) <= len(few) + 1 <= 20
