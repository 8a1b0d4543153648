"""Ends what outlived its owner: `python -I warden.py SECONDS`, told of process groups on its standard input.

A tethered program is asked to stop when its owner dies, and may still hang on its way out: a worker whose broker went
at the same moment waits for an answer that nobody will give (30 s and more, seen once on a slow machine), and keeps
its port from the next start. The kernel asks only once, so this process asks a second time, with SIGKILL.
The end of standard input is the owner's end, however it came: the kernel closes a dead process's pipes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO


class Warden:
    """The process beside us. `watch` and `forget` tell it of groups; `dismiss` ends it once all of them are gone."""

    def __init__(self, *, patience_s: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__)), str(patience_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def watch(self, group: int) -> None:
        """End this process group too, should we die before it does."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """This group is gone, and its number may become somebody else's."""
        self._tell(f"-{group}")

    def dismiss(self) -> None:
        """Our own end in good order: whatever is still watched has its time, then the warden is gone."""
        with contextlib.suppress(BrokenPipeError):
            _input(self._process).close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        pipe = _input(self._process)
        with contextlib.suppress(BrokenPipeError):  # a warden that was killed is missed, not mourned
            pipe.write(line + "\n")
            pipe.flush()


def _input(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdin is None:
        raise ValueError("a warden is started with a pipe")
    return process.stdin


def _watched(lines: IO[str]) -> set[int]:
    """The groups to end, once nobody can tell of more."""
    groups: set[int] = set()
    for line in lines:
        sign, number = line[0], int(line[1:])
        (groups.add if sign == "+" else groups.discard)(number)
    return groups


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # runs as somebody else, so it runs
        return True
    return True


def _main(patience_s: float) -> None:
    groups = _watched(sys.stdin)
    deadline = time.monotonic() + patience_s
    while (groups := {group for group in groups if _lives(group)}) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _main(float(sys.argv[1]))
