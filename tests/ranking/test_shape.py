"""A list worth showing: age, variety, pins, bans, and honest ways of never being empty."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.score import Ranked, Window
from pipeline.ranking.shape import CODES, NEWEST, Ban, Facts, Limits, Pin, Placed, fell_back_to, shape

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOON, PAST = AT + timedelta(minutes=1), AT


def facts(section: str = "", *, days: float = 1, live: bool = True, cluster: str = "") -> Facts:
    return Facts(AT - timedelta(days=days), section, live, cluster)


def ranked(*articles: int, top: int = 100) -> list[Ranked]:
    return [Ranked(article, top - place, 0) for place, article in enumerate(articles)]


def ids(places: list[Placed]) -> list[int]:
    return [place.article_id for place in places]


def plain(*articles: int) -> dict[int, Facts]:
    return {article: facts() for article in articles}


def test_a_plain_ranking_is_shown_as_it_is() -> None:
    shaped = shape({Window.NOW: ranked(3, 1, 2)}, articles=plain(1, 2, 3), at=AT, size=3, window=Window.NOW)
    assert shaped == [
        Placed(1, 3, 100, "", "counted", "now"),
        Placed(2, 1, 99, "", "counted", "now"),
        Placed(3, 2, 98, "", "counted", "now"),
    ]
    assert fell_back_to(shaped, window=Window.NOW) == "now"


@pytest.mark.parametrize(
    "unfit",
    [facts(live=False), facts(days=-0.1), None],
    ids=["killed", "not yet published", "unknown"],
)
def test_what_may_not_be_shown_is_left_out_even_pinned(unfit: Facts | None) -> None:
    articles = plain(2, 3) | ({1: unfit} if unfit else {})
    shaped = shape({Window.NOW: ranked(1, 2)}, articles=articles, at=AT, size=2, window=Window.NOW, pins=[Pin(1)])
    assert ids(shaped) == [2, 3]


def test_a_section_has_two_of_the_first_five_and_three_of_the_first_ten() -> None:
    articles = {n: facts("politics") for n in range(1, 7)} | {n: facts(f"s{n}") for n in range(7, 15)}
    shaped = shape({Window.NOW: ranked(*range(1, 15))}, articles=articles, at=AT, size=12, window=Window.NOW)
    assert ids(shaped) == [1, 2, 7, 8, 9, 3, 10, 11, 12, 13, 4, 5]
    assert [place.code for place in shaped][:3] == ["counted", "counted", "varied"]


def test_variety_gives_way_before_a_longer_window_or_an_empty_place() -> None:
    articles = {n: facts("politics") for n in range(1, 9)}
    lists = {Window.NOW: ranked(1, 2, 3, 4), Window.TODAY: ranked(5, 6)}
    shaped = shape(lists, articles=articles, at=AT, size=5, window=Window.NOW)
    assert ids(shaped) == [1, 2, 3, 4, 5]
    assert [place.code for place in shaped] == ["counted", "counted", "relaxed", "relaxed", "fallback"]


def test_one_event_has_one_place() -> None:
    articles = plain(4) | {1: facts(cluster="quake"), 2: facts(cluster="quake"), 3: facts(cluster="vote")}
    shaped = shape({Window.NOW: ranked(1, 2, 3, 4)}, articles=articles, at=AT, size=4, window=Window.NOW)
    assert ids(shaped) == [1, 3, 4]


def test_a_cold_start_says_where_it_looked_instead() -> None:
    articles = {n: facts(days=n) for n in range(1, 8)}
    lists = {Window.NOW: ranked(7), Window.TODAY: ranked(7, 6), Window.WEEK: ranked(6, 5)}
    shaped = shape(lists, articles=articles, at=AT, size=5, window=Window.NOW)
    assert [(place.article_id, place.counted_in, place.code) for place in shaped] == [
        (7, "now", "counted"),
        (6, "today", "fallback"),
        (5, "week", "fallback"),
        (1, NEWEST, NEWEST),
        (2, NEWEST, NEWEST),
    ]
    assert fell_back_to(shaped, window=Window.NOW) == NEWEST
    assert fell_back_to(shaped[:2], window=Window.NOW) == "today"


def test_trending_falls_back_to_now_first() -> None:
    lists = {Window.NOW: ranked(2), Window.WEEK: ranked(3)}
    shaped = shape(lists, articles=plain(1, 2, 3), at=AT, size=2, window=Window.TRENDING)
    assert [place.counted_in for place in shaped] == ["now", "week"]


def test_a_week_without_readers_shows_the_newest() -> None:
    articles = {1: facts(days=3), 2: facts(days=1), 3: facts(days=1), 4: facts(days=900)}
    shaped = shape({}, articles=articles, at=AT, size=4, window=Window.WEEK)
    assert ids(shaped) == [2, 3, 1, 4]
    assert {place.code for place in shaped} == {NEWEST}


def test_an_old_story_stays_out_unless_it_truly_surges_and_then_says_so() -> None:
    articles = {1: Facts(datetime(2019, 4, 1, tzinfo=UTC))} | plain(2, 3)
    near = {Window.NOW: [Ranked(1, 19, 0), Ranked(2, 10, 0), Ranked(3, 1, 0)]}
    far = {Window.NOW: [Ranked(1, 20, 0), Ranked(2, 10, 0), Ranked(3, 1, 0)]}
    assert ids(shape(near, articles=articles, at=AT, size=2, window=Window.NOW)) == [2, 3]
    surging = shape(far, articles=articles, at=AT, size=2, window=Window.NOW)
    assert [(place.article_id, place.label) for place in surging] == [(1, "from 2019"), (2, "")]


@pytest.mark.parametrize(
    ("published_at", "label"),
    [
        (AT - timedelta(days=60), ""),
        (AT - timedelta(days=61), "from September"),
        (datetime(2026, 1, 1, tzinfo=UTC), "from January"),
        (datetime(2025, 12, 31, tzinfo=UTC), "from 2025"),
    ],
)
def test_age_is_told_in_the_label(published_at: datetime, label: str) -> None:
    articles = {1: Facts(published_at)}
    assert shape({}, articles=articles, at=AT, size=1, window=Window.NOW)[0].label == label


def test_pins_stand_where_they_were_put_until_they_expire() -> None:
    def list_with(*pins: Pin) -> list[int]:
        lists = {Window.NOW: ranked(1, 2, 3, 4)}
        return ids(shape(lists, articles=plain(*range(1, 8)), at=AT, size=4, window=Window.NOW, pins=pins))

    assert list_with(Pin(7, 1)) == [7, 1, 2, 3]
    assert list_with(Pin(3, 1, SOON)) == [3, 1, 2, 4]
    assert list_with(Pin(3, 1, PAST)) == [1, 2, 3, 4]
    assert list_with(Pin(7, 3), Pin(6, 3)) == [1, 2, 6, 7]
    assert list_with(Pin(7, 2), Pin(7, 3)) == [1, 7, 2, 3]
    assert list_with(Pin(7, 9)) == [1, 2, 3, 4]
    assert list_with(Pin(7, 0)) == [7, 1, 2, 3]


def test_a_pin_keeps_its_count_and_says_what_it_is() -> None:
    shaped = shape({Window.NOW: ranked(1, 2)}, articles=plain(1, 2), at=AT, size=2, window=Window.NOW, pins=[Pin(2)])
    assert shaped[0] == Placed(1, 2, 99, "", "pinned", "now")


def test_a_pin_below_the_end_of_a_short_list_moves_up() -> None:
    shaped = shape({}, articles=plain(1, 2), at=AT, size=10, window=Window.NOW, pins=[Pin(1, 8)])
    assert [(place.place, place.article_id) for place in shaped] == [(1, 2), (2, 1)]


def test_a_ban_is_stronger_than_a_pin_until_it_expires() -> None:
    def list_with(ban: Ban) -> list[int]:
        lists = {Window.NOW: ranked(1, 2)}
        articles = plain(1, 2, 3)
        return ids(shape(lists, articles=articles, at=AT, size=2, window=Window.NOW, pins=[Pin(1)], bans=[ban]))

    assert list_with(Ban(1)) == [2, 3]
    assert list_with(Ban(1, SOON)) == [2, 3]
    assert list_with(Ban(1, PAST)) == [1, 2]


articles_of = st.dictionaries(
    st.integers(0, 30),
    st.builds(
        facts,
        st.sampled_from(["", "politics", "trade"]),
        days=st.sampled_from([-1, 0.5, 3, 20, 100, 2000]),
        live=st.booleans(),
        cluster=st.sampled_from(["", "", "quake"]),
    ),
    max_size=30,
)
lists_of = st.dictionaries(
    st.sampled_from(Window), st.lists(st.integers(0, 30), unique=True, max_size=20).map(lambda a: ranked(*a))
)


@given(
    lists=lists_of,
    articles=articles_of,
    window=st.sampled_from(Window),
    size=st.integers(0, 12),
    pins=st.lists(st.builds(Pin, st.integers(0, 30), st.integers(-1, 14)), max_size=3),
    bans=st.lists(st.builds(Ban, st.integers(0, 30)), max_size=3),
)
def test_whatever_is_asked_the_list_keeps_its_rules(
    *,
    lists: dict[Window, list[Ranked]],
    articles: dict[int, Facts],
    window: Window,
    size: int,
    pins: list[Pin],
    bans: list[Ban],
) -> None:
    shaped = shape(lists, articles=articles, at=AT, size=size, window=window, pins=pins, bans=bans)
    chosen = ids(shaped)
    banned = {ban.article_id for ban in bans}
    fit = {a for a, known in articles.items() if known.live and known.published_at <= AT and a not in banned}
    events = {articles[article].cluster or article for article in fit}
    assert len(shaped) == min(size, len(events))
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= fit
    assert [place.place for place in shaped] == list(range(1, len(shaped) + 1))
    assert {place.code for place in shaped} <= set(CODES)
    if all(place.code in {"counted", "varied"} for place in shaped):
        for first, most in Limits().shares:
            sections = Counter(articles[article].section for article in chosen[:first])
            assert all(count <= most for section, count in sections.items() if section)
