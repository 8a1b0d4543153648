"""Programs kept running together: started again when they die, stopped with everything they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.kernel.config import ROOT
from pipeline.kernel.processes.faults import PortTaken
from pipeline.kernel.processes.supervisor import Process, Supervisor, free_port

SLEEPER = "import time\nprint('awake', flush=True)\ntime.sleep(600)"
#: Starts a grandchild that ignores everything but -9, tells its number, and sleeps.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import signal, time\\nsignal.signal(15, signal.SIG_IGN)\\ntime.sleep(600)"])
print("grandchild", child.pid, flush=True)
time.sleep(600)
"""
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
KEEPER = """
import sys, time
from pipeline.kernel.processes import supervisor
from pipeline.kernel.processes.supervisor import Process, Supervisor
supervisor.STOP_WITHIN_S = 0.3
made = Supervisor(environ={}, say=lambda name, line: print(line, flush=True))
made.start([Process("sleeper", [sys.executable, "-c", sys.argv[1]])])
print("pid", made.pid("sleeper"), flush=True)
time.sleep(600)
"""


class Heard:
    """What the programs said, by name."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def of(self, name: str) -> list[str]:
        return [line for said_by, line in self.lines if said_by == name]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def supervisor(heard: Heard) -> Iterator[Supervisor]:
    made = Supervisor(environ={"PATH": os.environ["PATH"], "GREETING": "hello"}, say=heard)
    yield made
    made.stop()


def program(name: str, source: str, *, port: int | None = None) -> Process:
    return Process(name, [sys.executable, "-c", source], port=port)


def until(holds: Callable[[], object], *, within_s: float = 10, meanwhile: Callable[[], None] = lambda: None) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    """Running, and not a zombie that waits to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_line_is_passed_on_under_its_programs_name(supervisor: Supervisor, heard: Heard) -> None:
    loud = "import os, sys\nprint('out', os.environ['GREETING'], flush=True)\nprint('err', file=sys.stderr)\nimport time\ntime.sleep(600)"
    supervisor.start([program("one", loud), program("two", SLEEPER)])
    assert until(lambda: len(heard.lines) == 3)
    assert heard.of("one") == ["out hello", "err"]
    assert heard.of("two") == ["awake"]


def test_a_program_that_dies_is_started_again_after_a_pause(supervisor: Supervisor, heard: Heard) -> None:
    supervisor.start([program("worker", SLEEPER)])
    assert until(lambda: heard.of("worker"))
    first = supervisor.pid("worker")
    os.kill(first, signal.SIGKILL)
    assert until(lambda: supervisor.pid("worker") != first, meanwhile=supervisor.tend)
    assert until(lambda: heard.of("worker").count("awake") == 2)
    assert "ended (killed by SIGKILL); starting it again in 0.5 s" in heard.of("worker")


def test_the_pause_grows_while_it_keeps_dying(supervisor: Supervisor, heard: Heard) -> None:
    supervisor.start([program("flapping", "raise SystemExit(3)")])
    assert until(lambda: len(heard.of("flapping")) == 3, meanwhile=supervisor.tend)
    assert heard.of("flapping") == [
        f"ended (exit code 3); starting it again in {pause} s" for pause in ("0.5", "1", "2")
    ]


def test_one_that_dies_costs_the_others_nothing(supervisor: Supervisor, heard: Heard) -> None:
    supervisor.start([program("steady", SLEEPER), program("flapping", "raise SystemExit(0)")])
    steady = supervisor.pid("steady")
    assert until(lambda: len(heard.of("flapping")) == 2, meanwhile=supervisor.tend)
    assert supervisor.pid("steady") == steady
    assert alive(steady)


def test_what_a_dead_program_left_behind_is_ended_before_it_starts_again(supervisor: Supervisor, heard: Heard) -> None:
    """A grandchild would keep the port of the one to come."""
    supervisor.start([program("web", PARENT)])
    assert until(lambda: heard.of("web"))
    grandchild = int(heard.of("web")[0].split()[1])
    first = supervisor.pid("web")
    os.kill(first, signal.SIGKILL)
    assert until(lambda: supervisor.pid("web") != first, meanwhile=supervisor.tend)
    assert until(lambda: not alive(grandchild))


def test_stopping_ends_every_program_and_all_they_started(supervisor: Supervisor, heard: Heard) -> None:
    supervisor.start([program("web", PARENT), program("worker", SLEEPER)])
    assert until(lambda: len(heard.lines) == 2)
    pids = [supervisor.pid("web"), supervisor.pid("worker"), int(heard.of("web")[0].split()[1])]
    assert all(map(alive, pids))
    supervisor.stop()
    assert until(lambda: not any(map(alive, pids)))
    supervisor.tend()
    assert not any(map(alive, pids)), "nothing is started again"


def test_one_that_does_not_listen_is_killed_and_that_is_said(
    supervisor: Supervisor, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.kernel.processes.supervisor.STOP_WITHIN_S", 0.3)
    supervisor.start([program("deaf", DEAF)])
    assert until(lambda: heard.of("deaf"))
    pid = supervisor.pid("deaf")
    supervisor.stop()
    assert until(lambda: not alive(pid))
    assert "did not stop in time and was killed" in heard.of("deaf")


@pytest.mark.parametrize("source", [SLEEPER, DEAF], ids=["that listen", "that do not"])
def test_programs_do_not_outlive_a_supervisor_killed_outright(source: str) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER, source], env=environ, stdout=subprocess.PIPE, text=True)
    assert keeper.stdout is not None
    said = [keeper.stdout.readline() for _ in range(2)]  # the sleeper is awake, the deaf one is deaf
    pid = int(next(line for line in said if line.startswith("pid")).split()[1])
    assert alive(pid)
    os.kill(keeper.pid, signal.SIGKILL)
    keeper.communicate()
    assert until(lambda: not alive(pid))


def test_the_warden_is_gone_once_all_are_stopped(supervisor: Supervisor, heard: Heard) -> None:
    supervisor.start([program("worker", SLEEPER)])
    assert until(lambda: heard.of("worker"))
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    beside = [pid for pid in map(int, children.read_text().split()) if pid != supervisor.pid("worker")]
    wardens = [pid for pid in beside if b"warden.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(wardens) == 1
    supervisor.stop()
    assert not alive(wardens[0])


def test_a_port_that_is_taken_is_said_before_anything_starts(supervisor: Supervisor, heard: Heard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken) as taken:
            supervisor.start([program("worker", SLEEPER), program("web", SLEEPER, port=port)])
    assert f"port {port} is taken" in str(taken.value)
    assert "Nothing was started." in str(taken.value)
    assert "DATELINE_WEB_PORT" in str(taken.value)
    time.sleep(0.3)
    assert heard.lines == []


def test_a_free_port_is_the_wanted_one_or_another() -> None:
    wanted = free_port(0)
    assert free_port(wanted) == wanted
    with socket.create_server(("127.0.0.1", wanted)):
        assert free_port(wanted) not in {0, wanted}
