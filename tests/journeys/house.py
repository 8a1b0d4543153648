"""Real processes: `dateline up` in a directory of its own, a newsroom, an inbox and a network on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

from pipeline.demo.world.inbox import Inbox
from pipeline.demo.world.network import PretendNetwork
from pipeline.demo.world.newsroom import Newsroom
from pipeline.kernel.processes import addresses
from pipeline.kernel.processes.supervisor import free_port
from tests.journeys import prepared

DATELINE = [sys.executable, "-m", "pipeline"]


@dataclass
class House:
    """A running Dateline and the world around it."""

    data_dir: Path
    environ: dict[str, str]
    newsroom: Newsroom
    inbox: Inbox
    network: PretendNetwork
    up: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def site(self) -> str:
        return self.environ["DATELINE_SITE_URL"]

    @property
    def track(self) -> str:
        return self.environ["DATELINE_TRACK_URL"]

    def start(self, within_s: float = 40) -> None:
        """`dateline up`, until it says that it is up."""
        path = self.data_dir / "up.log"
        path.write_text("")
        with path.open("a") as log:
            self.up = subprocess.Popen(
                [*DATELINE, "up"], env=self.environ, stdout=log, stderr=log, text=True, start_new_session=True
            )
        self.until(lambda: "Dateline is up" in path.read_text(), within_s, "dateline up")

    def open(self) -> None:
        """Start, watch the newsroom, connect the account."""
        self.start()
        told = self.dateline("watch", self.newsroom.url, "--every", "1", "--name", "The Meridian Dispatch")
        assert told["stories"] >= 10
        keys = self.data_dir / "keys.json"
        keys.write_text('{"token": "t"}')
        account = (
            "add-account",
            "agora",
            "meridian",
            "--credentials",
            str(keys),
            "--base-url",
            self.network.url,
        )
        self.dateline(*account)
        assert self.one("UPDATE dateline_source SET usual_per_hour = 3600, settle_s = 1 RETURNING id")

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        assert self.up is not None
        self.up.send_signal(sign)
        code = self.up.wait(40)
        self.up = None
        return code

    def dateline(self, *arguments: str) -> dict[str, Any]:
        """A verb, beside the running house; its JSON."""
        done = subprocess.run(
            [*DATELINE, *arguments], env=self.environ, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(addresses.database_url(self.data_dir), autocommit=True) as link:
            return link.execute(query, values or None).fetchall()

    def one(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(addresses.redis_url(self.data_dir))

    def until(self, holds: Callable[[], object], within_s: float, what: str) -> None:
        """Wait for something; fail with what the processes said."""
        deadline = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline:
                log = self.data_dir / "up.log"
                tail = "\n".join(log.read_text().splitlines()[-25:]) if log.exists() else ""
                raise AssertionError(f"{what} did not happen within {within_s} s\n{tail}")
            time.sleep(0.1)

    def pids(self, word: str) -> list[int]:
        """Our processes whose command line holds a word."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    mine = str(self.data_dir) in (entry / "environ").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if mine and word in line:
                    found.append(int(entry.name))
        return found


@contextmanager
def built(*, empty: bool = False) -> Iterator[House]:
    """A house that is not running yet, and the world around it; everything is stopped and removed at the end.

    Its first start finds a migrated database, unless it is `empty`: then nothing at all, as a newsroom's first one does.
    """
    with ExitStack() as exits:
        data_dir = Path(tempfile.mkdtemp(prefix="dl-", dir="/tmp"))  # short: sockets live in it
        data_dir.chmod(0o755)
        if not empty:
            prepared.lay(data_dir)
        newsroom, inbox, network = Newsroom(), Inbox(keep=20_000), PretendNetwork()
        for server in (newsroom, inbox, network):
            server.start()
            exits.callback(server.stop)
        web, track = free_port(0), free_port(0)
        settings = {
            "DATELINE_DATA_DIR": str(data_dir),
            "DATELINE_WEB_PORT": str(web),
            "DATELINE_TRACK_PORT": str(track),
            "DATELINE_SITE_URL": f"http://127.0.0.1:{web}",
            "DATELINE_TRACK_URL": f"http://127.0.0.1:{track}",
            "DATELINE_SMTP_URL": f"smtp://127.0.0.1:{inbox.smtp_port}",
            "DATELINE_MAIL_FROM": "brief@dispatch.example.org",
            "DATELINE_POSTAL_ADDRESS": "The Meridian Dispatch, 12 Harbour Row, 1000 Brussels",
            "DATELINE_FETCH_ALLOW": urlsplit(newsroom.url).netloc,
            "DATELINE_QUARANTINE_S": "1",
            "DATELINE_TRUSTED_HOPS": "1",
            "PYTHONPATH": str(Path.cwd()),
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATELINE_", "DJANGO_"))}
        made = House(data_dir, {**kept, **settings}, newsroom, inbox, network)
        try:
            yield made
        finally:
            _end(made)
            shutil.rmtree(data_dir, ignore_errors=True)


def _end(made: House) -> None:
    if made.up is None or made.up.poll() is not None:
        return
    os.killpg(made.up.pid, signal.SIGTERM)
    try:
        made.up.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(made.up.pid, signal.SIGKILL)
