"""What is done to a rig: each fault is a function that does it and returns how many messages it may leave in doubt."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable

import redis

from pipeline.delivery.batches.claims import LEASE_S
from tests.chaos.rig import CONNECTIONS, Rig

Fault = Callable[[Rig, random.Random], int]
CLOCK_STEPS_S = (7200, -7200, 0)


def kill_child(rig: Rig, dice: random.Random) -> int:
    """kill -9 of one sending process."""
    children = _children(rig)
    if not children:
        return 0
    _kill(dice.choice(children))
    return CONNECTIONS


def kill_family(rig: Rig, _dice: random.Random) -> int:
    """kill -9 of the senders' parent; its children follow, by their supervisor's hand."""
    families = {parent: children for parent, children in rig.senders().items() if children}
    for parent in families:
        _kill(parent)
    return CONNECTIONS * sum(len(children) for children in families.values())


def kill_worker(rig: Rig, _dice: random.Random) -> int:
    """kill -9 of those who sweep, and of the beat: nobody of them holds a batch."""
    for pid in rig.processes(b"worker@") + rig.processes(b"beat"):
        _kill(pid)
    return 0


def stop_and_continue(rig: Rig, dice: random.Random) -> int:
    """A sending process stands still until its lease is over, and goes on as if nothing had been."""
    children = _children(rig)
    if children:
        pid = dice.choice(children)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        threading.Timer(LEASE_S + dice.uniform(0.5, 3), _continue, [pid]).start()
    return 0


def flush_broker(rig: Rig, _dice: random.Random) -> int:
    rig.redis().flushall()
    return 0


def kill_broker(rig: Rig, _dice: random.Random) -> int:
    with contextlib.suppress(redis.RedisError):
        pid = int(rig.redis().info("server")["process_id"])
        _kill(pid)
    rig.broker.stop()
    rig.broker.start()
    return 0


def restart_postgres(rig: Rig, _dice: random.Random) -> int:
    """An immediate shutdown, as after a crash; it comes back from its log. Whoever was submitting stops in the middle."""
    pid = int((rig.postgres.config.data_dir / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    sending = len(_children(rig))
    os.kill(pid, signal.SIGQUIT)
    rig.postgres.stop()
    rig.postgres.start()
    return CONNECTIONS * sending


def reset_sink(rig: Rig, _dice: random.Random) -> int:
    rig.tell_sink("reset")
    return CONNECTIONS * len(_children(rig))


def half_open_broker(rig: Rig, _dice: random.Random) -> int:
    rig.wire.half_open()
    return 0


def step_clocks(rig: Rig, dice: random.Random) -> int:
    """The wall clocks of half of all processes jump; the database's does not."""
    (rig.root / "clock").write_text(str(dice.choice(CLOCK_STEPS_S)))
    return 0


def _children(rig: Rig) -> list[int]:
    return sorted(child for children in rig.senders().values() for child in children)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _continue(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
