"""Attempts to move the list, and nights that would spoil it: it stays sane, and says why."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from pipeline.articles.models import Article
from pipeline.engagement import tally
from pipeline.engagement.models import Origin, Tally
from pipeline.engagement.records import Flag
from pipeline.engagement.tally import Vote, settle_votes
from pipeline.ranking import method, rank
from pipeline.ranking.models import Chart, Pin, Standing
from pipeline.staff.models import Role
from tests.factories import articles, staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 6, 30, 30, tzinfo=UTC)


def story(*, age_h: float = 5, **fields: object) -> Article:
    return articles.article(age_s=age_h * 3600, now=NOW, **{"section_path": [], **fields})  # type: ignore[arg-type]


def origin(kind: Origin.Kind = Origin.Kind.POST) -> Origin:
    return Origin.objects.create(id=len(kind), kind=kind, started_at=NOW - timedelta(days=1))


#: Written by the database: ten thousand rows made in Python take seconds.
_CLICKS = """
INSERT INTO dateline_event (id, at, kind, origin_id, ordinal, link, article_id, channel, person, network, agent, method,
                            flags, verdict, rules, counted)
SELECT %(seed)s::bytea || int8send(i), %(until)s - %(over_s)s * (i + 1) / (%(n)s + 1.0) * interval '1 second', 'click',
       %(origin)s, 0, 1, %(article)s, %(channel)s, int8send(%(origin)s) || int8send(i %% %(persons)s),
       int8send(%(origin)s) || int8send(i %% %(networks)s), 'Mozilla/5.0', 'GET', %(flags)s, 'human', '[]', false
  FROM generate_series(0::bigint, %(n)s - 1) AS i
RETURNING person, floor(extract(epoch FROM at))::bigint / 86400
"""


def clicks(
    about: Article, *, n: int, by: Origin, networks: int, over_min: int, until: datetime = NOW, persons: int = 0
) -> None:
    """`n` human clicks of as many people (or of `persons`) behind so many networks, evenly over the time before `until`."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLICKS,
            {
                "n": n, "origin": by.id, "article": about.id, "networks": networks, "persons": persons or n,
                "until": until, "over_s": over_min * 60, "flags": int(Flag.MAC_OK), "seed": os.urandom(4),
                "channel": "email" if by.kind == Origin.Kind.EDITION else "social",
            },
        )  # fmt: skip
        settle_votes({Vote(about.id, bytes(person), day) for person, day in cursor.fetchall()})


def mail(about: Article, *, n: int, over_min: int = 600, until: datetime = NOW) -> None:
    """Readers of a letter, each behind a network of their own."""
    by, _ = Origin.objects.get_or_create(id=99, kind=Origin.Kind.EDITION, defaults={"started_at": NOW})
    clicks(about, n=n, by=by, networks=n, over_min=over_min, until=until)


def values(window: str) -> dict[int, int]:
    rows = Standing.objects.filter(chart__window=window, chart__section="").order_by("place")
    return dict(rows.values_list("article_id", "value"))


def order(window: str) -> list[int]:
    return list(values(window))


def codes(window: str) -> dict[int, str]:
    return dict(Standing.objects.filter(chart__window=window, chart__section="").values_list("article_id", "code"))


def test_ten_thousand_hits_of_one_host_are_one_networks_worth_and_do_not_rise() -> None:
    read, pushed = story(), story()
    mail(read, n=60, over_min=50)
    mail(pushed, n=3, over_min=50)
    rank.refresh(now=NOW)
    assert order("now") == [read.id, pushed.id]
    clicks(pushed, n=10_000, by=origin(), networks=1, over_min=25)
    rank.refresh(now=NOW)
    assert order("now") == [read.id, pushed.id]
    assert values("now")[pushed.id] == 3 + tally.NETWORK_CAP
    assert tally.kept() == tally.recount()
    fates = tally.clicks_by_fate(article_ids=[pushed.id], since_minute=0)[pushed.id]
    assert fates == {"counted": 23, "again": 9980}


def test_one_host_that_keeps_its_name_is_one_vote() -> None:
    read, pushed = story(), story()
    mail(read, n=2, over_min=50)
    clicks(pushed, n=10_000, by=origin(), networks=1, over_min=25, persons=1)
    rank.refresh(now=NOW)
    assert values("now") == {read.id: 2, pushed.id: 1}


