"""Start a program that dies with us: `python -I tether.py PARENT SIGNAL UID GID PROGRAM ARGS...`.

A child of a process killed with -9 lives on as an orphan unless the kernel is told otherwise
(measured: both engines survived without this). PR_SET_PDEATHSIG is cleared when the
user id changes, so it is set after that; the parent may die in between, so that is checked last.
On systems without prctl the program is simply started; the supervisor's own stop still ends it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def command(program: list[str], *, sign: signal.Signals = signal.SIGTERM, uid: int = -1, gid: int = -1) -> list[str]:
    """The argv that runs `program` tethered to the calling process; a negative id leaves it as it is."""
    ids = [str(os.getpid()), str(int(sign)), str(uid), str(gid)]
    return [sys.executable, "-I", str(Path(__file__)), *ids, *program]


def _tie(*, parent: int, sign: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sign, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _become(*, uid: int, gid: int) -> None:
    if gid >= 0:
        os.setgroups([])
        os.setgid(gid)
    if uid >= 0:
        os.setuid(uid)


def _main(arguments: list[str]) -> None:
    parent, sign, uid, gid = (int(value) for value in arguments[:4])
    _become(uid=uid, gid=gid)
    _tie(parent=parent, sign=sign)
    os.execvp(arguments[4], arguments[4:])  # noqa: S606 - replacing ourselves is the point


if __name__ == "__main__":
    _main(sys.argv[1:])
