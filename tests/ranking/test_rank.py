"""Charts from real tallies: equal to a recount, changed only by a change, and quick to let go."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.articles.models import Article
from pipeline.engagement import tally
from pipeline.engagement.models import Origin, Tally
from pipeline.engagement.settle import settle
from pipeline.ranking import rank
from pipeline.ranking.models import Chart, Method, Pin, Standing
from pipeline.ranking.score import Window
from tests.factories import articles
from tests.factories.engagement import event

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 6, 30, 30, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def story(*, age_h: float = 5, **fields: object) -> Article:
    """Without a section, so that nothing but counts decides."""
    return articles.article(age_s=age_h * 3600, now=NOW, **{"section_path": [], **fields})  # type: ignore[arg-type]


def clicked(article: Article, *, n: int, ago_min: int = 5, channel: str = "email") -> None:
    Tally.objects.create(article=article, minute=MINUTE - ago_min, channel=channel, n=n)


def chart(window: str = "today") -> list[tuple[int, int]]:
    rows = Standing.objects.filter(chart__window=window, chart__section="").order_by("place")
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    return [(row.article_id, row.value) for row in rows]


def counted(window: Window) -> list[tuple[int, int]]:
    """The definition, taken literally: minutes of the window, then value, latest minute, publication, id."""
    oldest = {"now": MINUTE - 59, "today": MINUTE - 1439, "week": (MINUTE // 60 - 167) * 60}[window]
    value, latest = Counter[int](), defaultdict[int, int](int)
    for row in Tally.objects.filter(minute__gte=oldest, minute__lte=MINUTE):
        value[row.article_id] += row.n
        latest[row.article_id] = max(latest[row.article_id], row.minute)
    came = {one.id: min(one.published_at or one.first_seen_at, one.first_seen_at) for one in Article.objects.all()}
    order = sorted(value, key=lambda one: (-value[one], -latest[one], -came[one].timestamp(), one))
    return [(one, value[one]) for one in order]


@pytest.mark.parametrize("seed", range(6))
def test_a_chart_begins_with_what_a_recount_counts(seed: int) -> None:
    dice = random.Random(seed)
    stories = [story(age_h=dice.randint(1, 90)) for _ in range(9)]
    dice.shuffle(stories)
    for one in stories:
        for _ in range(dice.randint(0, 4)):
            ago = dice.choice([0, 1, 59, 60, 61, 1439, 1440, 2000, 9000, 10_200])
            Tally.objects.update_or_create(
                article=one, minute=MINUTE - ago, channel="email", defaults={"n": dice.randint(1, 3)}
            )
    assert set(rank.refresh(now=NOW)) == set(rank.WINDOWS)
    for window in (Window.NOW, Window.TODAY, Window.WEEK):
        expected = counted(window)
        assert chart(window.value)[: len(expected)] == expected
        codes = Standing.objects.filter(chart__window=window.value, place__gt=len(expected)).values_list(
            "code", flat=True
        )
        assert set(codes) <= {"fallback", "newest"}, "only what says so stands behind the counted"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(clicks=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(61, 1300)), max_size=25))
def test_from_clicks_to_the_chart_nothing_is_lost_or_counted_twice(
    db: None, clicks: list[tuple[int, int, int]]
) -> None:
    with transaction.atomic():
        stories = [story() for _ in range(6)]
        origin = Origin.objects.create(id=9, kind=Origin.Kind.POST, started_at=NOW)
        for number, person, ago_min in clicks:
            event(
                origin=origin, ordinal=person, article=stories[number], at=NOW - timedelta(minutes=ago_min), verdict="pending",
                agent=AGENT, channel="site",
            )  # fmt: skip
        settle(now=NOW)
        rank.refresh(now=NOW)
        expected = Counter[int]()
        for count in tally.recount():
            expected[count.article_id] += count.n * (count.minute > MINUTE - 1440)
        assert dict(pair for pair in chart("today") if pair[1]) == {one: n for one, n in expected.items() if n}
        transaction.set_rollback(True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    clicks=st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(1, 6),
            st.integers(0, 1),
            st.sampled_from(["email", "site", "box"]),
            st.sampled_from([5, 61, 700, 1450]),
        ),
        max_size=30,
    ),
    killed=st.sets(st.integers(0, 5), max_size=2),
    box_weight=st.integers(0, 1),
    mail_weight=st.integers(0, 3),
)
def test_boxes_caps_weights_sections_and_kills_are_counted_as_a_recount_counts_them(
    db: None, clicks: list[tuple[int, int, int, str, int]], killed: set[int], box_weight: int, mail_weight: int
) -> None:
    """The whole way, from human clicks to the lists of the site and of two sections, against a few lines of Python."""
    with transaction.atomic():
        cap, weights = 2, {"email": mail_weight, "social": 1, "site": 1}
        Method.objects.create(network_cap=cap, box_weight=box_weight, weights=weights, per_section=10, changed_at=NOW)
        stories = [story(section_path=["World" if n % 2 else "Trade"]) for n in range(6)]
        by = {kind: Origin.objects.create(id=len(kind), kind=kind, started_at=NOW) for kind in ("post", "box")}
        known = []
        for number, (place, person, network, channel, ago_min) in enumerate(clicks):
            at, name = NOW - timedelta(minutes=ago_min), b"person %d" % person
            event(
                origin=by["box" if channel == "box" else "post"], ordinal=0, article=stories[place], at=at, person=name,
                id=number.to_bytes(12, "big"), network=b"network %d" % network,
                channel="site" if channel == "box" else channel,
            )  # fmt: skip
            known.append((at, number, stories[place].id, name, network, channel))
        tally.settle_votes(tally.Vote(one[2], one[3], int(one[0].timestamp()) // 86_400) for one in known)
        for place in killed:
            Article.objects.filter(id=stories[place].id).update(state=Article.State.KILLED, killed_at=NOW)
        rank.refresh(now=NOW)
        gone = {stories[place].id for place in killed}
        worth = {**weights, "box": box_weight}
        expected = {one: n for one, n in _recounted(known, cap=cap, worth=worth).items() if n and one not in gone}
        sections = {one.id: one.section_path[0] for one in stories}
        for section in ("", "World", "Trade"):
            rows = Standing.objects.filter(
                chart__window="today", chart__section=section, counted_in="today", value__gt=0
            )
            mine = {one: n for one, n in expected.items() if section in ("", sections[one])}
            assert dict(rows.values_list("article_id", "value")) == mine
        assert not Standing.objects.filter(article_id__in=gone).exists()
        transaction.set_rollback(True)


def _recounted(
    known: list[tuple[datetime, int, int, bytes, int, str]], *, cap: int, worth: dict[str, int]
) -> Counter[int]:
    """What each story has in 24 hours: a vote a person, story and day, so many of a network an hour, weighed."""
    votes: dict[tuple[int, bytes, int], tuple[datetime, int, int, bytes, int, str]] = {}
    for one in sorted(known, key=lambda one: (one[5] == "box", one[:2])):
        votes.setdefault((one[2], one[3], int(one[0].timestamp()) // 86_400), one)
    heard, value = Counter[tuple[int, int, int]](), Counter[int]()
    for at, _, article, _, network, channel in sorted(votes.values()):
        second = int(at.timestamp())
        if channel != "email":
            heard[article, network, second // 3600] += 1
            if heard[article, network, second // 3600] > cap:
                continue
        value[article] += worth[channel] * (second // 60 > MINUTE - 1440)
    return value


def test_a_tie_is_broken_by_the_latest_click_then_by_the_newer_story_then_by_the_id() -> None:
    old, new, late, twin = story(age_h=9), story(age_h=3), story(age_h=20), story(age_h=9)
    for one in (old, new, twin):
        clicked(one, n=4, ago_min=30)
    clicked(late, n=4, ago_min=10)
    rank.refresh(now=NOW)
    assert [one for one, _ in chart()] == [late.id, new.id, old.id, twin.id]


def test_opens_and_machines_never_rank() -> None:
    one = story()
    origin = Origin.objects.create(id=9, kind=Origin.Kind.EDITION, started_at=NOW)
    at = NOW - timedelta(hours=2)
    event(origin=origin, ordinal=1, article=one, at=at, kind="open", verdict="pending", agent=AGENT)
    event(origin=origin, ordinal=2, article=one, at=at, verdict="pending", agent="curl/8.9")
    settle(now=NOW)
    rank.refresh(now=NOW)
    assert chart() == [(one.id, 0)]
    assert Standing.objects.filter(chart__window="today").get().code == "newest"


def test_a_chart_keeps_its_version_while_nothing_changes() -> None:
    clicked(story(), n=3)
    rank.refresh(now=NOW)
    before = Chart.objects.get(window="today")
    standings = set(before.standings.values_list("id", flat=True))
    assert rank.refresh(now=NOW + timedelta(seconds=2)) == []
    after = Chart.objects.get(window="today")
    assert (after.version, after.changed_at) == (before.version, before.changed_at)
    assert after.computed_at == NOW + timedelta(seconds=2)
    assert set(after.standings.values_list("id", flat=True)) == standings, "the rows were not written again"


def test_a_worker_with_a_slow_clock_does_not_take_a_list_back_but_one_far_ahead_is_not_waited_for() -> None:
    one, other = story(), story()
    clicked(one, n=3)
    clicked(other, n=5, ago_min=0)
    rank.refresh(now=NOW)
    assert chart() == [(other.id, 5), (one.id, 3)]
    assert rank.refresh(now=NOW - timedelta(minutes=3)) == []
    assert Chart.objects.get(window="today", section="").computed_at == NOW
    Pin.objects.create(article=other, kind=Pin.Kind.BAN, created_at=NOW)
    rank.refresh(now=NOW - timedelta(minutes=3))
    assert chart() == [(one.id, 3)], "a hand on the list does not wait for the clock"
    Pin.objects.all().delete()
    rank.refresh(now=NOW - timedelta(minutes=3))
    rank.refresh(now=NOW - rank.SKEW - timedelta(seconds=1))
    assert [story for story, value in chart() if value] == []


def test_a_click_changes_the_charts_it_is_counted_in_and_no_other() -> None:
    first, second = story(), story()
    clicked(first, n=9)
    clicked(second, n=1)
    rank.refresh(now=NOW)
    clicked(first, n=1, ago_min=100)
    assert set(rank.refresh(now=NOW)) == {"today", "week", "trending"}
    assert chart("now")[0] == (first.id, 9)
    assert chart("today")[0] == (first.id, 10)


@pytest.mark.parametrize(
    "state", [Article.State.KILLED, Article.State.GONE, Article.State.HELD, Article.State.DUPLICATE]
)
def test_a_story_that_may_not_be_shown_leaves_at_the_next_look(state: str) -> None:
    gone, stays = story(), story()
    clicked(gone, n=9)
    clicked(stays, n=1)
    rank.refresh(now=NOW)
    assert chart()[0] == (gone.id, 9)
    Article.objects.filter(id=gone.id).update(state=state, killed_at=NOW)
    assert set(rank.refresh(now=NOW)) == set(rank.WINDOWS)
    assert not Standing.objects.filter(article=gone).exists()
    assert chart() == [(stays.id, 1)]


def test_a_cold_start_shows_the_newest_and_says_so() -> None:
    stories = [story(age_h=n) for n in range(1, 14)]
    story(age_h=24 * 40)
    rank.refresh(now=NOW)
    rows = Standing.objects.filter(chart__window="now").order_by("place")
    assert [row.article_id for row in rows] == [one.id for one in stories[: rank.SIZE]]
    assert {(row.code, row.counted_in, row.value) for row in rows} == {("newest", "newest", 0)}


def test_nothing_at_all_is_an_empty_chart_and_not_a_missing_one() -> None:
    rank.refresh(now=NOW)
    assert set(Chart.objects.values_list("window", flat=True)) == set(rank.WINDOWS)
    assert not Standing.objects.exists()


def hand(article: Article, kind: Pin.Kind, *, until: datetime | None = None, place: int = 1) -> None:
    Pin.objects.create(article=article, kind=kind, until=until, place=place, created_at=NOW)


def test_banned_stories_leave_room_for_as_many_others() -> None:
    stories = [story(age_h=n) for n in range(1, 16)]
    for one in stories[:4]:
        hand(one, Pin.Kind.BAN)
    rank.refresh(now=NOW)
    assert [one for one, _ in chart("now")] == [one.id for one in stories[4:14]]


def test_a_pin_stands_where_it_was_put_until_its_time() -> None:
    first, second, pinned = story(), story(), story()
    clicked(first, n=9)
    clicked(second, n=8)
    hand(pinned, Pin.Kind.PIN, until=NOW + timedelta(minutes=10), place=2)
    rank.refresh(now=NOW)
    assert [one for one, _ in chart()] == [first.id, pinned.id, second.id]
    assert Standing.objects.get(chart__window="today", place=2).code == "pinned"
    rank.refresh(now=NOW + timedelta(minutes=10))
    assert [one for one, _ in chart()] == [first.id, second.id, pinned.id]


def test_counts_that_leave_the_window_leave_the_chart() -> None:
    one = story()
    clicked(one, n=9, ago_min=59)
    rank.refresh(now=NOW)
    assert _codes("now") == ["counted"]
    rank.refresh(now=NOW + timedelta(minutes=1))
    assert _codes("now") == ["fallback"]
    rank.refresh(now=NOW + timedelta(days=8))
    assert _codes("week") == ["newest"]


def test_a_second_refresher_leaves_the_first_alone() -> None:
    known = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in {"dbname", "user", "host", "port"}
    }
    with psycopg.connect(**known) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [rank.LOCK])
        assert rank.refresh(now=NOW) == []
        assert not Chart.objects.exists()
    assert rank.refresh(now=NOW)


def _codes(window: str) -> Iterable[str]:
    return list(Standing.objects.filter(chart__window=window).order_by("place").values_list("code", flat=True))