def test_a_jump_that_one_network_made_keeps_its_old_place_until_an_editor_pins_it() -> None:
    first, second, pushed = story(), story(), story()
    mail(first, n=9, over_min=50)
    mail(second, n=5, over_min=50)
    rank.refresh(now=NOW)
    assert order("now") == [first.id, second.id, pushed.id], "the newest fills up"
    clicks(pushed, n=300, by=origin(), networks=1, over_min=25)
    rank.refresh(now=NOW)
    assert order("now") == [first.id, second.id, pushed.id]
    assert codes("now")[pushed.id] == "held"
    assert values("now")[pushed.id] == tally.NETWORK_CAP, "its count is not hidden"
    Pin.objects.create(article=pushed, kind=Pin.Kind.PIN, place=1, created_at=NOW, until=NOW + timedelta(hours=1))
    rank.refresh(now=NOW)
    assert order("now")[0] == pushed.id and codes("now")[pushed.id] == "pinned"


def test_a_crowd_behind_many_networks_is_news_and_rises() -> None:
    calm, rising = story(), story()
    mail(calm, n=9, over_min=50)
    rank.refresh(now=NOW)
    clicks(rising, n=60, by=origin(), networks=40, over_min=25)
    rank.refresh(now=NOW)
    assert order("now") == [rising.id, calm.id]
    assert codes("now")[rising.id] == "counted"


def test_a_proxy_in_front_of_everybody_holds_nobody_back() -> None:
    stories = [story(age_h=n) for n in range(1, 5)]
    by = origin()
    for number, one in enumerate(stories):
        clicks(one, n=20, by=by, networks=1, over_min=25)
        mail(one, n=number, over_min=25)
    rank.refresh(now=NOW)
    assert set(codes("now").values()) == {"counted"}
    assert order("now") == [one.id for one in reversed(stories)]


def test_five_hundred_addresses_in_twenty_networks_are_worth_twenty_times_the_cap() -> None:
    pushed = story()
    whole_hour = NOW.replace(minute=0, second=0)
    clicks(pushed, n=500, by=origin(), networks=20, over_min=25, until=whole_hour + timedelta(minutes=29))
    rank.refresh(now=NOW)
    assert values("now")[pushed.id] == min(500, 20 * tally.NETWORK_CAP) == 400


def test_clicks_in_our_own_box_do_not_feed_the_list_unless_the_method_says_so() -> None:
    shown, other = story(), story()
    mail(other, n=2, over_min=50)
    clicks(shown, n=40, by=origin(Origin.Kind.BOX), networks=40, over_min=25)
    rank.refresh(now=NOW)
    assert order("now")[0] == other.id and values("now")[shown.id] == 0
    assert method.Counting(box_weight=1).by_channel()["box"] == 1
    row = method.Method.objects.create(box_weight=1, changed_at=NOW)
    rank.refresh(now=NOW)
    assert order("now")[0] == shown.id and values("now")[shown.id] == 40
    assert row.network_cap == tally.NETWORK_CAP


def test_who_waited_for_another_cap_does_not_lay_the_old_one_beside_its_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clicks(story(), n=30, by=origin(), networks=1, over_min=25, until=NOW.replace(minute=29))
    head, current = staff.user(role=Role.HEAD), method.current

    def stale() -> method.Counting:
        monkeypatch.setattr(method, "current", current)
        seen = current()  # another head changes the cap between this one's look and its lock
        method.change(to=method.Counting(network_cap=5), actor=head, now=NOW, reason="a campaign")
        return seen

    monkeypatch.setattr(method, "current", stale)
    with pytest.raises(method.Refused, match="since you looked"):
        method.change(to=method.Counting(per_section=2), actor=head, now=NOW, reason="variety", seen=method.Counting())
    assert not method.Method.objects.filter(per_section=2).exists()
    assert tally.kept() == tally.recount()


