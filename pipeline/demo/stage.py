"""The demo put on stage: pretend servers, the real system between them, and a live board."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.live import Live

from pipeline.commands.running import database, up
from pipeline.demo.world.inbox import Inbox
from pipeline.demo.world.network import PretendNetwork
from pipeline.demo.world.newsroom import Newsroom
from pipeline.demo.world.readers import Readers
from pipeline.kernel.config import Config, config
from pipeline.kernel.processes.engines import Engines
from pipeline.kernel.processes.supervisor import Supervisor, free_port

ONCE_WITHIN_S = 58.0
STORY_EVERY_S = 4.0
TEND_EVERY_S = 0.25
#: Preferred ports, so that addresses stay the same from run to run; another free one where taken.
PORTS = {"web": 8000, "track": 8001, "newsroom": 8010, "inbox": 8011, "network": 8012}


@dataclass(slots=True)
class Cast:
    """Everyone who is not Dateline."""

    newsroom: Newsroom | None
    inbox: Inbox
    network: PretendNetwork
    readers: Readers
    source_url: str


def run(*, once: bool, source: str | None) -> int:
    """Play; the exit code. With `once`, 1 if any stage did not happen in time. Raises EngineError, PortTaken."""
    console = Console(highlight=False)
    started = time.monotonic()
    up.on_signals()
    with ExitStack() as exits:
        try:
            return _play(exits, console, once=once, source=source, started=started)
        except up.Stopped:
            console.print("\nstopping ...")
        finally:
            exits.close()
            console.print("[dim]stopped; nothing is left running[/dim]")
    return 0


def _play(exits: ExitStack, console: Console, *, once: bool, source: str | None, started: float) -> int:
    ports = {name: free_port(wanted) for name, wanted in PORTS.items()}
    cast = _enter(exits, ports, once=once, source=source)
    settings = _configure(cast, ports)
    console.print(f"[bold]Dateline demo[/bold]  data in {settings.data_dir}")
    engines = exits.enter_context(Engines(settings))
    database.prepare()
    database.migrate()
    from pipeline.demo import board, setting  # models may be imported only now

    script = setting.prepare(
        source_url=cast.source_url, network_url=cast.network.url, once=once, sample=cast.newsroom is not None
    )
    supervisor = Supervisor(
        environ=up.environment(settings), say=_log(exits, settings.data_dir / "log" / "processes.log")
    )
    exits.callback(supervisor.stop)
    supervisor.start(up.processes(settings))
    stages = board.Stages(script=script, cast=cast, config=settings, started=started, once=once)
    with Live(console=console, refresh_per_second=4, screen=False, transient=once) as live:
        while not stages.over():
            supervisor.tend()
            if dead := engines.dead():
                raise SystemExit(f"{' and '.join(dead)} ended by itself; see {settings.data_dir}/log")
            stages.look()
            live.update(stages.picture())
            time.sleep(TEND_EVERY_S)
    console.print(stages.closing_table())
    return 0 if stages.complete() else 1


def _enter(exits: ExitStack, ports: dict[str, int], *, once: bool, source: str | None) -> Cast:
    inbox = Inbox(http_port=ports["inbox"], keep=5000)
    inbox.start()
    exits.callback(inbox.stop)
    network = PretendNetwork(port=ports["network"])
    network.start()
    exits.callback(network.stop)
    newsroom = None
    if source is None:
        newsroom = Newsroom(port=ports["newsroom"], popular_url=f"http://127.0.0.1:{ports['web']}/popular.html")
        newsroom.start()
        exits.callback(newsroom.stop)
    readers = Readers(inbox=inbox, seed="dateline", scale=0.6 if once else 1.0)
    readers.start()
    exits.callback(readers.stop)
    return Cast(newsroom, inbox, network, readers, source_url=newsroom.url if newsroom else str(source))


def _configure(cast: Cast, ports: dict[str, int]) -> Config:
    """Settings of the demo, made before anything reads them; a directory of its own beside real data."""
    source = urlsplit(cast.source_url if "://" in cast.source_url else f"https://{cast.source_url}")
    place = f"{source.hostname}:{source.port or (443 if source.scheme == 'https' else 80)}"
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    data_dir = Path(os.environ.get("DATELINE_DATA_DIR", "var")) / "demo"
    os.environ.update(
        DATELINE_ENV="development",
        DATELINE_DATA_DIR=str(data_dir.resolve()),
        DATELINE_WEB_PORT=str(ports["web"]),
        DATELINE_TRACK_PORT=str(ports["track"]),
        DATELINE_SITE_URL=f"http://127.0.0.1:{ports['web']}",
        DATELINE_TRACK_URL=f"http://127.0.0.1:{ports['track']}",
        DATELINE_SMTP_URL=f"smtp://127.0.0.1:{cast.inbox.smtp_port}",
        DATELINE_MAIL_FROM="brief@dispatch.example.org",
        DATELINE_BOUNCE_DOMAIN="bounces.dispatch.example.org",
        DATELINE_POSTAL_ADDRESS="The Meridian Dispatch, 12 Harbour Row, 1000 Brussels, Belgium",
        DATELINE_FETCH_ALLOW=place,
        DATELINE_QUARANTINE_S="1",
        DATELINE_TRUSTED_HOPS="1",
    )
    return config()


def _log(exits: ExitStack, path: Path) -> Callable[[str, str], None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = exits.enter_context(path.open("a", encoding="utf-8", buffering=1))

    def say(name: str, line: str) -> None:
        if not file.closed:
            file.write(f"{name:>7} {line}\n")

    return say
