"""The archive for machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from django.test import Client
from lxml import etree

from pipeline.articles.gates import bulletins
from pipeline.articles.models import Bulletin
from pipeline.editions.models import Edition, Rendering
from pipeline.kernel.config import config
from tests.public.archive.test_pages import NOW, again, lead, paper, sent

__all__ = ["paper", "sent"]
pytestmark = pytest.mark.django_db
HOME = config().site_url
_MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def test_a_feed_says_what_was_sent_and_when_under_the_editions_addresses(sent: Edition) -> None:
    second = again(sent, days=1)
    answer = Client().get("/archive/morning-brief/feed.xml")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert [entry.id for entry in feed.entries] == [f"{HOME}/archive/morning-brief/{e.id}/" for e in (second, sent)]
    assert feed.entries[1].title == sent.rendering.subject
    assert datetime(*feed.entries[1].published_parsed[:6], tzinfo=UTC) == sent.ended_at


def test_a_feed_survives_what_xml_forbids(sent: Edition) -> None:
    Rendering.objects.update(subject="A\x08 <b> \ufffe & so on")
    feed = feedparser.parse(Client().get("/archive/morning-brief/feed.xml").content)
    assert not feed.bozo
    assert feed.entries[0].title.replace("&lt;", "<").replace("&gt;", ">") == "A <b> & so on"


def test_the_sitemap_names_every_public_page_and_when_it_changed(sent: Edition) -> None:
    editions_page = f"{HOME}/archive/morning-brief/{sent.id}/"

    def found() -> dict[str, str]:
        tree = etree.fromstring(Client().get("/archive/sitemap.xml").content)
        return {each.findtext(f"{_MAP}loc"): each.findtext(f"{_MAP}lastmod") for each in tree}

    assert sent.ended_at is not None
    assert set(found()) == {f"{HOME}/archive/", f"{HOME}/archive/morning-brief/", editions_page}
    assert found()[editions_page] == f"{sent.ended_at:%Y-%m-%dT%H:%M:%SZ}"
    bulletins.say(lead(sent), kind=Bulletin.Kind.CORRECTION, now=NOW + timedelta(days=9), said="Wrong.")
    assert found()[editions_page] == "2026-04-28T04:12:00Z"


def test_robots_may_read_the_archive_and_no_page_of_a_readers() -> None:
    from urllib.robotparser import RobotFileParser

    said = RobotFileParser()
    said.parse(Client().get("/robots.txt").content.decode().splitlines())
    assert said.can_fetch("Googlebot", "/archive/morning-brief/7/")
    assert not any(said.can_fetch("Googlebot", path) for path in ("/u/x", "/p/x", "/v/x", "/desk/", "/confirm/x"))
    assert said.site_maps() == [f"{HOME}/archive/sitemap.xml"]
