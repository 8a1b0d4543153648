"""Sitemaps: what they list and we do not have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.articles.models import Alias
from tests.factories.sites import NOW, Reply
from tests.sources.conftest import Watched

DAY = timedelta(days=1)


def test_the_first_look_is_a_baseline_but_not_the_sources(watched: Watched) -> None:
    watched.site.publish(30)
    watched.begin("sitemap", baseline=False)
    assert watched.look("sitemap") == 0
    assert watched.states() == {"baseline": 30}
    assert watched.source.baseline_at is None
    assert watched.source.looks == 0


def test_once_a_day_it_finds_what_every_other_way_dropped(watched: Watched) -> None:
    watched.site.publish(30)
    watched.begin("feed", "sitemap")
    assert watched.wait_s(watched.now, "sitemap") == pytest.approx(86_400, rel=0.11)
    watched.site.publish(2, at=watched.now + DAY)
    assert watched.look("sitemap", after=DAY + timedelta(hours=2)) == 2
    assert watched.states() == {"baseline": 30, "seen": 2}


def test_an_old_address_that_turns_up_late_is_archive(watched: Watched) -> None:
    watched.site.publish(30)
    watched.begin("feed", "sitemap")
    watched.site.publish(40, at=NOW - 400 * DAY)
    assert watched.look("sitemap") == 0
    assert watched.states() == {"baseline": 70}


def test_an_address_is_a_name_and_no_guid(watched: Watched) -> None:
    watched.site.publish(3)
    watched.begin("sitemap", baseline=False)
    watched.look("sitemap")
    assert set(Alias.objects.values_list("kind", flat=True)) == {"url"}


def test_a_news_sitemap_is_asked_at_every_poll_and_read_when_it_changes(watched: Watched) -> None:
    watched.now += timedelta(hours=8)
    watched.site.publish(30)
    watched.begin("feed", "news")
    assert watched.wait_s(watched.now, "sitemap") == pytest.approx(120, rel=0.11)
    watched.site.publish(at=watched.now)
    assert watched.look("sitemap") == 1
    assert watched.look("sitemap") == 0
    assert watched.site.paths() == ["/news-sitemap.xml"] * 2


def test_a_page_in_its_place_changes_nothing(watched: Watched) -> None:
    watched.site.publish(3)
    watched.begin("feed", "sitemap")
    watched.site.routes["/wp-sitemap.xml"] = lambda _: Reply(200, b"<html>Not found</html>")
    assert watched.look("sitemap") == 0
    assert watched.source.last_error.startswith("sitemap: this is a web page")
    assert watched.states() == {"baseline": 3}
