"""A Valkey that may be killed, links that need no database, and the door on a real socket."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from pipeline.engagement.records import Record, unpack
from pipeline.kernel.processes.binaries import redis_server
from pipeline.kernel.signing import Keyring
from pipeline.tracking.app import DoorSettings
from pipeline.tracking.links import Row
from pipeline.tracking.site.sources import Drawn

SECRET = "a secret for the tests of the click door, and for nothing else"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine on an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.from_secret(SECRET)


@pytest.fixture(name="until")
def waiting() -> Callable[..., None]:
    return until


def until(ready: Callable[[], bool], *, seconds: float = 15.0) -> None:
    """Wait for something to be true; fail where it does not come."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@dataclass(slots=True)
class Valkey:
    """Without persistence: what it knew is gone when it is killed."""

    home: Path
    process: subprocess.Popen[bytes] | None = None
    client: redis.Redis = field(init=False)

    def __post_init__(self) -> None:
        self.client = redis.Redis(unix_socket_path=str(self.home / "redis.sock"))

    @property
    def url(self) -> str:
        return f"unix://{self.home / 'redis.sock'}?db=0"

    def start(self) -> Valkey:
        options = ["--port", "0", "--unixsocket", str(self.home / "redis.sock"), "--dir", str(self.home)]
        self.process = subprocess.Popen(
            [redis_server(), *options, "--save", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers)
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def events(self) -> list[Record]:
        """All events in the stream, repeats and all."""
        entries = self.client.xrange("dateline:events")
        return [record for _, fields in entries for record in unpack(fields[b"p"])]

    def drain(self) -> dict[bytes, int]:
        """Commit as the real drain does: each boot up to its first gap."""
        reached: dict[bytes, int] = {}
        for record in sorted(self.events(), key=lambda one: one.event_id):
            if record.counter == reached.get(record.boot, 0) + 1:
                reached[record.boot] = record.counter
        for boot, counter in reached.items():
            self.client.hset("dateline:drained", boot.hex(), counter)
        return reached

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path).start()
    yield server
    server.client.close()
    server.kill()


@dataclass(slots=True)
class ListedLinks:
    """Link rows from a list, and what was asked for."""

    rows: list[Row] = field(default_factory=list)
    away: bool = False
    slow_s: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def since(self, revision: int, *, limit: int) -> list[Row]:
        self._note(f"since {revision}")
        return sorted((row for row in self.rows if row.revision > revision), key=lambda row: row.revision)[:limit]

    async def of(self, origin: int) -> list[Row]:
        self._note(f"of {origin}")
        await asyncio.sleep(self.slow_s)
        return [row for row in self.rows if row.origin == origin]

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise ConnectionError("the source is away")


@pytest.fixture
def links() -> ListedLinks:
    """Ten links of origin 7."""
    return ListedLinks([Row(7, n, f"https://www.example.org/story/{n}", n + 1, "story") for n in range(10)])


@dataclass(slots=True)
class ListedSite:
    """Charts and pages from memory, and what was asked for."""

    drawn: list[Drawn] = field(default_factory=list)
    pages: dict[str, int] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    async def charts(self, *, known: Collection[str]) -> list[Drawn]:
        self._note("charts")
        return [one._replace(bodies=None) if one.mark in known else one for one in self.drawn]

    async def article(self, url: str) -> int | None:
        self._note(url)
        return self.pages.get(url)

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise ConnectionError("the source is away")


def chart(window: str, section: str = "", *, version: str = "1") -> Drawn:
    """A chart whose bodies say which one it is."""
    bodies = {form: f"{form} of {window} {section} {version} – é" for form in ("json", "rss", "html")}
    return Drawn(window, section, f"{window} {section} {version}", bodies)


@pytest.fixture
def site() -> ListedSite:
    """The four lists of the whole site, one of a section, and the page of article 77."""
    drawn = [chart(window) for window in ("now", "today", "week", "trending")]
    return ListedSite([*drawn, chart("today", "Afrique & Asie")], {"https://www.example.org/story/7": 77})


@pytest.fixture
def options(tmp_path: Path, valkey: Valkey, links: ListedLinks, site: ListedSite) -> DoorSettings:
    return DoorSettings(
        secret_key=SECRET,
        data_dir=tmp_path / "data",
        redis_url=valkey.url,
        database_url="",
        home_url="https://www.example.org",
        links=links,
        site=site,
        poll_s=0.05,
        replay_after_s=0.1,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Served:
    """The door under granian in a process of its own."""

    home: Path
    redis_url: str
    replay_after_s: float = 0.3
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Served:
        environment = {
            **os.environ,
            "TEST_HOME": str(self.home),
            "TEST_REDIS": self.redis_url,
            "TEST_SECRET": SECRET,
            "TEST_REPLAY": str(self.replay_after_s),
            "PYTHONPATH": str(Path(__file__).parent),
        }
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--no-ws"]
        command += ["--log-level", "error", "--port", str(self.port), "served_door:app"]
        self.process = subprocess.Popen(command, env=environment, start_new_session=True)
        until(self._listens)
        return self

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL takes granian's worker with it."""
        if self.process is None:
            return
        if sign == signal.SIGKILL:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.send_signal(sign)
        self.process.wait(15)
        self.process = None

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the door did not start"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def served(tmp_path: Path, valkey: Valkey) -> Iterator[Served]:
    spool = tmp_path / "door" / "spool"
    spool.mkdir(parents=True)
    rows = ([7, number, f"https://www.example.org/story/{number}", number + 1, "story"] for number in range(10))
    (spool / "links.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    door = Served(tmp_path / "door", valkey.url).start()
    yield door
    door.stop(signal.SIGKILL)
