"""Work that eats the processor is cut off, and nothing else is."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from pipeline.kernel.limits import TooMuchCpu, cpu_seconds


def burn(seconds: float) -> None:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        sum(range(500))


def test_work_that_never_ends_is_cut_off_with_a_sentence() -> None:
    started = time.process_time()
    with pytest.raises(TooMuchCpu, match=r"more than 0\.2 s of processor time"), cpu_seconds(0.2):
        burn(30)
    assert time.process_time() - started < 3


def test_a_parser_that_swallows_the_alarm_is_rung_again() -> None:
    swallowed = 0
    with pytest.raises(TooMuchCpu), cpu_seconds(0.1):
        try:
            burn(30)
        except Exception:
            swallowed += 1
        burn(30)
    assert swallowed == 1


def test_waiting_costs_nothing() -> None:
    with cpu_seconds(0.1):
        time.sleep(0.4)


def test_the_alarm_and_its_handler_are_put_back() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(TooMuchCpu), cpu_seconds(0.05):
        burn(10)
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    burn(0.1)


def test_an_error_of_the_work_itself_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), cpu_seconds(5):
        1 / 0  # noqa: B018
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_off_the_main_thread_there_is_no_limit_and_no_fault() -> None:
    ended: list[str] = []

    def work() -> None:
        with cpu_seconds(0.01):
            burn(0.1)
        ended.append("well")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert ended == ["well"]
