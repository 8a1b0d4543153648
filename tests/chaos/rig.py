"""A real `dateline up` with engines, a broker's wire and a mail server that can each be broken from outside."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import psycopg
import redis

from pipeline.kernel.config import Config, load
from pipeline.kernel.processes import addresses
from pipeline.kernel.processes.engines import Engines
from pipeline.kernel.processes.supervisor import free_port
from tests.chaos.proxy import Proxy
from tests.journeys import prepared

#: Of one sending process to its relay, and so the messages it can have in flight.
CONNECTIONS = 8


@dataclass
class Rig:
    """Everything that runs, and what can be asked of it."""

    root: Path
    environ: dict[str, str]
    postgres: Engines
    broker: Engines
    wire: Proxy
    sink: subprocess.Popen[str]
    readers: int = 0
    up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """`dateline up`, until it says that it is up."""
        log = self.root / "up.log"
        with log.open("wb") as file:
            command = [sys.executable, "-m", "pipeline", "up"]
            self.up = subprocess.Popen(command, env=self.environ, stdout=file, stderr=file, start_new_session=True)
        self.until(lambda: b"Dateline is up" in log.read_bytes(), 60, "dateline up")
        self.until(lambda: len(self.senders()) > 1, 30, "its senders")

    def send_off(self, *, readers: int, batch_size: int) -> None:
        self.readers = readers
        command = [sys.executable, "-m", "tests.chaos.seed", str(readers), str(batch_size)]
        subprocess.run(command, env=self.environ, check=True, timeout=170)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.config.database_url, autocommit=True, connect_timeout=5) as link:
            return link.execute(query.encode()).fetchall()

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.broker.config.redis_url)

    @property
    def ended(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return self.rows("SELECT state FROM dateline_send") == [("submitted",)]
        return False

    @property
    def taken(self) -> Counter[str]:
        """What the mail server took, by reader."""
        return Counter((self.root / "book").read_text().split())

    @property
    def count(self) -> int:
        return (self.root / "book").read_bytes().count(b"\n")

    def senders(self) -> dict[int, list[int]]:
        """The living processes that send, each with its children: the first is the parent of the others."""
        parents = {pid: parent for pid, parent in _processes(str(self.root)) if b"sender@" in _line(pid)}
        return {pid: [child for child, parent in parents.items() if parent == pid] for pid in parents}

    def processes(self, word: bytes) -> list[int]:
        return [pid for pid, _ in _processes(str(self.root)) if word in _line(pid)]

    def until(self, holds: Callable[[], object], within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline:
                tail = "\n".join((self.root / "up.log").read_text(errors="replace").splitlines()[-25:])
                raise AssertionError(f"{what} did not happen within {within_s} s\n{tail}")
            time.sleep(0.05)

    def tell_sink(self, word: str) -> None:
        pipe: IO[str] | None = self.sink.stdin
        assert pipe is not None
        pipe.write(word + "\n")
        pipe.flush()


@contextmanager
def built(*, workers: int, delay_ms: float) -> Iterator[Rig]:
    """A rig with everything up but Dateline itself; all of it is stopped and removed at the end."""
    with ExitStack() as exits:
        root = Path(tempfile.mkdtemp(prefix="dl-", dir="/tmp"))  # short: sockets live in it
        root.chmod(0o755)
        exits.callback(shutil.rmtree, root, ignore_errors=True)
        (root / "book").touch()
        (root / "clock").touch()
        sink = _sink(root, delay_ms=delay_ms)
        exits.callback(_end, sink)
        postgres, broker = Engines(_config(root / "p", redis=False)), Engines(_config(root / "r", redis=True))
        prepared.lay(root / "p")
        exits.enter_context(postgres)
        exits.enter_context(broker)
        wire = exits.enter_context(Proxy(addresses.socket_dir(root / "r") / "redis.sock"))
        assert sink.stdout is not None
        environ = _environ(root, broker=wire.port, relay=int(sink.stdout.readline()), workers=workers)
        rig = Rig(root, {**environ, "DATABASE_URL": postgres.config.database_url}, postgres, broker, wire, sink)
        try:
            yield rig
        finally:
            if rig.up is not None:
                _end(rig.up)


def _config(directory: Path, *, redis: bool) -> Config:
    directory.mkdir()
    directory.chmod(0o755)
    config = load({"DATELINE_DATA_DIR": str(directory)})
    return replace(config, embedded_redis=redis, embedded_postgres=not redis)


def _sink(root: Path, *, delay_ms: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.chaos.sink", str(root / "book"), str(delay_ms)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _environ(root: Path, *, broker: int, relay: int, workers: int) -> dict[str, str]:
    web, track = free_port(0), free_port(0)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATELINE_", "DJANGO_"))}
    return kept | {
        "DATELINE_DATA_DIR": str(root / "d"),
        "REDIS_URL": f"redis://127.0.0.1:{broker}/0",
        "DATELINE_WEB_PORT": str(web),
        "DATELINE_TRACK_PORT": str(track),
        "DATELINE_SITE_URL": f"http://127.0.0.1:{web}",
        "DATELINE_TRACK_URL": f"http://127.0.0.1:{track}",
        "DATELINE_SMTP_URL": f"smtp://127.0.0.1:{relay}",
        "DATELINE_POSTAL_ADDRESS": "The Meridian Dispatch, 12 Harbour Row, 1000 Brussels",
        "DATELINE_WORKERS": str(workers),
        "CHAOS_CLOCK": str(root / "clock"),
        "PYTHONPATH": f"{Path(__file__).parent / 'skewed'}:{Path.cwd()}",
    }


def _end(child: subprocess.Popen[Any]) -> None:
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(25)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _processes(mark: str) -> Iterator[tuple[int, int]]:
    """(pid, parent) of every process whose environment names a directory."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(entry.name)
            if mark.encode() in (entry / "environ").read_bytes():
                yield pid, int((entry / "stat").read_text().rpartition(")")[2].split()[1])


def _line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
