from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.gates import holds
from pipeline.desk.sources import listing
from pipeline.sources.models import Push, Source
from pipeline.staff.models import User
from tests.factories import articles, sources, staff

pytestmark = pytest.mark.django_db


def told(client: Client, query: str = "") -> Any:
    answer = client.get(f"/desk/sources/{query}")
    assert answer.status_code == 200
    return lxml_html.document_fromstring(answer.content.decode())


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def rows(document: Any) -> list[str]:
    return [words(node) for node in document.xpath("//ul[contains(@class, 'sites')]/li")]


def well(name: str = "The Meridian Dispatch", **fields: Any) -> Source:
    now = timezone.now()
    source = sources.source(name=name, now=now, **fields)
    sources.channel(source=source, now=now + timedelta(minutes=1), polls=41)
    return source


def stale(name: str) -> Source:
    return well(name, last_success_at=timezone.now() - timedelta(hours=3), last_error="the site answered 503")


def test_without_a_source_the_page_says_how_to_begin(desk: Client) -> None:
    document = told(desk)
    assert "Give the address of the first" in words(document)
    assert document.xpath("//form[@action='/desk/sources/look']//input[@name='url']")


def test_a_source_shows_its_health_its_last_story_its_ways_and_what_it_was_heard_by(desk: Client) -> None:
    source, now = well(), timezone.now()
    articles.article(source=source, headline="Rain in Quito", now=now, age_s=600)
    Push.objects.create(source=source, kind=Push.Kind.PING, heard_at=now - timedelta(minutes=5), created_at=now)
    Push.objects.create(source=source, kind=Push.Kind.WEBSUB, topic_url="t", created_at=now)
    [row] = rows(told(desk))
    for part in (
        "fresh",
        "It answered at",
        "Rain in Quito",
        "last story, 10 min ago",
        "by feed",
        "41 looks",
        "ping heard 5 min ago",
        "WebSub hub never heard",
    ):
        assert part in row


def test_a_stale_source_comes_first_and_says_since_when_and_why(desk: Client) -> None:
    well("Amber Post")
    stale("Zenith Times")
    first, second = rows(told(desk))
    assert first.startswith("Zenith Times stale Stale since")
    assert "it answered 503." in first
    assert second.startswith("Amber Post fresh")
    assert "2 sites watched · 1 needing a look" in words(told(desk))


def test_a_caution_is_told_with_its_reason(desk: Client) -> None:
    well(cautious_until=timezone.now() + timedelta(hours=2), cautious_because="generator changed")
    [row] = rows(told(desk, "?state=cautious"))
    assert "the program that makes the site has changed" in row


def test_a_site_under_caution_needs_a_look_though_it_answers(desk: Client) -> None:
    well("Amber Post")
    well("Zenith Times", cautious_until=timezone.now() + timedelta(hours=2), cautious_because="generator changed")
    well("Quiet Herald", state=Source.State.PAUSED)
    assert [row.split()[0] for row in rows(told(desk))] == ["Zenith", "Amber", "Quiet"]
    assert "2 sites watched · 1 needing a look · 1 paused" in words(told(desk))


def test_an_old_dated_story_is_not_the_last_story(desk: Client) -> None:
    source, now = well(), timezone.now()
    articles.article(source=source, headline="Rain in Quito", now=now, age_s=600)
    articles.article(source=source, headline="Rain of 2019", now=now, age_s=1, state="archived", code="old")
    assert "Rain in Quito" in rows(told(desk))[0] and "2019" not in rows(told(desk))[0]


def test_sources_are_found_by_what_they_are(desk: Client) -> None:
    well("Amber Post")
    stale("Zenith Times")
    well("Quiet Herald", state=Source.State.PAUSED)
    assert [row.split()[0] for row in rows(told(desk, "?state=trouble"))] == ["Zenith"]
    assert [row.split()[0] for row in rows(told(desk, "?state=paused"))] == ["Quiet"]
    assert rows(told(desk, "?state=cautious")) == []
    assert len(rows(told(desk, "?state=nonsense"))) == 3


def test_a_paused_source_has_no_next_look(desk: Client) -> None:
    well(state=Source.State.PAUSED)
    assert "next" not in rows(told(desk))[0]


def test_the_list_takes_the_same_queries_for_one_source_and_for_forty(desk: Client) -> None:
    well()
    told(desk)
    with CaptureQueriesContext(connection) as few:
        told(desk)
    for n in range(39):
        source = stale(f"Site {n}") if n % 2 else well(f"Site {n}")
        articles.article(source=source, now=timezone.now())
        Push.objects.create(source=source, kind=Push.Kind.PING, created_at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        told(desk)
    assert len(many) == len(few) <= 14


def test_a_long_list_goes_on_on_another_page(desk: Client) -> None:
    now = timezone.now()
    for n in range(listing.PAGE + 1):
        sources.source(name=f"Site {n:03}", now=now)
    document = told(desk)
    assert len(rows(document)) == listing.PAGE
    assert document.xpath("//a[@rel='next']/@href") == ["/desk/sources/?page=2"]


def test_who_may_only_look_gets_no_form(client: Client) -> None:
    client.force_login(staff.ben())
    assert not told(client).xpath("//main//form")


def test_the_brake_shows_on_every_page_who_pulled_it_and_why(desk: Client, ada: User) -> None:
    pages = ("/desk/", "/desk/editions/", "/desk/articles/", "/desk/posts/", "/desk/sources/", "/desk/status/")
    assert not [page for page in pages if b"Telling is stopped" in desk.get(page).content]
    holds.stop_telling(actor=ada, now=timezone.now() - timedelta(minutes=4), reason="the wrong archive")
    for page in pages:
        document: Any = lxml_html.document_fromstring(desk.get(page).content.decode())
        [banner] = document.xpath("//div[@class='brake']")
        assert words(banner).startswith("Telling is stopped: no new story is announced. Ada stopped it at")
        assert "4 min ago: “the wrong archive”" in words(banner)
    assert told(desk).xpath("//form[@action='/desk/sources/tell-again']")


def test_a_stranger_at_the_door_learns_nothing_of_the_brake(client: Client, ada: User) -> None:
    holds.stop_telling(actor=ada, now=timezone.now(), reason="the wrong archive")
    assert b"stopped" not in client.get("/desk/sign-in/").content
