"""Strangers' sites: one request at a time, pauses, robots.txt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.articles.models import Article
from pipeline.kernel.processes.engines import Engines
from pipeline.sources import watch
from pipeline.sources.looks import courtesy
from tests.factories.sites import Reply
from tests.sources.conftest import Watched

pytestmark = pytest.mark.usefixtures("engines")


def robots(watched: Watched, *closed: str) -> None:
    rules = "User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in closed)
    watched.site.routes["/robots.txt"] = lambda _: Reply(200, rules.encode())


@pytest.fixture(autouse=True)
def _no_turns(engines: Engines) -> None:
    for key in courtesy._redis(0).scan_iter("dateline:turn:*"):
        courtesy._redis(0).delete(key)


def test_one_of_us_at_a_host_and_a_pause_after(engines: Engines) -> None:
    with courtesy.turn("https://one.example/feed/", lease_s=60, gap_s=0.15):
        with pytest.raises(courtesy.Later), courtesy.turn("https://one.example/rss/", lease_s=60, gap_s=0):
            pass
        with courtesy.turn("https://two.example/feed/", lease_s=60, gap_s=0):
            pass
    with pytest.raises(courtesy.Later), courtesy.turn("https://one.example/rss/", lease_s=60, gap_s=0):
        pass


def test_a_host_that_is_busy_postpones_the_look_and_counts_for_nothing(watched: Watched) -> None:
    watched.site.publish(3)
    watched.begin(is_ours=False)
    before = watched.channel()
    with courtesy.turn(watched.site.url, lease_s=60, gap_s=0):
        assert watched.look() is None
    after = watched.channel()
    assert watched.wait_s(watched.now) == pytest.approx(watch.HOST_BUSY_S, abs=1)
    assert (after.polls, after.errors, after.leased_until) == (before.polls, 0, None)
    assert watched.look() == 0


def test_a_feed_that_robots_txt_closes_is_not_asked(watched: Watched) -> None:
    robots(watched, "/feed/")
    watched.begin(is_ours=False)
    assert watched.site.paths() == []
    watched.look()
    assert "/feed/" not in watched.site.paths()
    assert "robots.txt asks us to stay away" in watched.source.last_error


def test_its_rules_are_read_once_an_hour(watched: Watched) -> None:
    robots(watched)
    watched.begin(is_ours=False, baseline=False)
    watched.look()
    watched.look(after=timedelta(minutes=20))
    assert watched.site.paths().count("/robots.txt") == 1
    watched.look(after=timedelta(hours=1))
    assert watched.site.paths().count("/robots.txt") == 2


def test_a_robots_txt_that_cannot_be_read_closes_everything_for_now(watched: Watched) -> None:
    watched.site.routes["/robots.txt"] = lambda _: Reply(503)
    watched.begin(is_ours=False, baseline=False)
    watched.look()
    assert watched.site.paths() == ["/robots.txt"]
    assert watched.source.last_error == "its robots.txt answered 503"


def test_a_story_whose_page_is_closed_is_as_its_feed_tells_it(watched: Watched) -> None:
    posts = watched.site.publish(2)
    robots(watched, f"/story-{posts[0].id}/")
    watched.begin(is_ours=False)
    whole = {article.headline: article.told["entry"].get("is_whole", False) for article in Article.objects.all()}
    assert whole == {posts[0].title: True, posts[1].title: False}


def test_a_site_of_our_own_is_asked_without_its_rules(watched: Watched) -> None:
    robots(watched, "/")
    watched.site.publish(2)
    watched.begin()
    assert watched.states() == {"baseline": 2}
    assert "/robots.txt" not in watched.site.paths()


def test_a_stranger_is_asked_every_quarter_of_an_hour_at_most(watched: Watched) -> None:
    watched.begin(is_ours=False, poll_s=60)
    watched.look()
    assert watched.wait_s(watched.now) >= 900 * 0.9
