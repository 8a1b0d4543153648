"""The embedded engines: ours to start and to stop, nobody else's, and never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from pipeline.kernel.config import ROOT, Config, load
from pipeline.kernel.processes.engines import Engines, running, take_lock
from pipeline.kernel.processes.faults import Busy, EngineError

OWNER = """
import sys
from pipeline.kernel.config import config
from pipeline.kernel.processes.engines import Engines
with Engines(config()):
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data directory that the engine's user may enter, with a short name: sockets live in it."""
    made = Path(tempfile.mkdtemp(prefix="dl-engines-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def here(home: Path) -> Config:
    return load({"DATELINE_DATA_DIR": str(home)})


def ours(home: Path) -> dict[int, str]:
    """Every process with the data directory in its command line, by number."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(home) in line:
                found[int(entry.name)] = line
    return found


def until(holds: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answers(config: Config) -> bool:
    with psycopg.connect(config.database_url) as link, redis.Redis.from_url(config.redis_url) as client:
        return link.execute("SELECT 1").fetchone() == (1,) and bool(client.ping())


def owner(home: Path) -> subprocess.Popen[str]:
    """Another process that owns the directory."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATELINE_DATA_DIR": str(home)}
    child = subprocess.Popen(
        [sys.executable, "-c", OWNER], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def test_they_start_answer_stop_and_find_their_data_again(here: Config, home: Path) -> None:
    with Engines(here) as engines:
        assert answers(here)
        assert engines.dead() == []
        with psycopg.connect(here.database_url) as link:
            link.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            link.execute("INSERT INTO kept VALUES (7)")
        with redis.Redis.from_url(here.redis_url) as client:
            client.set("kept", 7)
    assert ours(home) == {}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(here.database_url)
    engines.stop()
    with Engines(here), psycopg.connect(here.database_url) as link, redis.Redis.from_url(here.redis_url) as client:
        assert link.execute("SELECT n FROM kept").fetchone() == (7,)
        assert client.get("kept") == b"7"


def test_nobody_but_this_machines_own_users_can_reach_them(here: Config, home: Path) -> None:
    with Engines(here):
        assert (home / "run").stat().st_mode & 0o777 == 0o700
        with psycopg.connect(here.database_url) as link:
            assert link.execute("SHOW listen_addresses").fetchone() == ("",)
        with redis.Redis.from_url(here.redis_url) as client:
            assert client.config_get("port") == {"port": "0"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_second_owner_is_refused_in_words_and_touches_nothing(here: Config, home: Path) -> None:
    first = owner(home)
    try:
        before = set(ours(home))
        with pytest.raises(Busy) as refused:
            Engines(here).start()
        assert str(refused.value) == (
            f"{home} is in use by process {first.pid}. Nothing was changed. "
            "Stop that process, or choose another place with DATELINE_DATA_DIR."
        )
        assert set(ours(home)) == before
        assert answers(here)
        with running(here):
            assert answers(here), "whoever only needs them borrows them"
        assert answers(here), "and does not stop what is not theirs"
    finally:
        end(first)


def test_an_owner_killed_outright_leaves_no_engine_and_a_new_one_starts(here: Config, home: Path) -> None:
    first = owner(home)
    assert len(ours(home)) >= 2
    with psycopg.connect(here.database_url) as link:
        link.execute("CREATE TABLE IF NOT EXISTS survived (n int)")
        link.execute("INSERT INTO survived VALUES (1)")
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert until(lambda: not ours(home), within_s=8), ours(home)
    with Engines(here), psycopg.connect(here.database_url) as link:
        assert answers(here)
        assert link.execute("SELECT count(*) FROM survived").fetchone() == (1,)


def test_a_number_left_by_a_dead_server_that_means_someone_else_is_no_obstacle(here: Config, home: Path) -> None:
    with Engines(here):
        assert answers(here), "a directory of ours, whichever test a worker took first"
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'postgres'}\n")
    with Engines(here):
        assert answers(here)


def test_an_engine_that_dies_by_itself_is_named(here: Config, home: Path) -> None:
    with Engines(here) as engines:
        pid = next(number for number, line in ours(home).items() if "redis.sock" in line)
        os.kill(pid, signal.SIGKILL)
        assert until(lambda: engines.dead() == ["redis"], within_s=5)
    assert ours(home) == {}


def test_an_engine_that_cannot_start_is_quoted_and_leaves_nothing_running() -> None:
    home = Path(tempfile.mkdtemp(prefix="dl-broken-"))
    home.chmod(0o755)
    here = load({"DATELINE_DATA_DIR": str(home)})
    broken = home / "redis" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("this is no manifest\n")
    try:
        with pytest.raises(EngineError) as failed:
            Engines(here).start()
        assert "An embedded engine did not start. Its last words:" in str(failed.value)
        assert "manifest" in str(failed.value)
        assert ours(home) == {}
        os.close(take_lock(home))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_what_the_environment_names_is_not_started(here: Config, home: Path) -> None:
    outside = load({"DATELINE_DATA_DIR": str(home), "DATABASE_URL": here.database_url, "REDIS_URL": here.redis_url})
    with Engines(outside):
        assert ours(home) == {}
    with running(outside):
        assert ours(home) == {}


def test_the_lock_names_its_owner_and_is_free_once_closed(tmp_path: Path) -> None:
    held = take_lock(tmp_path)
    assert (tmp_path / "owner.lock").read_text() == str(os.getpid())
    with pytest.raises(Busy, match=f"in use by process {os.getpid()}"):
        take_lock(tmp_path)
    os.close(held)
    os.close(take_lock(tmp_path))
