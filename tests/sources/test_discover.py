"""One address, and every way its site can be watched: against real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.kernel.outbound.http import Client
from pipeline.sources import discover, probes
from pipeline.sources.discover import Found, NothingToWatch
from pipeline.sources.models import Channel, Push, Source
from tests.factories.web_site import WebSite, news_sitemap, reaching, serving

NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
HUB = '<atom:link rel="hub" href="http://hub.example/"/><atom:link rel="hub" href="https://hub.example/"/>'


@pytest.fixture
def site() -> Iterator[WebSite]:
    with serving() as running:
        yield running


@pytest.fixture
def client(site: WebSite) -> Iterator[Client]:
    with reaching(site) as made:
        yield made


def ways(found: Found, site: WebSite) -> list[tuple[str, str]]:
    return [(way.kind, way.url.removeprefix(site.url)) for way in found.ways]


WORDPRESS = [("feed", "/feed/"), ("rest", "/wp-json/"), ("sitemap", "/wp-sitemap.xml")]


@pytest.mark.parametrize("path", ["/", "/feed/", "/story-9/", "/comments/feed/"])
def test_any_address_of_a_wordpress_site_leads_to_all_its_ways(path: str, site: WebSite, client: Client) -> None:
    site.put_wordpress()
    story = '<link rel="alternate" type="application/rss+xml" href="/story-9/feed/"><link rel="alternate" type="application/rss+xml" href="/feed/">'
    site.put("/story-9/", f'<html>{story}<link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/9">')
    found = discover.discover(site.url + path, client=client)
    assert ways(found, site) == WORDPRESS
    assert (found.home_url, found.title, found.language, found.zone) == (
        f"{site.url}/", "The Gazette", "en-GB", "Asia/Karachi",
    )  # fmt: skip
    assert "wordpress" in found.generator.lower() and found.takes_pings
    assert found.stories == 522
    assert found.newest and (found.newest.title, found.newest.published) == (
        "Story 9", datetime(2026, 4, 19, 9, tzinfo=UTC),
    )  # fmt: skip
    assert found.warnings == ()


def test_a_site_without_pretty_addresses_is_asked_through_its_query(site: WebSite, client: Client) -> None:
    site.put_wordpress(root="?")
    found = discover.discover(site.url, client=client)
    assert ("rest", "/?rest_route=/") in ways(found, site)
    assert found.zone == "Asia/Karachi" and found.stories == 522


def test_a_rest_interface_that_is_closed_is_said_and_costs_nothing_else(site: WebSite, client: Client) -> None:
    site.put_wordpress()
    site.put("/wp-json/wp/v2/posts", '{"code":"rest_forbidden","message":"No."}', status=401, kind="application/json")
    found = discover.discover(site.url, client=client)
    assert ways(found, site) == [("feed", "/feed/"), ("sitemap", "/wp-sitemap.xml")]
    assert found.warnings == (f"the REST interface at {site.url}/wp-json/ does not answer us",)
    assert found.takes_pings  # it is WordPress all the same


def test_a_block_page_in_place_of_posts_is_named(site: WebSite, client: Client) -> None:
    site.put_wordpress()
    site.put("/wp-json/wp/v2/posts", "<html><title>Just a moment</title></html>")
    found = discover.discover(site.url, client=client)
    assert "cannot be used: this is a web page (“Just a moment”)" in found.warnings[0]


def test_a_site_that_has_only_its_rest_interface_can_be_watched(site: WebSite, client: Client) -> None:
    site.put_wordpress()
    for path in ("/feed/", "/comments/feed/"):
        del site.pages[path]
    found = discover.discover(site.url, client=client)
    assert found.feed_url is None
    assert ways(found, site) == WORDPRESS[1:]
    assert found.title == "The Gazette"


def test_news_sitemaps_are_found_in_robots_and_in_indexes(site: WebSite, client: Client) -> None:
    site.put_wordpress()
    site.put("/robots.txt", "Sitemap: {site}/sitemap_index.xml\n", kind="text/plain")
    children = "".join(f"<sitemap><loc>{{site}}/{name}</loc></sitemap>" for name in ("post-sitemap.xml", "news-7.xml"))
    site.put("/sitemap_index.xml", f"<sitemapindex>{children}</sitemapindex>", kind="application/xml")
    site.put("/news-7.xml", news_sitemap("/story-9/"), kind="application/xml")
    found = discover.discover(site.url, client=client)
    assert ways(found, site)[2:] == [("sitemap", "/news-7.xml"), ("sitemap", "/sitemap_index.xml")]


def test_a_news_sitemap_at_its_usual_place_is_found_without_robots(site: WebSite, client: Client) -> None:
    site.put_feed()
    site.put("/sitemap-news.xml", news_sitemap("/story-9/"), kind="application/xml")
    found = discover.discover(f"{site.url}/feed/", client=client)
    assert ways(found, site) == [("feed", "/feed/"), ("sitemap", "/sitemap-news.xml")]
    assert not found.takes_pings


def test_a_hub_is_taken_over_tls_where_it_can_be(site: WebSite, client: Client) -> None:
    site.put_feed(head=HUB + '<atom:link rel="self" href="{site}/feed/?self=1"/>')
    (hub,) = [way for way in discover.discover(f"{site.url}/feed/", client=client).ways if way.kind == "websub"]
    assert (hub.url, hub.topic) == ("https://hub.example/", f"{site.url}/feed/?self=1")


def test_a_self_without_our_port_is_no_topic(site: WebSite, client: Client) -> None:
    site.put_feed(head='<atom:link rel="self" href="http://127.0.0.1/feed/"/>', headers={"Link": "</hub>; rel=hub"})
    (hub,) = [way for way in discover.discover(f"{site.url}/feed/", client=client).ways if way.kind == "websub"]
    assert (hub.url, hub.topic) == (f"{site.url}/hub", f"{site.url}/feed/")


def test_a_sections_feed_watches_the_section_alone(site: WebSite, client: Client) -> None:
    site.put_wordpress()
    site.put_feed("/category/harbour/feed/", title="Harbour", link="{site}/category/harbour/")
    found = discover.discover(f"{site.url}/category/harbour/feed/", client=client)
    assert ways(found, site) == [("feed", "/category/harbour/feed/")]
    assert found.home_url == f"{site.url}/category/harbour/"
    assert found.warnings == ("the feed is of a part of its site: only the feed is watched",)


def test_a_page_that_names_no_feed_is_tried_at_the_usual_addresses(site: WebSite, client: Client) -> None:
    site.put("/about/", "<html><head><title>About</title></head></html>")
    site.put_feed("/rss.xml")
    assert discover.discover(f"{site.url}/about/", client=client).feed_url == f"{site.url}/rss.xml"


def test_an_empty_feed_of_comments_does_not_hide_the_feed_of_stories(site: WebSite, client: Client) -> None:
    head = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="{path}">' for path in ("/replies/", "/all/")
    )
    site.put("/", f"<html>{head}</html>")
    site.put_feed("/replies/", items=" ")
    site.put_feed("/all/")
    assert discover.discover(site.url, client=client).feed_url == f"{site.url}/all/"


def test_robots_that_forbid_a_way_are_said(site: WebSite, client: Client) -> None:
    site.put_wordpress()
    site.put("/robots.txt", "User-agent: *\nDisallow: /wp-json/\n", kind="text/plain")
    found = discover.discover(site.url, client=client)
    assert found.forbidden == (f"{site.url}/wp-json/",)
    assert f"robots.txt asks us not to read {site.url}/wp-json/" in found.warnings


def test_a_page_that_leads_nowhere_says_what_to_try(site: WebSite, client: Client) -> None:
    site.put("/", "<html><head><title>Shop</title></head></html>")
    with pytest.raises(NothingToWatch, match="neither a feed nor a page that names one"):
        discover.discover(site.url, client=client)
    assert len(site.asked) <= probes.MOST_REQUESTS


@pytest.mark.parametrize("address", ["{site}/missing/", "http://127.0.0.1:1/", "http://[broken/", "ftp://a.example/"])
def test_an_address_that_does_not_answer_is_named(address: str, site: WebSite, client: Client) -> None:
    with pytest.raises(NothingToWatch):
        discover.discover(address.replace("{site}", site.url), client=client)


def test_a_site_that_names_a_thousand_feeds_is_asked_a_bounded_number_of_times(site: WebSite, client: Client) -> None:
    head = "".join(f'<link rel="alternate" type="application/rss+xml" href="/feed-{n}/">' for n in range(1000))
    site.put("/", f"<html>{head}</html>")
    site.put("/robots.txt", "".join(f"Sitemap: {{site}}/map-{n}.xml\n" for n in range(1000)), kind="text/plain")
    site.put_feed("/feed-3/")
    assert discover.discover(site.url, client=client).feed_url == f"{site.url}/feed-3/"
    assert len(site.asked) <= probes.MOST_REQUESTS + 1


# -- adding


@pytest.fixture
def found(site: WebSite, client: Client) -> Found:
    site.put_wordpress()
    site.put_feed(head="<generator>https://wordpress.org/?v=6.8.7</generator>" + HUB)
    return discover.discover(site.url, client=client)


def add(found: Found, **fields: Any) -> tuple[Source, bool]:
    return discover.add(found, **{"name": "", "every_s": 60, "now": NOW, **fields})


@pytest.mark.django_db
def test_a_source_is_added_with_all_its_ways_due_at_once(found: Found) -> None:
    source, made = add(found, name="Gazette", settle_s=0)
    assert made
    assert (source.name, source.zone, source.poll_s, source.settle_s) == ("Gazette", "Asia/Karachi", 60, 0)
    assert source.is_ours and source.baseline_at is None
    channels = source.channels.order_by("id")
    assert [channel.kind for channel in channels] == ["feed", "rest", "sitemap"]
    assert {channel.next_due_at for channel in channels} == {NOW}
    pushes = {push.kind: push for push in Push.objects.filter(source=source)}
    assert {push.state for push in pushes.values()} == {Push.State.PENDING}
    assert set(pushes) == {Push.Kind.PING, Push.Kind.WEBSUB}
    assert pushes["websub"].hub_url == "https://hub.example/"
    assert pushes["websub"].topic_url == found.feed_url


@pytest.mark.django_db
def test_adding_again_adds_only_what_was_missing(found: Found) -> None:
    source, _ = add(found, name="Gazette")
    source.channels.filter(kind="rest").delete()
    again, made = add(found, name="Another name", every_s=30)
    assert (again.id, made, again.name, again.poll_s) == (source.id, False, "Gazette", 60)
    assert Channel.objects.count() == 3 and Push.objects.count() == 2


@pytest.mark.django_db
def test_the_same_front_page_with_another_scheme_is_the_same_source(found: Found) -> None:
    add(found)
    Source.objects.update(home_url=found.home_url.replace("http://", "https://www."))
    Channel.objects.filter(kind="feed").update(url=f"{found.home_url}old-feed/")
    assert not add(found)[1]


@pytest.mark.django_db
def test_a_strangers_site_is_asked_every_quarter_of_an_hour_at_most_and_expects_no_ping(found: Found) -> None:
    source, _ = add(found, is_ours=False)
    assert (source.is_ours, source.poll_s) == (False, 900)
    assert not Push.objects.filter(kind=Push.Kind.PING).exists()
    assert discover.add(found, name="", every_s=3600, now=NOW)[0].poll_s == 900
