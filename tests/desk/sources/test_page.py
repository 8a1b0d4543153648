from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.models import Article, GateCount
from pipeline.sources import steer
from pipeline.sources.models import Observation, Push, Source
from pipeline.staff.models import User
from tests.factories import articles, sources, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    now = timezone.now()
    made = sources.source(now=now)
    sources.channel(
        source=made,
        now=now + timedelta(seconds=90),
        last_status=304,
        last_checked_at=now - timedelta(minutes=1),
        polls=12,
    )
    return made


def told(client: Client, source: Source) -> Any:
    answer = client.get(f"/desk/sources/{source.id}/")
    assert answer.status_code == 200
    return lxml_html.document_fromstring(answer.content.decode())


def words(node: Any) -> str:
    for cell in node.iter("td", "th", "dt", "dd"):
        cell.tail = f" {cell.tail or ''}"
    return " ".join(node.text_content().split())


def section(document: Any, name: str) -> str:
    return words(document.xpath(f"//section[@aria-labelledby='{name}']")[0])


def test_a_way_shows_its_last_answer_and_its_next_look(desk: Client, source: Source) -> None:
    said = section(told(desk, source), "ways")
    for part in ("Feed", source.home_url, "open", "answered 304 (nothing new), 1 min ago", "in 1 min", "12"):
        assert part in said


def test_the_ping_address_can_be_copied(desk: Client, source: Source) -> None:
    document = told(desk, source)
    [field] = document.xpath("//input[@id='ping']")
    assert field.get("readonly") is not None
    assert field.get("value").endswith(f"/ping/{source.ping_token}")
    assert "Update Services" in section(document, "pushes")
    assert "Never heard yet" in section(document, "pushes")


def test_a_site_elsewhere_cannot_reach_this_machine_and_the_page_says_so(desk: Client, source: Source) -> None:
    assert "cannot reach it" in section(told(desk, source), "pushes")


def test_a_hub_shows_its_lease_and_what_it_missed(desk: Client, source: Source) -> None:
    now = timezone.now()
    Push.objects.create(
        source=source, kind=Push.Kind.WEBSUB, state=Push.State.BROKEN, hub_url="https://hub.example/", topic_url="t",
        heard_at=now - timedelta(days=2), lease_until=now + timedelta(days=5), missed=3, created_at=now,
    )  # fmt: skip
    said = section(told(desk, source), "pushes")
    for part in (
        "WebSub hub",
        "missed stories",
        "heard 2 d ago",
        "lease until",
        "missed 3 stories",
        "https://hub.example/",
    ):
        assert part in said


def test_a_webhooks_secret_is_never_on_the_page(desk: Client, source: Source, ada: User) -> None:
    push, secret = steer.open_webhook(source_id=source.id, kind=Push.Kind.WEBHOOK, actor=ada, now=timezone.now())
    document = told(desk, source)
    assert secret not in words(document) and not document.xpath(f"//input[@value='{secret}']")
    assert document.xpath(f"//input[@id='hook-{push.id}']/@value")[0].endswith(f"/hooks/{push.token}")
    assert "Dateline-Signature" in section(document, "pushes")


def test_the_gates_of_the_last_seven_days_are_told_in_words(desk: Client, source: Source) -> None:
    today = timezone.now().date()
    for days, state, code, count in (
        (0, "eligible", "news", 30),
        (6, "eligible", "news", 4),
        (7, "eligible", "news", 500),
        (1, "archived", "old", 21),
    ):
        GateCount.objects.create(source=source, day=today - timedelta(days=days), state=state, code=code, count=count)
    said = section(told(desk, source), "gates")
    assert "news, told or about to be 34" in said
    assert "old-dated: too old when it came 21" in said
    assert "534" not in said


def test_old_dated_stories_are_listed_with_their_reason(desk: Client, source: Source) -> None:
    articles.article(
        source=source,
        headline="Rain of 2019",
        state=Article.State.ARCHIVED,
        code="old",
        params={"hours": 72},
        now=timezone.now(),
    )
    articles.article(source=source, headline="Fresh rain", now=timezone.now())
    said = section(told(desk, source), "archived")
    assert "Rain of 2019" in said and "It was 72 h old when it came" in said
    assert "Fresh rain" not in said


def test_the_latest_looks_say_what_they_brought(desk: Client, source: Source) -> None:
    channel, now = source.channels.get(), timezone.now()
    Observation.objects.create(channel=channel, at=now, status=200, entries=10, fresh=2)
    Observation.objects.create(
        channel=channel, at=now - timedelta(hours=1), status=0, note="site.example did not answer in time"
    )
    said = section(told(desk, source), "looks")
    assert "feed: 200, 10 told, 2 new" in said
    assert "feed: no answer – site.example did not answer in time" in said


def test_what_waits_for_a_person_is_one_click_away(desk: Client, source: Source) -> None:
    articles.article(source=source, state=Article.State.HELD, code="embargo", now=timezone.now())
    document = told(desk, source)
    assert f"/desk/articles/?state=held&source={source.id}" in document.xpath("//main//a/@href")
    assert "1 story waits for a person" in section(document, "state")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"baseline_at": None, "looks": 0}, "Nothing is told before its first look"),
        ({"looks": 1}, "Telling begins after its second good look"),
    ],
)
def test_a_new_source_says_when_telling_begins(desk: Client, fields: dict[str, Any], says: str) -> None:
    assert says in section(told(desk, sources.source(now=timezone.now(), **fields)), "state")


def test_who_may_only_look_sees_everything_and_no_form(client: Client, source: Source) -> None:
    client.force_login(staff.ben())
    document = told(client, source)
    assert not document.xpath("//main//form")
    assert "may look at sources but not change them" in words(document)


def test_the_page_takes_the_same_queries_for_much_as_for_little(desk: Client, source: Source) -> None:
    told(desk, source)
    with CaptureQueriesContext(connection) as few:
        told(desk, source)
    channel, now = source.channels.get(), timezone.now()
    for n in range(25):
        Observation.objects.create(channel=channel, at=now, status=200)
        articles.article(source=source, state=Article.State.ARCHIVED, code="old", params={"hours": 72}, now=now)
        GateCount.objects.create(source=source, day=now.date(), state="held", code=f"code_{n}", count=1)
    with CaptureQueriesContext(connection) as many:
        told(desk, source)
    assert len(many) == len(few) <= 22
