"""Looks at a real site on loopback: what is asked, what is kept, what is said when it fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.sources import watch
from pipeline.sources.ledger import Claim
from pipeline.sources.looks.asking import Told
from pipeline.sources.models import Channel, Observation, Push, Source
from tests.factories import sources
from tests.factories.sites import NOW, Asked, Reply, Site
from tests.sources.conftest import Watched

HOUR = timedelta(hours=1)


def test_the_first_look_is_a_baseline_and_the_next_story_is_news(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    assert watched.states() == {"baseline": 10}
    assert watched.source.baseline_at is not None
    assert watched.source.looks == 2
    assert Observation.objects.filter(note="first look: 10 stories were there before us").count() == 1
    watched.site.publish(at=watched.now)
    assert watched.look() == 1
    assert watched.states() == {"baseline": 10, "seen": 1}
    assert watched.look() == 0
    assert watched.channel().last_found_at is not None


def test_a_worker_that_was_paused_in_the_first_look_takes_no_news_for_what_was_there(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.site.publish(10)
    watched.begin(baseline=False)
    told = watch._told

    def slow(claim: Claim, **asked: Any) -> Told:
        monkeypatch.setattr(watch, "_told", told)
        Channel.objects.update(leased_until="2000-01-01T00:00Z")  # paused for longer than its lease
        watched.look(after=HOUR)  # another worker, all of it
        watched.site.publish(at=watched.now)
        return told(claim, **asked)

    monkeypatch.setattr(watch, "_told", slow)
    watched.look()
    assert watched.states() == {"baseline": 10}
    assert watched.look() == 1
    assert watched.states() == {"baseline": 10, "seen": 1}


@pytest.mark.parametrize("kind", ["rest", "news"])
def test_another_ways_first_look_loses_no_story_that_came_since(watched: Watched, kind: str) -> None:
    watched.site.publish(10)
    watched.begin()
    watched.site.publish(at=watched.now + timedelta(seconds=1))
    address = {"rest": "wp-json/", "news": "news-sitemap.xml"}[kind]
    name = "sitemap" if kind == "news" else kind
    sources.channel(source=watched.source, url=watched.site.url + address, kind=name, now=watched.now)
    assert watched.look(name, after=timedelta(seconds=5)) == 1
    assert watched.states() == {"baseline": 10, "seen": 1}


def test_a_busy_newsroom_is_no_burst_from_its_first_day_on(watched: Watched) -> None:
    for number in range(10):
        watched.site.publish(at=NOW - timedelta(minutes=12 * number))
    watched.begin()
    assert watched.source.usual_per_hour == 5


def test_nothing_is_done_before_it_is_due_nor_while_somebody_looks(watched: Watched) -> None:
    watched.begin()
    channel = watched.channel()
    assert (
        watch.look(channel_id=channel.id, now=channel.next_due_at - timedelta(seconds=1), client=watched.client) is None
    )
    Channel.objects.filter(id=channel.id).update(leased_until="2999-01-01T00:00Z")
    assert watch.look(channel_id=channel.id, now=channel.next_due_at, client=watched.client) is None
    assert watched.site.asked == []


def test_a_paused_source_is_not_looked_at(watched: Watched) -> None:
    watched.begin()
    Source.objects.update(state="paused")
    assert watched.look() is None


def test_validators_are_sent_back_verbatim_and_both(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    watched.look()
    headers = watched.site.asked[-1].headers
    kept = watched.channel()
    assert (headers["if-none-match"], headers["if-modified-since"]) == (kept.etag, kept.last_modified)
    assert kept.etag.startswith('"')
    assert kept.last_status == 304


def test_every_sixth_look_one_in_two_hours_and_one_after_a_hint_ask_for_everything(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    for _ in range(12):
        watched.look()
    bare = ["if-none-match" not in asked.headers for asked in watched.site.asked]
    assert sum(bare) == 2
    watched.site.asked.clear()
    watched.hint()
    watched.look()
    watched.look()
    assert ["if-none-match" in asked.headers for asked in watched.site.asked] == [False, True]
    watched.look(after=timedelta(hours=2))
    assert "if-none-match" not in watched.site.asked[-1].headers


def test_a_story_hidden_behind_304_is_found_within_six_looks(watched: Watched) -> None:
    """Two posts in one second with a poll between them: WordPress's ETag is the newest date."""
    watched.site.publish(9)
    first = watched.site.publish(at=NOW + timedelta(minutes=30))[0]
    watched.begin()
    watched.site.publish(at=first.at)
    found = [watched.look() for _ in range(6)]
    assert sorted(found) == [0, 0, 0, 0, 0, 1]
    assert found[0] == 0