def test_an_old_story_that_revives_is_labelled_with_its_year_or_left_out() -> None:
    old, young = story(age_h=24 * 365 * 7), story()
    mail(young, n=20, over_min=50)
    mail(old, n=30, over_min=50)
    rank.refresh(now=NOW)
    assert order("now") == [young.id], "it leads, but not twofold"
    mail(old, n=45, over_min=50)
    rank.refresh(now=NOW)
    assert order("now") == [old.id, young.id]
    label = f"from {old.first_seen_at.year}"
    assert Standing.objects.get(chart__window="now", chart__section="", place=1).label == label
    bodies = Chart.objects.get(window="now", section="").bodies
    assert all(label in bodies[form] for form in ("json", "rss", "html"))
    method.Method.objects.create(age_cap_days=30, changed_at=NOW)
    rank.refresh(now=NOW)
    assert order("now") == [young.id]


def test_midnight_at_three_readers_an_hour_neither_empties_nor_upsets_the_list() -> None:
    """90 readers in the small hours, around UTC midnight: a rolling window has no edge there, and says what filled it."""
    midnight = datetime(2026, 4, 19, tzinfo=UTC)
    stories = [story(age_h=12 + n) for n in range(12)]
    for number, one in enumerate(stories):
        mail(one, n=90 - 8 * number if number < 6 else 1, over_min=300, until=midnight - timedelta(hours=1))
    rank.refresh(now=midnight - timedelta(minutes=1))
    before = order("today")
    mail(stories[3], n=3, over_min=100, until=midnight + timedelta(hours=3))
    for at in (midnight, midnight + timedelta(minutes=1), midnight + timedelta(hours=3)):
        rank.refresh(now=at)
        assert order("today") == before, "nothing happened that 24 hours would notice"
        assert len(order("now")) == rank.SIZE
    assert codes("now")[stories[3].id] == "counted"
    assert Counter(codes("now").values())["fallback"] == rank.SIZE - 1
    assert '"fallback":"today"' in Chart.objects.get(window="now", section="").bodies["json"]


def test_a_killed_story_leaves_every_list_and_every_body() -> None:
    gone, stays = story(section_path=["World", "Africa"]), story(section_path=["World"])
    mail(gone, n=9, over_min=50)
    rank.refresh(now=NOW)
    assert gone.url in Chart.objects.get(window="now", section="World").bodies["json"]
    Article.objects.filter(id=gone.id).update(state=Article.State.KILLED, killed_at=NOW)
    rank.refresh(now=NOW)
    bodies = [text for chart in Chart.objects.all() for text in chart.bodies.values()]
    assert len(bodies) == 3 * 2 * len(rank.WINDOWS)
    assert not [text for text in bodies if gone.url in text]
    assert all(stays.url in text for text in bodies)


def test_a_changed_headline_changes_the_bodies_and_their_version() -> None:
    one = story()
    rank.refresh(now=NOW)
    before = Chart.objects.get(window="now").version
    Article.objects.filter(id=one.id).update(headline="Corrected & true")
    rank.refresh(now=NOW)
    chart = Chart.objects.get(window="now")
    assert chart.version != before and "Corrected & true" in chart.bodies["json"]
    assert "Corrected &amp; true" in chart.bodies["rss"] and "Corrected &amp; true" in chart.bodies["html"]


def test_a_section_that_has_no_recent_story_has_no_list() -> None:
    story(section_path=["World"])
    last = story(section_path=["Opera"], age_h=24 * 29)
    rank.refresh(now=NOW)
    assert Chart.objects.filter(section="Opera").count() == len(rank.WINDOWS)
    Article.objects.filter(id=last.id).update(first_seen_at=NOW - timedelta(days=31))
    rank.refresh(now=NOW)
    assert not Chart.objects.filter(section="Opera").exists()
    assert Chart.objects.filter(section="World").count() == len(rank.WINDOWS)


def test_a_quiet_month_shows_the_newest_there_ever_was() -> None:
    one = story(age_h=24 * 90)
    rank.refresh(now=NOW)
    assert order("today") == [one.id]


def test_a_page_of_events_is_read_only_where_something_jumped() -> None:
    """The look at networks costs nothing in the usual case: it is asked only about stories that jumped."""
    mail(story(), n=30, over_min=50)
    with connection.execute_wrapper(_no_events):
        rank.refresh(now=NOW)
    assert Tally.objects.exists()


def _no_events(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
    assert "dateline_event" not in sql
    return execute(sql, params, many, context)
