"""One network may have so much counted; time gives it back; others are not touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking.limits import Allowance


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_crowd_is_taken_at_once_and_no_more() -> None:
    allowance = Allowance(at_once=5, per_s=2.0, clock=Clock())
    assert [allowance.takes("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert allowance.takes("b")


def test_a_second_gives_back_what_it_is_worth() -> None:
    clock = Clock()
    allowance = Allowance(at_once=5, per_s=2.0, clock=clock)
    for _ in range(50):
        allowance.takes("a")
    clock.now += 1.0
    assert [allowance.takes("a") for _ in range(3)] == [True, True, False]


@given(steps=st.lists(st.floats(0, 2), max_size=200))
def test_never_more_than_the_burst_and_the_rate(steps: list[float]) -> None:
    clock = Clock()
    allowance = Allowance(at_once=5, per_s=2.0, clock=clock)
    taken = 0
    for step in steps:
        clock.now += step
        taken += allowance.takes("a")
    assert taken <= 5 + 2.0 * sum(steps) + 1


def test_memory_is_bounded_and_who_is_over_the_limit_is_remembered() -> None:
    clock = Clock()
    allowance = Allowance(at_once=5, per_s=2.0, most_keys=100, clock=clock)
    for number in range(99):
        allowance.takes(number)
    clock.now += 2.0
    for _ in range(9):
        allowance.takes("loud")
    allowance.takes("one more")
    assert len(allowance) <= 100
    assert not allowance.takes("loud")
