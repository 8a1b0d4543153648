"""The embedded PostgreSQL and Redis: the same engines as production, owned by whoever starts them.

They live below the data directory, listen only on Unix sockets there, die with their owner, and a lock on
the directory keeps a second owner away. A run after kill -9 finds stale files and mends them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from pipeline.kernel.config import Config
from pipeline.kernel.processes import addresses, binaries, tether
from pipeline.kernel.processes.faults import Busy, EngineError

READY_WITHIN_S = 30.0
STOPPED_WITHIN_S = 20.0


@dataclass(slots=True)
class Engines:
    """Both embedded engines of one data directory. Use as a context manager, from the main thread."""

    config: Config
    _lock: int = -1
    _children: list[tuple[str, subprocess.Popen[bytes], signal.Signals]] = field(default_factory=list)

    def __enter__(self) -> Engines:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Take the lock and start what the environment did not name. Raises Busy or EngineError."""
        self._lock = take_lock(self.config.data_dir)
        try:
            if self.config.embedded_redis:
                self._start_redis()
            if self.config.embedded_postgres:
                self._start_postgres()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the engines, newest first, and let go of the lock. Safe to call twice."""
        while self._children:
            name, child, sign = self._children.pop()
            _end(child, name=name, sign=sign)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def dead(self) -> list[str]:
        """Names of engines that ended by themselves."""
        return [name for name, child, _ in self._children if child.poll() is not None]

    def _start_postgres(self) -> None:
        place = binaries.place(self.config.data_dir)
        data = place.home / "postgres"
        if not (data / "PG_VERSION").exists():
            _initialise(place, data)
        _clear_stale_postmaster(data)
        run = _private_dir(addresses.socket_dir(self.config.data_dir), place)
        for stale in (run / ".s.PGSQL.5432", run / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)  # the lock names a number that a zombie, or a stranger, may have by now
        flags = {"listen_addresses": "", "unix_socket_directories": str(run), "shared_buffers": "128MB"}
        flags |= {"wal_level": "minimal", "max_wal_senders": "0", "max_connections": "120", "jit": "off"}
        argv = [place.program("postgres"), "-D", str(data)]
        argv += [word for name, value in flags.items() for word in ("-c", f"{name}={value}")]
        child = self._spawn("postgres", argv, sign=signal.SIGINT, place=place)
        _wait_until(lambda: _postgres_answers(self.config.database_url), child, log=self._log("postgres"))

    def _start_redis(self) -> None:
        place = binaries.place(self.config.data_dir)
        run = _private_dir(addresses.socket_dir(self.config.data_dir), place)
        data = self.config.data_dir / "redis"
        data.mkdir(parents=True, exist_ok=True)
        socket = run / "redis.sock"
        # The append-only file keeps clicks that were acknowledged and not yet drained; the rest is doorbells.
        argv = [
            binaries.redis_server(),
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--unixsocketperm",
            "700",
        ]
        argv += ["--dir", str(data), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        argv += ["--maxmemory", "512mb", "--maxmemory-policy", "noeviction"]
        _let_go(self.config.redis_url)
        child = self._spawn("redis", argv, sign=signal.SIGTERM, place=None)
        _wait_until(lambda: _redis_answers(self.config.redis_url), child, log=self._log("redis"))

    def _spawn(
        self, name: str, argv: list[str], *, sign: signal.Signals, place: binaries.Place | None
    ) -> subprocess.Popen[bytes]:
        uid, gid = (place.uid, place.gid) if place else (-1, -1)
        with self._log(name).open("ab") as log:
            child = subprocess.Popen(
                tether.command(argv, sign=sign, uid=uid, gid=gid),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        self._children.append((name, child, sign))
        return child

    def _log(self, name: str) -> Path:
        path = self.config.data_dir / "log" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@contextlib.contextmanager
def running(config: Config) -> Iterator[None]:
    """Have the engines answer for the length of a block: external, already up, or started for it."""
    if not (config.embedded_postgres or config.embedded_redis):
        yield
        return
    try:
        engines = Engines(config)
        engines.start()
    except Busy:
        _wait_for_owner(config)
        yield
        return
    try:
        yield
    finally:
        engines.stop()


def take_lock(data_dir: Path) -> int:
    """Lock the data directory for this process. Raises Busy naming the owner; returns the descriptor to close."""
    data_dir.mkdir(parents=True, exist_ok=True)
    handle = os.open(data_dir / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise Busy(
            f"{data_dir} is in use by process {owner}. Nothing was changed. "
            "Stop that process, or choose another place with DATELINE_DATA_DIR."
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _wait_for_owner(config: Config) -> None:
    """The owner may still be starting: its engines answer within seconds or the directory is really busy."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not (_postgres_answers(config.database_url) and _redis_answers(config.redis_url)):
        if time.monotonic() > deadline:
            raise Busy(f"{config.data_dir} has an owner, but its engines do not answer. Look in {config.data_dir}/log.")
        time.sleep(0.1)


def _initialise(place: binaries.Place, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    place.own(data)
    argv = [
        place.program("initdb"),
        "-D",
        str(data),
        "-U",
        "dateline",
        "--auth-local=trust",
        "--auth-host=reject",
    ]
    argv += [
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-sync",
    ]
    done = subprocess.run(
        tether.command(argv, uid=place.uid, gid=place.gid),
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise EngineError(f"PostgreSQL could not prepare {data}: {done.stderr.strip()[-600:]}")


def _clear_stale_postmaster(data: Path) -> None:
    """We hold the lock, so a postmaster here is an orphan on its way out, or a number that means someone else."""
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while pid := _postmaster_pid(pid_file):
        if not _is_postmaster(pid, data):
            pid_file.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGQUIT)
        time.sleep(0.1)


def _postmaster_pid(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


def _is_postmaster(pid: int, data: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in words


def _private_dir(path: Path, place: binaries.Place) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    place.own(path)
    return path


def _wait_until(answers: Callable[[], bool], child: subprocess.Popen[bytes], *, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not answers():
        if child.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").strip().splitlines()[-6:]
            raise EngineError("An embedded engine did not start. Its last words:\n  " + "\n  ".join(tail))
        time.sleep(0.03)


def _postgres_answers(url: str) -> bool:
    try:
        with psycopg.connect(url.replace("/dateline?", "/postgres?", 1), autocommit=True, connect_timeout=3) as link:
            if not link.execute("SELECT 1 FROM pg_database WHERE datname = 'dateline'").fetchone():
                link.execute("CREATE DATABASE dateline")
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=3) as link:
            return bool(link.ping())
    except redis.RedisError:  # refused, or still loading its file
        return False


def _let_go(url: str) -> None:
    """A Redis whose owner was killed a moment ago still answers, and removes its socket, ours by then, as it goes."""
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while _redis_answers(url) and time.monotonic() < deadline:
        time.sleep(0.02)


def _end(child: subprocess.Popen[bytes], *, name: str, sign: signal.Signals) -> None:
    if child.poll() is None:
        child.send_signal(sign)
    try:
        child.wait(STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
        child.wait()
