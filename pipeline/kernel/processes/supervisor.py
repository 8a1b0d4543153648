"""Several processes in one terminal: started in order, restarted when they die, stopped together."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO

from pipeline.kernel.processes import tether
from pipeline.kernel.processes.faults import PortTaken
from pipeline.kernel.processes.warden import Warden

STOP_WITHIN_S = 15.0
LONGEST_PAUSE_S = 30.0
#: Below what Linux (32768), macOS and Windows (49152) give to outgoing connections.
OUT_OF_THE_WAY = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Process:
    """A program to keep running. `port` is checked to be free before the first start."""

    name: str
    argv: list[str]
    port: int | None = None
    stop_with: signal.Signals = signal.SIGTERM


@dataclass(slots=True)
class _Running:
    process: Process
    child: subprocess.Popen[bytes]
    started_at: float
    deaths: int = 0
    restart_at: float | None = None


@dataclass(slots=True)
class Supervisor:
    """Keeps processes running. `say(name, line)` receives every line they print, from several threads."""

    environ: Mapping[str, str]
    say: Callable[[str, str], None]
    _running: dict[str, _Running] = field(default_factory=dict)
    _stopping: bool = False
    _warden: Warden | None = None

    def start(self, processes: list[Process]) -> None:
        """Start all, in order. Raises PortTaken before any of them is started."""
        for process in processes:
            if process.port is not None:
                _must_be_free(process.port, name=process.name)
        self._warden = self._warden or Warden(patience_s=STOP_WITHIN_S)
        for process in processes:
            self._running[process.name] = _Running(process, self._spawn(process), time.monotonic())

    def tend(self) -> None:
        """Restart what died, after a pause that doubles while it keeps dying. Call it every moment."""
        for entry in self._running.values():
            if self._stopping or entry.child.poll() is None:
                continue
            if entry.restart_at is None:
                self._mourn(entry)
            elif time.monotonic() >= entry.restart_at:
                entry.child, entry.started_at, entry.restart_at = (
                    self._spawn(entry.process),
                    time.monotonic(),
                    None,
                )

    def pid(self, name: str) -> int:
        """The process id of a running program."""
        return self._running[name].child.pid

    def stop(self) -> None:
        """Stop all, last started first; what does not go within its time is killed with its whole group."""
        self._stopping = True
        for entry in reversed(self._running.values()):
            if entry.child.poll() is None:
                entry.child.send_signal(entry.process.stop_with)
        deadline = time.monotonic() + STOP_WITHIN_S
        for entry in reversed(self._running.values()):
            try:
                entry.child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(entry.process.name, "did not stop in time and was killed")
            self._bury(entry.child)
        self._running.clear()
        if self._warden is not None:
            self._warden.dismiss()
            self._warden = None

    def _mourn(self, entry: _Running) -> None:
        lived = time.monotonic() - entry.started_at
        entry.deaths = 1 if lived > LONGEST_PAUSE_S else entry.deaths + 1
        pause = min(LONGEST_PAUSE_S, 0.5 * 2 ** (entry.deaths - 1))
        entry.restart_at = time.monotonic() + pause
        self._bury(entry.child)
        self.say(entry.process.name, f"ended ({_ending(entry.child.returncode)}); starting it again in {pause:g} s")

    def _spawn(self, process: Process) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            tether.command(process.argv, sign=process.stop_with),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.environ),
            start_new_session=True,
        )
        if self._warden is not None:
            self._warden.watch(child.pid)
        threading.Thread(target=self._listen, args=(process.name, child.stdout), daemon=True).start()
        return child

    def _bury(self, child: subprocess.Popen[bytes]) -> None:
        _kill_group(child)
        if self._warden is not None:
            self._warden.forget(child.pid)

    def _listen(self, name: str, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            return
        with pipe:
            for line in pipe:
                self.say(name, line.decode(errors="replace").rstrip())


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Whatever a program left behind in its session would keep its port."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def free_port(wanted: int) -> int:
    """`wanted` where it is free on loopback, else a free port (any, for 0).

    Not one of those the kernel hands to outgoing connections: such a port may be taken between now and its use (seen
    among four houses that started at once).
    """
    for port in (wanted, *random.sample(OUT_OF_THE_WAY, 50)):
        if port and _is_free(port):
            return port
    raise PortTaken(f"no free port was found from {OUT_OF_THE_WAY[0]} to {OUT_OF_THE_WAY[-1]}. Nothing was started.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _must_be_free(port: int, *, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"port {port} is taken ({error.strerror}), and {name} needs it. Nothing was started. "
                f"Stop what listens there, or choose another port with DATELINE_{name.upper()}_PORT."
            ) from error


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
