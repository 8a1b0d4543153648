"""The four lists against a recount that knows nothing of running sums."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import isclose, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ranking.score import Board, Count, Ranked, Window, instant_of, minute_of, rank, surprise

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
M = minute_of(NOON)
WEIGHTS = {"mail": 1, "site": 2}
PUBLISHED = {article: NOON - timedelta(hours=article % 4) for article in range(0, 40, 2)}


def recount(counts: list[Count], minute: int, window: Window, published: dict[int, datetime]) -> list[Ranked]:
    """The definitions, read aloud: O(events), fractions, no state."""
    cells: Counter[tuple[int, int]] = Counter()
    for one in counts:
        cells[one.article_id, one.minute] += one.n * WEIGHTS.get(one.channel, 0)
    values = trending(cells, minute) if window is Window.TRENDING else windowed(cells, minute, window)
    counted = sorted((t, article) for (article, t), n in cells.items() if n > 0 and t <= minute)
    last = {article: t for t, article in counted}
    found = []
    for article, value in values.items():
        if value > 0:
            latest = last[article]
            age = -published[article].timestamp() if article in published else float("inf")
            found.append(((-value, -latest, age, article), Ranked(article, value, latest)))
    return [ranked for _, ranked in sorted(found, key=lambda pair: pair[0])]


def windowed(cells: Counter[tuple[int, int]], minute: int, window: Window) -> Counter[int]:
    values: Counter[int] = Counter()
    for (article, t), n in cells.items():
        inside = {
            Window.NOW: minute - 60 < t <= minute,
            Window.TODAY: minute - 1440 < t <= minute,
            Window.WEEK: minute // 60 - 168 < t // 60 and t <= minute,
        }
        if inside[window]:
            values[article] += n
    return values


def trending(cells: Counter[tuple[int, int]], minute: int) -> dict[int, int]:
    x, usual = halved(cells, minute, 20, 400), halved(cells, minute, 360, 1440)
    return {
        article: surprise(float(value), float(usual.get(article, Fraction(0))) * SCALE)
        for article, value in x.items()
        if value >= 5
    }


#: a steady count a minute must be just what the last day leads us to expect
SCALE = sum(2 ** (-ago / 20) for ago in range(400)) / sum(2 ** (-ago / 360) for ago in range(1440))


def halved(cells: Counter[tuple[int, int]], minute: int, half_life: int, span: int) -> dict[int, Fraction]:
    def weight(t: int) -> Fraction:
        return Fraction(round(2 ** (t % half_life / half_life) * 2**24)) * Fraction(2) ** (
            t // half_life - minute // half_life
        )

    sums: dict[int, Fraction] = {}
    for (article, t), n in cells.items():
        if minute - span < t <= minute:
            sums[article] = sums.get(article, Fraction(0)) + n * weight(t) / weight(minute)
    return sums


def oldest(minute: int) -> int:
    """What is older has left every list and is forgotten, even should the board be moved back."""
    return (minute // 60 - 167) * 60


# Minutes cluster where windows open and close
minutes = st.sampled_from(
    [0, 59, 60, 61, 399, 400, 1439, 1440, 1441, 167 * 60, 168 * 60, 168 * 60 + 59, 169 * 60 + 59, -1, -45]
)
counts = st.builds(
    Count,
    st.integers(0, 6),
    st.builds(lambda ago, jitter: M - ago + jitter, minutes, st.integers(-2, 2)),
    st.sampled_from(["mail", "site", "open"]),
    st.sampled_from([1, 1, 2, 9, -1]),
)
steps = st.lists(st.integers(0, 70) | st.sampled_from([181, 1500, 168 * 60, -30]), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(counts, max_size=12), min_size=1, max_size=5), steps)
def test_a_board_that_moves_on_equals_a_recount(batches: list[list[Count]], moves: list[int]) -> None:
    board, told, minute = Board(weights=WEIGHTS), list[Count](), M
    board.move(minute)
    for batch, move in zip(batches, [*moves, 0, 0, 0, 0, 0], strict=False):
        board.add(batch)
        told += batch
        told = [one for one in told if one.minute >= oldest(minute)]
        minute += move
        board.move(minute)
        told = [one for one in told if one.minute >= oldest(minute)]
        for window in Window:
            assert board.top(window, published=PUBLISHED) == recount(told, minute, window, PUBLISHED)


@pytest.mark.parametrize(
    ("window", "ago", "inside"),
    [
        (Window.NOW, 0, True),
        (Window.NOW, 59, True),
        (Window.NOW, 60, False),
        (Window.TODAY, 1439, True),
        (Window.TODAY, 1440, False),
        (Window.WEEK, 167 * 60, True),
        (Window.WEEK, 167 * 60 + 1, False),
        (Window.NOW, -1, False),
        (Window.WEEK, -1, False),
    ],
)
def test_a_window_holds_exactly_its_minutes(window: Window, ago: int, inside: bool) -> None:
    ranked = rank([Count(7, M - ago, "mail", 1)], at=NOON, window=window, weights=WEIGHTS)
    assert ranked == ([Ranked(7, 1, M - ago)] if inside else [])


def test_the_week_is_counted_in_whole_hours() -> None:
    late = NOON + timedelta(minutes=59)
    first_of_window = Count(7, minute_of(NOON) - 167 * 60, "mail", 1)
    assert rank([first_of_window], at=late, window=Window.WEEK, weights=WEIGHTS)
    assert not rank([first_of_window], at=late + timedelta(minutes=1), window=Window.WEEK, weights=WEIGHTS)


def test_ties_go_to_the_latest_count_then_the_newest_then_the_lowest_id() -> None:
    counted = [Count(5, M - 1, "mail", 3), Count(4, M - 2, "mail", 3), Count(3, M - 2, "mail", 3)]
    counted += [Count(2, M - 2, "mail", 3), Count(1, M - 2, "mail", 3), Count(9, M, "site", 1)]
    published = {4: NOON - timedelta(days=1), 3: NOON - timedelta(days=2)}
    ranked = rank(counted, at=NOON, window=Window.NOW, weights=WEIGHTS, published=published)
    assert [one.article_id for one in ranked] == [5, 4, 3, 1, 2, 9]


def test_taking_back_a_count_takes_back_its_minute() -> None:
    board = Board(weights=WEIGHTS)
    board.move(M)
    board.add([Count(1, M - 5, "mail", 1), Count(1, M - 1, "mail", 1), Count(1, M - 1, "mail", -1)])
    assert board.top(Window.NOW) == [Ranked(1, 1, M - 5)]
    board.add([Count(1, M - 5, "mail", -1)])
    assert board.top(Window.NOW) == []


def test_a_sum_that_passes_through_nothing_comes_back() -> None:
    board = Board(weights=WEIGHTS)
    board.move(M)
    told = [Count(1, M, "mail", 1), Count(1, M + 60, "mail", -1), Count(1, M + 120, "mail", 2)]
    board.add(told)
    for minute in range(M, M + 170 * 60, 60):
        board.move(minute)
        kept = [one for one in told if one.minute >= oldest(minute)]
        assert board.top(Window.WEEK) == recount(kept, minute, Window.WEEK, {})


def test_channels_without_a_weight_do_not_count() -> None:
    assert rank([Count(1, M, "open", 50)], at=NOON, window=Window.NOW, weights=WEIGHTS) == []


def test_a_limit_cuts_after_the_ties_are_broken() -> None:
    counted = [Count(article, M - article, "mail", 1) for article in range(30)]
    board = Board(weights=WEIGHTS)
    board.move(M)
    board.add(counted)
    assert board.top(Window.NOW, limit=3) == board.top(Window.NOW)[:3]
    assert [one.article_id for one in board.top(Window.NOW, limit=3)] == [0, 1, 2]
    assert board.top(Window.NOW, limit=0) == []


def test_a_count_for_a_coming_minute_waits_for_it() -> None:
    board = Board(weights=WEIGHTS)
    board.move(M)
    board.add([Count(1, M + 2, "mail", 1)])
    assert board.top(Window.NOW) == []
    board.move(M + 2)
    assert board.top(Window.NOW) == [Ranked(1, 1, M + 2)]


def test_halving_in_whole_numbers_is_halving() -> None:
    chance = random.Random(7)
    counted = [Count(1, M - chance.randrange(400), "mail", 1) for _ in range(2000)]
    x = sum(one.n * 2 ** (-(M - one.minute) / 20) for one in counted)
    usual = sum(one.n * 2 ** (-(M - one.minute) / 360) for one in counted) * SCALE
    z = 2 * sqrt(2) * (sqrt(x + 0.375) - sqrt(max(usual, 2) + 0.375))
    ranked = rank(counted, at=NOON, window=Window.TRENDING, weights=WEIGHTS)
    assert isclose(ranked[0].value, 1000 * z, abs_tol=1.01)


def test_a_sudden_story_trends_and_a_steady_giant_does_not() -> None:
    giant = [Count(1, M - ago, "mail", 20) for ago in range(1440)]
    sudden = [Count(2, M - ago, "mail", 4) for ago in range(15)]
    whisper = [Count(3, M, "mail", 4)]
    counted = giant + sudden + whisper
    assert [one.article_id for one in rank(counted, at=NOON, window=Window.TRENDING, weights=WEIGHTS)] == [2]
    assert rank(counted, at=NOON, window=Window.NOW, weights=WEIGHTS)[0].article_id == 1


def test_sums_stay_small_over_a_month() -> None:
    board = Board(weights=WEIGHTS)
    board.move(M)
    for hour in range(24 * 30):
        board.add([Count(hour % 7, M + hour * 60, "mail", 3)])
        board.move(M + hour * 60 + 60)
    assert max(board._trend.sums.values(), default=0) < 2**64
    assert len(board._cells) <= 169
    kept = [Count(h % 7, M + h * 60, "mail", 3) for h in range(24 * 30)]
    assert board.top(Window.WEEK) == recount(kept, board.minute, Window.WEEK, {})


def test_minutes_and_instants_agree() -> None:
    assert minute_of(instant_of(M) + timedelta(seconds=59, microseconds=999_999)) == M
    assert minute_of(datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC)) == -1


@pytest.mark.parametrize("limit", [None, 50])
def test_a_busy_week_equals_a_recount(limit: int | None) -> None:
    chance = random.Random(11)
    counted = [
        Count(int(chance.paretovariate(0.8)) % 400, M - int(chance.expovariate(1 / 3000)), "mail", 1)
        for _ in range(20_000)
    ]
    board = Board(weights=WEIGHTS)
    board.move(M - 100)
    chance.shuffle(counted)
    board.add(counted[:15_000])
    board.move(M)
    board.add(counted[15_000:])
    for window in Window:
        assert board.top(window, limit=limit) == recount(counted, M, window, {})[:limit]
