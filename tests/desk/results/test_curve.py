from __future__ import annotations

import pytest

from pipeline.desk.results import curve


@pytest.mark.parametrize("clicks", [[], [(100, 19)]])
def test_too_few_clicks_make_no_curve(clicks: list[tuple[int, int]]) -> None:
    assert curve.of(clicks, start=100) is None


def test_half_of_all_clicks_is_when_half_of_them_had_come() -> None:
    drawn = curve.of([(100, 10), (144, 10), (400, 20)], start=100)
    assert drawn is not None
    assert drawn.half_min == 45
    assert [(point.after, point.n) for point in drawn.points[:4]] == [
        ("0", 0),
        ("10 min", 10),
        ("30 min", 10),
        ("1 h", 20),
    ]
    assert drawn.points[3].x > drawn.half_x > drawn.points[2].x


def test_a_curve_ends_on_top_where_all_came_in_time_and_below_where_some_came_later() -> None:
    early, late = curve.of([(100, 40)], start=100), curve.of([(100, 30), (9000, 10)], start=100)
    assert early is not None
    assert late is not None
    assert (early.points[-1].y, early.points[-1].share) == (curve.TOP, 100)
    assert late.points[-1].share == 75
    assert late.points[-1].y > curve.TOP
