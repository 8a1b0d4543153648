"""The click door against nginx `return 302`: same core, same load, same minute.

Promise: at least 0.20 of nginx with every click durably acknowledged (journal written, XADD answered, AOF on).
The door runs as in production but for PostgreSQL, which is absent: links come from the snapshot on disk.
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from pipeline.engagement import records, tokens
from pipeline.kernel.processes.binaries import redis_server
from pipeline.kernel.signing import Keyring

SECRET = "a benchmark's secret, of no use anywhere else, long enough"
ORIGIN, TOKENS, CONNECTIONS = 0xB37A11CE, 2000, 64
PROMISE, STEADY = 0.20, 0.85
SERVER_CPU, LOAD_CPU = 0, 1
_PIN = "import os,sys;os.sched_setaffinity(0,{int(sys.argv[1])});os.execvp(sys.argv[2],sys.argv[2:])"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
wrk.headers["User-Agent"] = "%s"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
wrk.headers["Accept-Language"] = "fr,en;q=0.8"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
function request() at = at %% #paths + 1; return wrk.format("GET", paths[at]) end
"""
_NGINX = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
  uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
  server {{ listen 127.0.0.1:{port}; location / {{ return 302 https://news.example.org/story/1; }} }} }}
"""


def run(*, seconds: int = 4, rounds: int = 3) -> dict[str, Any]:
    """Requests a second of both, their ratio, and the door's latency in milliseconds; medians over `rounds` quiet rounds.

    Without wrk or nginx there is no ratio: `not_measured` says why.
    """
    missing = [name for name in ("wrk", "nginx") if not shutil.which(name)]
    if missing or len(os.sched_getaffinity(0)) < 2:
        why = f"{' and '.join(missing)} not installed" if missing else "needs two CPUs"
        return {"name": "redirect", "promise": PROMISE, "not_measured": why}
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as place, ExitStack() as stack:
        home = Path(place)
        script = _load_script(home)
        client = stack.enter_context(_valkey(home))
        door = stack.enter_context(_door(home))
        nginx = stack.enter_context(_nginx(home))
        warmed = _load(door, script, 2)["requests"]
        pairs: list[dict[str, Any]] = []
        while len(_quiet(pairs)) < rounds and len(pairs) < 3 * rounds:
            pairs.append(_round(door, nginx, script, seconds))
        clicks = sum(pair["requests"] for pair in pairs) + warmed
        return {**_summary(pairs, rounds), **_kept(client, clicks)}


def _round(door: str, nginx: str, script: Path, seconds: int) -> dict[str, Any]:
    """The door between two runs of nginx, so that a busy neighbour shows as a spread of the two."""
    before, ours, after = (_load(url, script, seconds) for url in (nginx, door, nginx))
    base = (before["rate"] + after["rate"]) / 2
    steady = min(before["rate"], after["rate"]) / max(before["rate"], after["rate"])
    return {"ratio": ours["rate"] / base, "nginx": base, "steady": steady, **ours}


def _quiet(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rounds in which nothing else took the CPUs: a ratio of two disturbed runs means nothing."""
    best = max((pair["nginx"] for pair in pairs), default=0.0)
    return [pair for pair in pairs if pair["steady"] >= STEADY and pair["nginx"] >= STEADY * best]


def _summary(pairs: list[dict[str, Any]], rounds: int) -> dict[str, Any]:
    quiet = _quiet(pairs)
    middle = {key: statistics.median(pair[key] for pair in quiet or pairs) for key in pairs[0]}
    return {
        "name": "redirect",
        "promise": PROMISE,
        "ratio": round(middle["ratio"], 3),
        "kept": middle["ratio"] >= PROMISE,
        "requests_per_s": round(middle["rate"]),
        "nginx_requests_per_s": round(middle["nginx"]),
        "quiet_rounds": f"{len(quiet)} of {len(pairs)}, {rounds} wanted",
        "p50_ms": middle["p50"],
        "p99_ms": middle["p99"],
        "errors": sum(pair["errors"] for pair in pairs),
    }


def _kept(client: redis.Redis, requests: int) -> dict[str, Any]:
    """What Redis holds of the clicks: at least as many events as wrk saw answers."""
    entries: Any = client.xrange("dateline:events")
    found = [record.event_id for _, fields in entries for record in records.unpack(fields[b"p"])]
    return {
        "requests": requests,
        "events_in_redis": len(set(found)),
        "repeats_in_redis": len(found) - len(set(found)),
        "events_per_xadd": round(len(found) / max(len(entries), 1), 1),
    }


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


def _load_script(home: Path) -> Path:
    """wrk's script, the tokens it asks for, and the links they lead to as the door's snapshot."""
    minter = tokens.minter(Keyring.from_secret(SECRET), kind="click", origin=ORIGIN)
    paths = home / "paths"
    paths.write_text("".join(f"/c/{minter(n, n % 20)}\n" for n in range(1, TOKENS + 1)))
    spool = home / "data" / "spool"
    spool.mkdir(parents=True)
    rows = ([ORIGIN, number, f"https://news.example.org/story/{number}", number + 1, "story"] for number in range(20))
    (spool / "links.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    script = home / "load.lua"
    script.write_text(_SCRIPT % (paths, _AGENT))
    return script


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


def _until(ready: Any, *, seconds: float = 20.0) -> None:
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


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
