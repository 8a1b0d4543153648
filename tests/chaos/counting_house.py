"""The engines, those who count on them, the doors whose frames they count, and what can be done to all three."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import redis

from pipeline.engagement.records import Record, pack
from pipeline.kernel.config import load
from pipeline.kernel.processes.engines import Engines
from tests.journeys import prepared

STREAM, DRAINED = "dateline:events", "dateline:drained"


@dataclass(slots=True)
class House:
    """Both engines and those who count."""

    environ: dict[str, str]
    clock: Path
    faults: Path
    postgres: Engines
    broker: Engines
    counters: subprocess.Popen[bytes] | None = None

    def start(self, *, processes: int, bug: str = "") -> None:
        command = [sys.executable, "-m", "tests.chaos.counting", "--processes", str(processes)]
        command += ["--bug", bug] if bug else []
        self.counters = subprocess.Popen(command, env=self.environ)

    def children(self) -> list[int]:
        """Whoever counts at the moment."""
        assert self.counters is not None
        parent = self.counters.pid
        with contextlib.suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        return []

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environ["DATABASE_URL"], autocommit=True, connect_timeout=5) as link:
            return link.execute(query.encode()).fetchall()

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.environ["REDIS_URL"], socket_timeout=10)


@contextmanager
def built() -> Iterator[House]:
    """Engines in a directory of their own, stopped and removed at the end with all that runs on them."""
    with ExitStack() as exits:
        root = Path(tempfile.mkdtemp(prefix="dl-", dir="/tmp"))  # short: sockets live in it
        root.chmod(0o755)
        exits.callback(shutil.rmtree, root, ignore_errors=True)
        postgres, broker = _engines(root / "p", redis=False), _engines(root / "r", redis=True)
        prepared.lay(root / "p")
        exits.enter_context(postgres)
        exits.enter_context(broker)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATELINE_", "DJANGO_"))}
        environ = kept | {
            "DATELINE_DATA_DIR": str(root / "d"), "DATABASE_URL": postgres.config.database_url,
            "REDIS_URL": broker.config.redis_url, "CHAOS_NOW": str(root / "now"), "CHAOS_FAULTS": str(root / "faults"),
        }  # fmt: skip
        (root / "faults").touch()
        house = House(environ, root / "now", root / "faults", postgres, broker)
        try:
            yield house
        finally:
            if house.counters is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(house.counters.pid, signal.SIGKILL)
                house.counters.wait()


def _engines(directory: Path, *, redis: bool) -> Engines:
    directory.mkdir()
    directory.chmod(0o755)
    config = load({"DATELINE_DATA_DIR": str(directory)})
    return Engines(replace(config, embedded_redis=redis, embedded_postgres=not redis))


@dataclass(slots=True)
class Doors:
    """What the doors have on disk: everything behind the drain's mark."""

    house: House
    dice: random.Random
    kept: list[list[Record]] = field(default_factory=list)
    held: list[list[Record]] = field(default_factory=list)
    marks: Counter[bytes] = field(default_factory=Counter)
    posted: int = 0
    faults: list[str] = field(default_factory=list)

    def take(self, doors: list[list[Record]]) -> None:
        """Cut what each door saw into frames, to be posted in any order, some of them later."""
        for records in doors:
            while records:
                size = self.dice.randint(1, 12)
                self.held.append(records[:size])
                records = records[size:]  # noqa: PLW2901
        self.dice.shuffle(self.held)

    def post(self) -> None:
        """One frame, now and then twice."""
        frame = self.held.pop()
        self.kept.append(frame)
        for _ in range(self.dice.choice([1, 1, 1, 2])):
            self._send(frame)

    def again(self) -> None:
        """What the drain has not confirmed: what a door does when Redis is back."""
        told = {bytes.fromhex(name.decode()): int(upto) for name, upto in self._marks().items()}
        self.marks |= Counter(told)
        early = [frame for frame in self.held if frame[0].counter <= self.marks[frame[0].boot]]
        self.faults += [
            f"the mark of {frame[0].boot.decode()} passed {frame[0].counter}, never posted" for frame in early[:1]
        ]
        self.kept = [frame for frame in self.kept if frame[-1].counter > self.marks[frame[-1].boot]]
        for frame in self.kept:
            self._send(frame)

    def _marks(self) -> dict[bytes, bytes]:
        with self.house.redis() as client:
            found: dict[bytes, bytes] = client.hgetall(DRAINED)  # type: ignore[assignment]
            return found

    def _send(self, frame: list[Record]) -> None:
        with self.house.redis() as client:
            client.xadd(STREAM, {"p": pack(frame)})
        self.posted += len(frame)


# -- what is broken


def kill_counter(house: House, dice: random.Random) -> bool:
    """kill -9 of one of those who count. Whether Redis has to be told everything again."""
    if children := house.children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(dice.choice(children), signal.SIGKILL)
    return False


def flush_redis(house: House, _dice: random.Random) -> bool:
    house.redis().flushall()
    return True


def kill_redis(house: House, _dice: random.Random) -> bool:
    pid = int(house.redis().info("server")["process_id"])  # type: ignore[index]
    os.kill(pid, signal.SIGKILL)
    house.broker.stop()
    house.broker.start()
    return True


def crash_postgres(house: House, _dice: random.Random) -> bool:
    """An immediate shutdown; it comes back from its log."""
    pid = int((house.postgres.config.data_dir / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(pid, signal.SIGQUIT)
    house.postgres.stop()
    house.postgres.start()
    return False


Fault = Callable[[House, random.Random], bool]
FAULTS: dict[Fault, int] = {kill_counter: 120, flush_redis: 3, kill_redis: 2, crash_postgres: 1}
