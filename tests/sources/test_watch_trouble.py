"""Looks at a site that refuses, fails, moves or is gone: when it is asked again, and what is said meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.sources import watch
from pipeline.sources.models import Channel, Source
from tests.factories.sites import Reply, Site
from tests.sources.conftest import Watched

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_up_to_a_day(watched: Watched, status: int) -> None:
    watched.begin()
    watched.site.routes["/feed/"] = lambda _: Reply(status, headers={"Retry-After": "1800"})
    watched.look()
    assert watched.wait_s(watched.now) == pytest.approx(1800, abs=5)
    assert watched.source.last_error == f"the site answered {status}"
    watched.site.routes["/feed/"] = lambda _: Reply(status, headers={"Retry-After": "999999"})
    watched.look()
    assert watched.wait_s(watched.now) == pytest.approx(86_400, abs=5)


def test_errors_back_off_and_an_answer_ends_them(watched: Watched) -> None:
    watched.begin()
    watched.site.routes["/feed/"] = lambda _: Reply(500)
    waits = []
    for _ in range(3):
        watched.look()
        waits.append(watched.wait_s(watched.now))
    assert waits == [pytest.approx(120 * 2**n * (2.5 if watched.now.hour < 5 else 1), rel=0.11) for n in (1, 2, 3)]
    assert watched.channel().errors == 3
    del watched.site.routes["/feed/"]
    watched.look()
    assert (watched.channel().errors, watched.source.last_error) == (0, "")


def test_a_site_that_does_not_answer_is_stale_and_says_so(watched: Watched) -> None:
    watched.begin()
    Channel.objects.update(url="http://127.0.0.1:9/feed/")
    last = watched.source.last_success_at
    watched.look()
    assert "port" in watched.source.last_error
    assert watched.source.last_success_at == last


def test_an_address_that_is_gone_is_never_asked_again(watched: Watched) -> None:
    watched.begin()
    watched.site.routes["/feed/"] = lambda _: Reply(410)
    watched.look()
    assert watched.channel().state == "gone"
    assert "410" in watched.source.last_error
    assert "asked no more" in watched.source.last_error
    watched.site.asked.clear()
    assert watched.look(after=timedelta(days=30)) is None
    assert watch.ring_due(now=watched.now) == 0
    assert watched.site.asked == []


def test_three_refusals_in_a_row_mean_that_the_owner_must_be_asked(watched: Watched) -> None:
    watched.begin()
    replies = iter([403, 500, 403, 401, 403])
    watched.site.routes["/feed/"] = lambda _: Reply(next(replies))
    for _ in range(4):
        watched.look()
        assert watched.channel().state == "active"
    watched.look()
    assert watched.channel().state == "asking"
    assert "ask the site's owner" in watched.source.last_error
    assert watched.wait_s(watched.now) == pytest.approx(86_400, rel=0.11)
    del watched.site.routes["/feed/"]
    watched.look()
    assert (watched.channel().state, watched.source.last_error) == ("active", "")


def test_a_block_page_with_200_is_an_error_and_no_story_is_gone(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    before = watched.channel()
    page = b"<!doctype html><html><title>Just a moment...</title><body>Checking your browser</body></html>"
    watched.site.routes["/feed/"] = lambda _: Reply(200, page, {"ETag": '"block"'})
    for _ in range(4):
        assert watched.look() == 0
    kept = watched.channel()
    assert (kept.body_hash, kept.etag, kept.errors) == (before.body_hash, before.etag, 4)
    assert "web page, not a feed" in watched.source.last_error
    assert watched.states() == {"baseline": 10}


def moving(site: Site) -> None:
    site.routes["/feed/"] = lambda _: Reply(301, headers={"Location": "/rss/"})
    site.routes["/rss/"] = site.feed


def test_a_permanent_redirect_is_adopted_after_six_days_of_looks(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    moving(watched.site)
    watched.look()
    first = watched.channel()
    assert (first.moved_to, first.url) == (f"{watched.site.url}rss/", f"{watched.site.url}feed/")
    watched.look(after=timedelta(days=5, hours=23))
    assert watched.channel().url.endswith("/feed/")
    Source.objects.update(last_success_at=watched.now, cautious_until=None)
    watched.look(after=2 * HOUR)
    moved = watched.channel()
    assert (moved.url, moved.moved_to, moved.moved_since) == (f"{watched.site.url}rss/", "", None)
    assert watched.source.cautious_because == "address changed"
    assert watched.source.cautious_until == watched.now + timedelta(hours=6)


def test_a_redirect_that_one_look_did_not_see_starts_anew(watched: Watched) -> None:
    watched.begin()
    moving(watched.site)
    watched.look()
    del watched.site.routes["/feed/"]
    watched.look(after=timedelta(days=3))
    assert watched.channel().moved_to == ""
    moving(watched.site)
    watched.look(after=timedelta(days=4))
    assert watched.channel().url.endswith("/feed/")
    assert watched.channel().moved_since == watched.now


def test_a_temporary_redirect_is_followed_and_forgotten(watched: Watched) -> None:
    watched.begin()
    watched.site.routes["/feed/"] = lambda _: Reply(302, headers={"Location": "/rss/"})
    watched.site.routes["/rss/"] = watched.site.feed
    watched.look()
    assert watched.site.paths() == ["/feed/", "/rss/"]
    assert watched.channel().moved_to == ""
    assert watched.channel().errors == 0
