"""The click door and nginx beside it, each pinned to one core, and wrk on the other: what the door's benchmarks share.

The door runs as in production but for PostgreSQL, which is absent: links and lists come from the snapshots on disk.
Every request comes from another address, as behind a proxy of ours, so that the limit per network is at work.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from pipeline.engagement import tokens
from pipeline.kernel.processes.binaries import redis_server
from pipeline.kernel.signing import Keyring

SECRET = "a benchmark's secret, of no use anywhere else, long enough"
ORIGIN, TOKENS, CONNECTIONS = 0xB37A11CE, 2000, 64
STEADY = 0.85
SERVER_CPU, LOAD_CPU = 0, 1
_PIN = "import os,sys;os.sched_setaffinity(0,{int(sys.argv[1])});os.execvp(sys.argv[2],sys.argv[2:])"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
#: Requests are written before the run: else it is the load that is measured, and every ratio flatters.
_SCRIPT = """
local paths = {}
for line in io.lines("%(paths)s") do paths[#paths + 1] = line end
local requests, at = {}, 0
wrk.headers["User-Agent"] = "%(agent)s"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
wrk.headers["Accept-Language"] = "fr,en;q=0.8"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
%(more)s
function init(args)
  for n, path in ipairs(paths) do
    wrk.headers["X-Forwarded-For"] = string.format("11.%%d.%%d.7", math.floor(n / 256), n %% 256)
    requests[n] = wrk.format("GET", path)
  end
end
function request() at = at %% #requests + 1; return requests[at] end
%(delay)s
"""
_NGINX = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
  uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
  server {{ listen 127.0.0.1:{port};
    location / {{ return 302 https://news.example.org/story/1; }}
    location /o/ {{ empty_gif; }} }} }}
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """What runs: addresses of the door and of nginx, and the client of the door's Redis."""

    home: Path
    door: str
    nginx: str
    client: redis.Redis

    def load(self, url: str, script: Path, seconds: int) -> dict[str, Any]:
        """Requests a second, latencies in milliseconds and errors of one run of wrk."""
        return _load(url, script, seconds)

    def script(self, name: str, paths: list[str], *, headers: dict[str, str] | None = None, delay_ms: int = 0) -> Path:
        """wrk's script over paths.

        `delay_ms`: how long each connection waits on average between an answer and its next question, evenly spread:
        with one wait for all, wrk's connections ask in step, and it is measured how long 64 questions at once take.
        """
        listed, file = self.home / f"{name}.paths", self.home / f"{name}.lua"
        listed.write_text("".join(f"{path}\n" for path in paths))
        more = "\n".join(
            f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}" for key, value in (headers or {}).items()
        )
        delay = f"function delay() return math.random(0, {2 * delay_ms}) end" if delay_ms else ""
        file.write_text(_SCRIPT % {"paths": listed, "agent": _AGENT, "more": more, "delay": delay})
        return file


def missing() -> str:
    """Why nothing can be measured here; empty where it can."""
    absent = [name for name in ("wrk", "nginx") if not shutil.which(name)]
    if absent:
        return f"{' and '.join(absent)} not installed"
    return "" if len(os.sched_getaffinity(0)) >= 2 else "needs two CPUs"


@contextmanager
def running() -> Iterator[Bench]:
    """Everything up; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as place, ExitStack() as stack:
        home = Path(place)
        _snapshots(home / "data" / "spool")
        client = stack.enter_context(_valkey(home))
        door = stack.enter_context(_door(home))
        yield Bench(home, door, stack.enter_context(_nginx(home)), client)


def paths(kind: str, prefix: str) -> list[str]:
    """Readers' addresses below the door."""
    minter = tokens.minter(Keyring.from_secret(SECRET), kind=kind, origin=ORIGIN)
    return [f"{prefix}{minter(n, n % 20)}" for n in range(1, TOKENS + 1)]


def compared(bench: Bench, script: Path, *, seconds: int, rounds: int) -> dict[str, Any]:
    """Medians of the door and of nginx under the same load, over `rounds` quiet rounds; and how many requests it was."""
    pairs: list[dict[str, Any]] = []
    while len(quiet(pairs)) < rounds and len(pairs) < 3 * rounds:
        pairs.append(_round(bench, script, seconds))
    among = quiet(pairs) or pairs
    middle = {key: statistics.median(pair[key] for pair in among) for key in pairs[0]}
    return {
        **middle,
        "quiet_rounds": f"{len(quiet(pairs))} of {len(pairs)}, {rounds} wanted",
        "errors": sum(pair["errors"] for pair in pairs),
        "requests": sum(pair["requests"] for pair in pairs),
    }


