"""`dateline up`: engines and every process of ours, supervised in one terminal."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from rich.console import Console
from rich.text import Text

from pipeline.commands.running import database
from pipeline.kernel.config import Config
from pipeline.kernel.processes.engines import Engines
from pipeline.kernel.processes.supervisor import Process, Supervisor

COLOURS = {"web": "cyan", "track": "magenta", "worker": "green", "sender": "yellow", "beat": "blue"}
TEND_EVERY_S = 0.3


class Stopped(Exception):
    """Someone asked us to stop."""


def processes(config: Config) -> list[Process]:
    """Every process of ours; docker-compose.yml runs the same commands."""
    python, count = sys.executable, str(config.workers)
    granian = [
        python,
        "-m",
        "granian",
        "--host",
        config.bind,
        "--workers",
        "1",
        "--no-ws",
        "--http",
        "1",
        "--log-level",
        "warning",
        "--workers-kill-timeout",  # one told to end while it began never did, seen once in nine: its port was kept
        "5",
    ]
    track = [*granian, "--interface", "asgi", "--port", str(config.track_port), "pipeline.tracking.app:app"]
    web = [*granian, "--interface", "wsgi", "--port", str(config.web_port), "--blocking-threads", "4"]
    celery = [python, "-m", "celery", "-A", "workers.app", "--quiet"]
    worker = [
        *celery,
        "worker",
        "--pool",
        "prefork",
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "WARNING",
    ]
    return [
        Process("track", track, port=config.track_port),
        Process("web", [*web, "pipeline.wsgi:application"], port=config.web_port),
        Process("worker", [*worker, "-c", count, "-Q", "watch,fast,social,slow", "-n", "worker@%h"]),
        Process("sender", [*worker, "-c", count, "-Q", "send", "-n", "sender@%h"]),
        Process("beat", [*celery, "beat", "--loglevel", "WARNING"]),
    ]


def environment(config: Config, **more: str) -> dict[str, str]:
    """What children see: our own settings made explicit, so that all of them agree."""
    return {
        **os.environ,
        "DATELINE_DATA_DIR": str(config.data_dir),
        "DJANGO_SETTINGS_MODULE": "pipeline.settings",
        "PYTHONUNBUFFERED": "1",
        "C_FORCE_ROOT": "1",  # tasks carry only numbers as JSON; nothing a message says is executed
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        **more,
    }


def run(config: Config) -> None:
    """Start everything and stay until asked to stop. Raises EngineError and PortTaken."""
    console = Console(highlight=False)
    on_signals()
    supervisor = Supervisor(environ=environment(config), say=_teller(console))
    with Engines(config) as engines:
        console.print("[dim]engines are up; preparing the database ...[/dim]")
        database.prepare()
        database.migrate()
        try:
            supervisor.start(processes(config))
            _greet(console, config)
            _stay(supervisor, engines)
        except Stopped:
            console.print("\nstopping ...")
        finally:
            supervisor.stop()
    console.print("stopped; nothing is left running")


def on_signals() -> None:
    """SIGINT and SIGTERM raise Stopped in the main thread, once; a second one during the stop is ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _stay(supervisor: Supervisor, engines: Engines) -> None:
    while True:
        supervisor.tend()
        if dead := engines.dead():
            raise SystemExit(
                f"{' and '.join(dead)} ended by itself; see the log directory. Everything is being stopped."
            )
        time.sleep(TEND_EVERY_S)


def _teller(console: Console) -> Callable[[str, str], None]:
    lock = threading.Lock()

    def say(name: str, line: str) -> None:
        with lock:
            console.print(Text.assemble((f"{name:>7} ", COLOURS.get(name, "white")), line), soft_wrap=True)

    return say


def _greet(console: Console, config: Config) -> None:
    from pipeline.delivery.message.mail import NoMailServer, server
    from pipeline.editions.models import Newsletter
    from pipeline.sources.models import Source
    from pipeline.staff.models import User

    steps = []
    if not User.objects.exists():
        steps.append("create an account:    [bold]dateline create-editor you@example.org --role admin[/bold]")
    if not Source.objects.exists():
        steps.append("add a source:         [bold]dateline watch https://your-site.example/[/bold]")
    if not Newsletter.objects.exists():
        steps.append(
            'make a newsletter:    [bold]dateline create-newsletter "Morning Brief" --from brief@your-site.example[/bold]'
        )
    try:
        server(config)
    except NoMailServer:
        steps.append(
            "add an SMTP server:   [bold]DATELINE_SMTP_URL=smtp+starttls://user:password@host:587 dateline up[/bold]"
        )
    console.print(f"\n[bold]Dateline is up.[/bold]  desk {config.site_url}/desk/", soft_wrap=True)
    for number, step in enumerate(steps, start=1):
        console.print(f"  {number}. {step}", soft_wrap=True)
    console.print("  Ctrl-C stops everything.\n")
