"""A limit on the processor time of one piece of work, so that hostile input fails alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: The first alarm may be swallowed: parsers hold `except Exception`. It rings again until the work is left.
RINGS_AGAIN_S = 0.5


class TooMuchCpu(Exception):
    """The work took more processor time than it was given; the message is one sentence."""


@contextmanager
def cpu_seconds(limit: float) -> Iterator[None]:
    """Raise TooMuchCpu inside the block once this process has spent `limit` seconds of CPU in it.

    Time spent waiting does not count. Python hands signals to the main thread only, so elsewhere (a threaded server,
    a test's helper thread) the block runs without a limit; Celery's prefork children work in their main thread. One
    long call into C (expat, lxml) is not cut short but ends in TooMuchCpu when it returns; what never returns is the
    task's hard time limit's business, and its look's claim sees to it that it is not repeated at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def over(_signum: int, _frame: FrameType | None) -> None:
        if armed:
            raise TooMuchCpu(f"it took more than {limit:g} s of processor time")

    handler = signal.signal(signal.SIGPROF, over)
    timer = signal.setitimer(signal.ITIMER_PROF, limit, RINGS_AGAIN_S)
    try:
        try:
            yield
        finally:
            armed = False
    finally:
        signal.setitimer(signal.ITIMER_PROF, *timer)
        signal.signal(signal.SIGPROF, handler)