def _round(bench: Bench, script: Path, seconds: int) -> dict[str, Any]:
    """The door between two runs of nginx, so that a busy neighbour shows as a spread of the two."""
    before, ours, after = (_load(url, script, seconds) for url in (bench.nginx, bench.door, bench.nginx))
    base = (before["rate"] + after["rate"]) / 2
    steady = min(before["rate"], after["rate"]) / max(before["rate"], after["rate"])
    return {"ratio": ours["rate"] / base, "nginx": base, "steady": steady, **ours}


def quiet(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rounds in which nothing else took the CPUs: a ratio of two disturbed runs means nothing."""
    best = max((pair["nginx"] for pair in pairs), default=0.0)
    return [pair for pair in pairs if pair["steady"] >= STEADY and pair["nginx"] >= STEADY * best]


def _load(url: str, script: Path, seconds: int) -> dict[str, Any]:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    text = subprocess.run(_pinned(LOAD_CPU, command), capture_output=True, text=True, check=True, timeout=60).stdout
    wrong = [int(n) for n in re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", text)]
    return {
        "rate": float(_first(r"Requests/sec:\s+([\d.]+)", text)),
        "p50": _ms(_first(r"\n\s+50%\s+(\S+)", text)),
        "p99": _ms(_first(r"\n\s+99%\s+(\S+)", text)),
        "requests": int(_first(r"(\d+) requests in", text)),
        "errors": sum(wrong),
    }


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"wrk said something else:\n{text}")
    return found[1]


def _ms(text: str) -> float:
    for unit, factor in (("us", 0.001), ("ms", 1.0), ("s", 1000.0)):
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * factor, 3)
    raise RuntimeError(f"{text!r} is no duration")


def _snapshots(spool: Path) -> None:
    """The links the tokens lead to, and one list of ten stories in three forms."""
    spool.mkdir(parents=True)
    rows = ([ORIGIN, number, f"https://news.example.org/story/{number}", number + 1, "story"] for number in range(20))
    (spool / "links.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = [
        {"place": n, "title": f"A headline of some length, number {n}", "url": f"https://news.example.org/story/{n}"}
        for n in range(1, 11)
    ]
    told = json.dumps({"window": "today", "items": items})
    (spool / "lists.json").write_text(json.dumps([["today", "", "1", {"json": told, "rss": told, "html": told}]]))


@contextmanager
def _valkey(home: Path) -> Iterator[redis.Redis]:
    path = home / "redis.sock"
    options = [
        "--port",
        "0",
        "--unixsocket",
        str(path),
        "--dir",
        str(home),
        "--save",
        "",
        "--appendonly",
        "yes",
    ]
    with _running(_pinned(LOAD_CPU, [redis_server(), *options])):
        client = redis.Redis(unix_socket_path=str(path))
        _until(lambda: path.exists() and bool(client.ping()))
        yield client
        client.close()


@contextmanager
def _door(home: Path) -> Iterator[str]:
    port = _free_port()
    environment = {
        **os.environ,
        "DATELINE_SECRET_KEY": SECRET,
        "DATELINE_TRUSTED_HOPS": "1",
        "DATELINE_DATA_DIR": str(home / "data"),
        "REDIS_URL": f"unix://{home / 'redis.sock'}?db=0",
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{_free_port()}/away",
    }
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--loop",
        "uvloop",
        "--no-ws",
        "--http",
        "1",
        "--workers",
        "1",
    ]
    command += ["--port", str(port), "--log-level", "error", "pipeline.tracking.app:app"]
    with _running(_pinned(SERVER_CPU, command), env=environment):
        _until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _nginx(home: Path) -> Iterator[str]:
    port, conf = _free_port(), home / "nginx.conf"
    conf.write_text(_NGINX.format(home=home, port=port))
    home.chmod(0o755)
    with _running(_pinned(SERVER_CPU, ["nginx", "-p", str(home), "-e", str(home / "nginx.log"), "-c", str(conf)])):
        _until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"


def _pinned(cpu: int, command: list[str]) -> list[str]:
    return [sys.executable, "-c", _PIN, str(cpu), *command]


@contextmanager
def _running(command: list[str], env: dict[str, str] | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready: Callable[[], bool], *, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except (OSError, redis.RedisError):
            pass
        time.sleep(0.05)
    raise TimeoutError("a server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