def test_a_new_build_stamp_is_no_news_and_leaves_no_row(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    rows = Observation.objects.count()
    watched.site.built_at += HOUR
    watched.hint()
    watched.look()
    assert watched.channel().last_status == 200
    assert Observation.objects.count() == rows


def test_a_date_that_moves_alone_is_noticed(watched: Watched) -> None:
    posts = watched.site.publish(10)
    watched.begin()
    before = watched.channel().body_hash
    posts[3].at -= HOUR
    watched.hint()
    watched.look()
    assert watched.channel().body_hash != before


def compressed(site: Site, *, knows_bare: bool) -> None:
    """Apache with mod_deflate: it adds -gzip to ETags and does not know them again (bug 39727)."""

    def feed(asked: Asked) -> Reply:
        sent = asked.headers.get("if-none-match", "")
        if not sent and "if-modified-since" in asked.headers:
            return Reply(304)
        known = asked if knows_bare and "-gzip" not in sent else Asked(asked.path, asked.query, {})
        reply = site.feed(known)
        return Reply(reply.status, reply.body, reply.headers | {"ETag": reply.headers["ETag"][:-1] + '-gzip"'})

    site.routes["/feed/"] = feed


@pytest.mark.parametrize("knows_bare", [True, False])
def test_an_etag_a_proxy_changed_is_stripped_and_then_given_up(watched: Watched, knows_bare: bool) -> None:
    watched.site.publish(10)
    compressed(watched.site, knows_bare=knows_bare)
    watched.begin(baseline=False)
    watched.look()
    assert watched.channel().etag.endswith('-gzip"')
    watched.look()  # answered with everything although nothing changed
    assert watched.channel().last_status == 200
    assert "-gzip" not in watched.channel().etag
    watched.look()
    kept = watched.channel()
    assert (kept.modified_only, kept.last_status) == (not knows_bare, 304 if knows_bare else 200)
    watched.look()
    assert watched.channel().last_status == 304
    assert ("if-none-match" in watched.site.asked[-1].headers) is knows_bare


def test_the_validators_a_304_renews_are_kept(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    watched.site.routes["/feed/"] = lambda _: Reply(304, headers={"ETag": '"renewed"'})
    watched.look()
    kept = watched.channel()
    assert kept.etag == '"renewed"'
    assert kept.last_modified != ""


def test_a_burst_larger_than_the_feed_is_read_from_its_further_pages(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    watched.site.publish(25, at=watched.now)
    assert watched.look() == 25
    assert [asked.query.get("paged") for asked in watched.site.asked] == [None, "2", "3"]
    assert watched.states() == {"baseline": 10, "seen": 25}


def test_further_pages_end_at_the_fifth(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    watched.site.publish(80, at=watched.now)
    assert watched.look() == 50
    assert len(watched.site.asked) == 5


def test_a_feed_that_is_no_wordpress_has_no_further_pages(watched: Watched) -> None:
    watched.site.generator = "Hugo 0.140"
    watched.site.publish(10)
    watched.begin()
    watched.site.publish(10, at=watched.now)
    assert watched.look() == 10
    assert len(watched.site.asked) == 1


@pytest.mark.parametrize(
    ("generator", "because"),
    [
        ("https://wordpress.org/?v=7.1.5", ""),
        ("https://wordpress.org/?v=7.2", "generator changed"),
        ("Ghost 6.0", "generator changed"),
    ],
)
def test_another_generator_makes_the_source_cautious(watched: Watched, generator: str, because: str) -> None:
    watched.site.publish(10)
    watched.begin()
    watched.site.generator = generator
    watched.hint()
    watched.look()
    assert watched.source.cautious_because == because
    assert watched.source.generator == generator


def test_the_first_answer_after_a_day_of_silence_makes_the_source_cautious(watched: Watched) -> None:
    watched.begin()
    watched.look(after=timedelta(hours=23))
    assert watched.source.cautious_until is None
    watched.look(after=timedelta(hours=25))
    assert watched.source.cautious_because == "first answer after an outage"


def test_a_hint_that_comes_during_a_look_is_not_lost(watched: Watched) -> None:
    watched.begin()

    real = watched.client.get

    def get(*args: object, **named: object) -> object:
        answer = real(*args, **named)  # type: ignore[arg-type]
        watched.hint()
        return answer

    watched.client.get = get  # type: ignore[method-assign, assignment]
    watched.look()
    kept = watched.channel()
    assert kept.next_due_at == watched.now
    assert kept.last_full_at is None
    assert kept.leased_until is None


def test_a_look_whose_reader_died_is_not_repeated_at_once(watched: Watched) -> None:
    """What kills its reader kills it again: each death doubles the wait, and no answer is needed to count it."""
    watched.begin()
    waits = []
    for deaths in range(1, 4):
        channel = watched.channel()
        now = watched.now = max(watched.now, channel.next_due_at)
        with pytest.raises(SystemExit):
            dying = watched.site.client()
            dying.get = _dies  # type: ignore[method-assign, assignment]
            watch.look(channel_id=channel.id, now=now, client=dying)
        after = watched.channel()
        assert after.errors == deaths
        waits.append((after.next_due_at - now).total_seconds())
        Channel.objects.update(leased_until=None)  # the lease runs out
    assert waits == [60, 120, 240]
    watched.look()
    assert watched.channel().errors == 0


def _dies(*_args: object, **_named: object) -> None:
    raise SystemExit


def test_input_that_never_ends_is_a_failed_look_with_a_sentence(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.site.publish(10)
    watched.begin()
    monkeypatch.setattr("pipeline.sources.looks.asking.PARSE_CPU_S", 0.05)
    deep = b"<rss version='2.0'><channel>" + b"".join(
        b"<item><title>%d</title><description>%s</description></item>" % (n, b"&lt;b&gt;x" * 150) for n in range(600)
    )
    watched.site.routes["/feed/"] = lambda _: Reply(200, deep + b"</channel></rss>")
    watched.look()
    assert watched.channel().errors == 1
    assert "processor time" in watched.source.last_error
    assert watched.states() == {"baseline": 10}


def test_a_poll_that_finds_what_a_push_should_have_told_breaks_the_push(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin()
    long_ago = watched.now - timedelta(days=2)
    push = Push.objects.create(
        source=watched.source,
        kind="ping",
        state="active",
        created_at=long_ago,
        heard_at=long_ago,
        delivered_at=long_ago,
    )
    watched.site.publish(at=watched.now - timedelta(minutes=20))
    watched.look()
    push.refresh_from_db()
    assert (push.state, push.missed) == ("broken", 1)
    Push.objects.update(heard_at=watched.now)
    watched.site.publish(at=watched.now)
    watched.hint()
    watched.look()
    push.refresh_from_db()
    assert (push.state, push.missed, push.delivered_at) == ("active", 0, watched.now)


def test_a_push_that_works_leaves_a_poll_every_five_minutes(watched: Watched) -> None:
    watched.now += timedelta(hours=8)
    watched.begin()
    watched.look()
    assert watched.wait_s(watched.now) == pytest.approx(120, rel=0.11)
    Push.objects.create(
        source=watched.source,
        kind="ping",
        state="active",
        created_at=NOW,
        heard_at=watched.now,
        delivered_at=watched.now,
    )
    watched.look()
    assert watched.wait_s(watched.now) == pytest.approx(300, rel=0.11)


def test_a_demo_that_asks_for_every_second_is_looked_at_every_second(watched: Watched) -> None:
    watched.begin(poll_s=1)
    watched.look()
    assert watched.wait_s(watched.now) == pytest.approx(1, abs=0.5)


def test_only_what_is_due_rings(watched: Watched) -> None:
    watched.begin()
    due = watched.channel().next_due_at
    assert watch.ring_due(now=due - timedelta(seconds=1)) == 0
    assert watch.ring_due(now=due) == 1


def test_observations_are_forgotten_after_two_weeks(watched: Watched) -> None:
    watched.begin()
    assert watch.forget(now=watched.now + timedelta(days=13)) == 0
    assert watch.forget(now=watched.now + timedelta(days=15)) > 0
