"""One address, what was found, and a second word: against real HTTP on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from lxml import html as lxml_html

from pipeline.desk.sources import adding, finds
from pipeline.kernel.config import config
from pipeline.kernel.outbound import patient
from pipeline.kernel.outbound.http import TooSlow
from pipeline.sources.models import Channel, Push, Source
from pipeline.staff.models import JournalEntry
from tests.factories import staff
from tests.factories.web_site import WebSite, serving

pytestmark = pytest.mark.django_db
TERMS = {
    "name": "The Gazette",
    "is_ours": "yes",
    "poll_s": "90",
    "settle_s": "30",
    "daily_budget": "",
    "zone": "Asia/Tokyo",
}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSite]:
    """A site that the desk may reach on this machine."""
    with serving() as running:
        reachable = replace(config(), fetch_allow=frozenset({running.place}))
        monkeypatch.setattr(adding, "config", lambda: reachable)
        yield running


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def look(client: Client, url: str, *, status: int = 200) -> Any:
    answer = client.post("/desk/sources/look", {"url": url})
    assert answer.status_code == status
    return lxml_html.document_fromstring(answer.content.decode())


def signed_in(document: Any) -> str:
    return str(document.xpath("//input[@name='found']/@value")[0])


def test_one_address_shows_what_was_found_and_adds_nothing(desk: Client, site: WebSite) -> None:
    site.put_wordpress()
    document = look(desk, site.url)
    said = words(document)
    for part in (
        "The Gazette",
        "feed",
        f"{site.url}/feed/",
        "REST interface",
        "sitemap",
        "522 stories",
        "Story 9",
        "never told",
    ):
        assert part in said
    assert document.xpath("//input[@name='zone']/@value") == ["Asia/Karachi"]
    assert not document.xpath("//input[@name='is_ours'][@checked]"), "whether its owner agreed is asked, not assumed"
    assert not Source.objects.exists() and not JournalEntry.objects.exists()


def test_a_confirmed_source_is_watched_by_every_way_found(desk: Client, site: WebSite) -> None:
    site.put_wordpress()
    found = signed_in(look(desk, site.url))
    answer = desk.post("/desk/sources/add", {**TERMS, "found": found, "daily_budget": "40"}, follow=True)
    source = Source.objects.get()
    assert answer.redirect_chain == [(f"/desk/sources/{source.id}/", 302)]
    assert "Added: The Gazette" in answer.content.decode()
    kept = (source.name, source.is_ours, source.poll_s, source.settle_s, source.daily_budget, source.zone)
    assert kept == ("The Gazette", True, 90, 30, 40, "Asia/Tokyo")
    assert set(source.channels.values_list("kind", flat=True)) == {"feed", "rest", "sitemap"}
    assert str(JournalEntry.objects.get(verb="add").actor) == "Ada"


def test_confirming_asks_the_site_nothing_again(desk: Client, site: WebSite) -> None:
    site.put_wordpress()
    found = signed_in(look(desk, site.url))
    asked = len(site.asked)
    desk.post("/desk/sources/add", {**TERMS, "found": found})
    assert len(site.asked) == asked


def test_a_strangers_site_is_asked_seldom(desk: Client, site: WebSite) -> None:
    site.put_wordpress()
    found = signed_in(look(desk, site.url))
    desk.post("/desk/sources/add", {**TERMS, "found": found, "is_ours": "no", "daily_budget": "5"})
    source = Source.objects.get()
    assert (source.is_ours, source.poll_s, source.daily_budget) == (False, 900, 5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"is_ours": ""}, "Say whether the site’s owner agreed."),
        ({"zone": "Atlantis/Capital"}, "No such zone."),
        ({"zone": "../../etc/passwd"}, "No such zone."),
        ({"poll_s": "soon"}, "Enter a whole number."),
        ({"daily_budget": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_answer_keeps_what_was_typed(desk: Client, site: WebSite, wrong: dict[str, str], says: str) -> None:
    site.put_wordpress()
    found = signed_in(look(desk, site.url))
    answer = desk.post("/desk/sources/add", {**TERMS, "name": "Our Gazette", "found": found, **wrong})
    document: Any = lxml_html.document_fromstring(answer.content.decode())
    assert answer.status_code == 400
    assert says in words(document)
    assert document.xpath("//input[@name='name']/@value") == ["Our Gazette"]
    assert signed_in(document) == found
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [("", adding.NO_ADDRESS), ("gazette", adding.NO_ADDRESS), ("ftp://x.example/", "could not be read")],
)
def test_an_address_that_leads_nowhere_is_kept_and_says_what_to_do(desk: Client, url: str, says: str) -> None:
    document = look(desk, url, status=400)
    assert says in words(document)
    assert document.xpath("//input[@name='url']/@value") == [url]


def test_a_page_without_a_feed_says_so_and_what_to_try(desk: Client, site: WebSite) -> None:
    site.put("/", "<html><body>Only words.</body></html>")
    said = words(look(desk, site.url, status=400))
    assert "neither a feed nor a page that names one" in said
    assert "Nothing was added" in said


@pytest.mark.parametrize("spoilt", ["", "x", "eyJhIjoxfQ:1abc:zzz"])
def test_what_was_not_shown_cannot_be_confirmed(desk: Client, spoilt: str) -> None:
    answer = desk.post("/desk/sources/add", {**TERMS, "found": spoilt, "url": "gazette.example"})
    assert answer.status_code == 400
    assert adding.TOO_OLD in answer.content.decode()
    assert 'value="gazette.example"' in answer.content.decode()
    assert not Source.objects.exists()


def test_what_one_person_was_shown_another_cannot_confirm(desk: Client, site: WebSite, client: Client) -> None:
    site.put_wordpress()
    found = signed_in(look(desk, site.url))
    client.force_login(staff.user(email="zoe@example.org", name="Zoe"))
    assert client.post("/desk/sources/add", {**TERMS, "found": found}).status_code == 400
    assert not Source.objects.exists()


def test_what_was_shown_an_hour_ago_is_looked_at_again(
    desk: Client, site: WebSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put_wordpress()
    found = signed_in(look(desk, site.url))
    later = time.time() + finds.GOOD_FOR_S + 60
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert desk.post("/desk/sources/add", {**TERMS, "found": found}).status_code == 400


def test_a_site_we_watch_already_is_named_and_gains_only_what_it_lacks(desk: Client, site: WebSite) -> None:
    site.put_feed()
    desk.post("/desk/sources/add", {**TERMS, "found": signed_in(look(desk, f"{site.url}/feed/"))})
    document = look(desk, f"{site.url}/feed/")
    assert "You watch it already" in words(document)
    assert not document.xpath("//input[@name='found']"), "there is nothing to add"
    site.put_wordpress()
    answer = desk.post("/desk/sources/add", {"found": signed_in(look(desk, site.url))}, follow=True)
    assert "was watched already; the ways it lacked were added" in answer.content.decode()
    assert Source.objects.count() == 1
    assert Channel.objects.count() == 3
    assert Push.objects.filter(kind=Push.Kind.PING).count() == 1


def test_who_may_only_look_neither_asks_a_site_nor_adds_it(client: Client, site: WebSite) -> None:
    site.put_wordpress()
    client.force_login(staff.ben())
    for url, sent in (("/desk/sources/look", {"url": site.url}), ("/desk/sources/add", TERMS)):
        answer = client.post(url, sent, follow=True)
        assert adding.NOT_YOURS in answer.content.decode()
    assert site.asked == [] and not Source.objects.exists()


def test_a_person_waits_less_than_half_a_minute(site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert patient.PATIENCE_S + patient.ONE_ANSWER_S < 30
    site.put_feed()
    with adding.Patient(site_url="https://news.example.org", allow=frozenset({site.place})) as client:
        assert client.get(f"{site.url}/feed/", limit_bytes=10_000).status == 200
        monkeypatch.setattr(client, "_until", time.monotonic() - 1)
        with pytest.raises(TooSlow):
            client.get(f"{site.url}/feed/", limit_bytes=10_000)
