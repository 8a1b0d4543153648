"""`dateline doctor`: what is needed, what is there, and how to mend the rest."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from pipeline.kernel.config import Config, ConfigError, config

OK, WARN, BAD = "ok", "look", "bad"
MARKS = {OK: "[green]✓ ok[/green]", WARN: "[yellow]! look[/yellow]", BAD: "[red]✗ mend[/red]"}
LEAST_DISK_BYTES = 1_000_000_000
OLDEST_POSTGRES, OLDEST_REDIS = 150_000, (6, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `mend` says what to do where it is not ok."""

    what: str
    level: str
    found: str
    mend: str = ""


def run(*, domain: bool = False) -> int:
    """Print every finding, with `domain` what DNS says of ours too; 0 when nothing must be mended."""
    console = Console()
    findings = list(_findings())
    table = Table(show_edge=False, box=None, padding=(0, 2))
    for title in ("", "what", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for one in findings:
        table.add_row(MARKS[one.level], one.what, one.found, one.mend)
    console.print(table)
    bad = sum(1 for one in findings if one.level == BAD)
    bad += _domains(console) if domain else 0
    console.print(f"\n{bad} to mend." if bad else "\nEverything Dateline needs is there.")
    return 1 if bad else 0


def _findings() -> Iterator[Finding]:
    yield _python()
    try:
        settings = config()
    except ConfigError as error:
        yield Finding("settings", BAD, str(error), "correct the environment; .env.example explains each name")
        return
    yield Finding("settings", OK, f"{settings.environment}, data in {settings.data_dir}")
    yield _secret(settings)
    yield _disk(settings)
    yield from _engines(settings)
    yield _mail(settings)
    yield _postal(settings)
    yield _hosting(settings)


def _domains(console: Console) -> int:
    """The database says whom we send as; where it is away, that was said before."""
    from pipeline.commands.running import database
    from pipeline.commands.running.doctor_domain import show
    from pipeline.kernel.processes.engines import running

    try:
        with running(config()):
            database.prepare()
            from django.db import connections

            connections.close_all()  # embedded engines were started anew since the last question
            return show(config(), console=console)
    except Exception as error:  # a doctor reports whatever it meets
        console.print(f"\nThe domains were not looked at: {type(error).__name__}: {error}", markup=False)
        return 0


def _python() -> Finding:
    return Finding("Python", OK, ".".join(map(str, sys.version_info[:3])))


def _secret(settings: Config) -> Finding:
    if len(settings.secret_key) >= 50:
        return Finding("secret key", OK, f"{len(settings.secret_key)} characters")
    return Finding("secret key", BAD, "too short", f"DATELINE_SECRET_KEY={secrets.token_urlsafe(48)}")


def _disk(settings: Config) -> Finding:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    found = f"{free / 1e9:.1f} GB free"
    if free > LEAST_DISK_BYTES:
        return Finding("disk", OK, found)
    return Finding("disk", BAD, found, f"make room below {settings.data_dir}")


def _engines(settings: Config) -> Iterator[Finding]:
    from pipeline.kernel.processes.engines import running
    from pipeline.kernel.processes.faults import EngineError

    try:
        with running(settings):
            yield _asked(
                "PostgreSQL",
                lambda: _postgres(settings),
                "check DATABASE_URL, or unset it to use the embedded one",
            )
            yield _asked("Redis", lambda: _redis(settings), "check REDIS_URL, or unset it to use the embedded one")
            yield from _state(settings)
    except (EngineError, FileNotFoundError) as error:
        yield Finding("embedded engines", BAD, str(error), "or set DATABASE_URL and REDIS_URL to servers of your own")


def _asked(what: str, ask: Callable[[], Finding], mend: str) -> Finding:
    try:
        return ask()
    except Exception as error:  # a doctor reports whatever it meets
        return Finding(what, BAD, f"{type(error).__name__}: {error}".strip().splitlines()[0], mend)


def _postgres(settings: Config) -> Finding:
    import psycopg

    with psycopg.connect(settings.database_url, connect_timeout=5) as link:
        version = link.info.server_version
    found = f"{version // 10000}.{version % 10000}, {'embedded' if settings.embedded_postgres else 'external'}"
    if version >= OLDEST_POSTGRES:
        return Finding("PostgreSQL", OK, found)
    return Finding("PostgreSQL", BAD, found, "Dateline needs PostgreSQL 15 or newer")


def _redis(settings: Config) -> Finding:
    import redis

    with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=5, socket_timeout=5) as link:
        info = link.info("server")
    version = str(info.get("valkey_version") or info["redis_version"])
    found = f"{info.get('server_name', 'redis')} {version}, {'embedded' if settings.embedded_redis else 'external'}"
    if tuple(map(int, version.split(".")[:2])) >= OLDEST_REDIS:
        return Finding("Redis", OK, found)
    return Finding("Redis", BAD, found, "Dateline needs Redis 6.2, or Valkey")


def _state(settings: Config) -> Iterator[Finding]:
    from pipeline.commands.running import database

    database.prepare()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting and settings.embedded_postgres:
        yield Finding("schema", OK, f"{waiting} migrations will run when Dateline starts")
        return
    if waiting:
        yield Finding("schema", BAD, f"{waiting} migrations have not run", "run: dateline manage migrate")
        return
    yield Finding("schema", OK, "current")
    yield from _first_steps()


def _first_steps() -> Iterator[Finding]:
    from pipeline.editions.models import Newsletter
    from pipeline.sources.models import Source
    from pipeline.staff.models import User

    for model, what, mend in (
        (User, "editors", "dateline create-editor you@example.org"),
        (Source, "sources", "dateline watch https://your-site.example/"),
        (
            Newsletter,
            "newsletters",
            'dateline create-newsletter "Morning Brief" --from brief@your-site.example',
        ),
    ):
        count = model.objects.count()
        yield Finding(what, OK if count else WARN, str(count), "" if count else mend)


def _mail(settings: Config) -> Finding:
    from pipeline.delivery.message.mail import NoMailServer, server

    try:
        relay = server(settings)
    except NoMailServer as error:
        return Finding("mail server", WARN, "none set", str(error))
    with _patience(5):
        try:
            socket.create_connection((relay.host, relay.port)).close()
        except OSError as error:
            return Finding(
                "mail server",
                BAD,
                f"{relay.host}:{relay.port}: {error}",
                "check DATELINE_SMTP_URL and the firewall",
            )
    return Finding("mail server", OK, f"{relay.host}:{relay.port} answers ({relay.security})")


def _hosting(settings: Config) -> Finding:
    from pipeline.engagement.asking.networks import hosting

    name = "DATELINE_HOSTING_NETWORKS"
    known, path = hosting(settings.hosting_networks), os.environ.get(f"{name}_FILE")
    found = f"{known.listed} of Dateline's own list"
    if settings.hosting_networks:
        found += f"; {known.added} added and {known.taken_out} taken out by {path or name}"
    if known.faults:
        return Finding("hosting networks", WARN, found, "left out, the rest is used: " + "; ".join(known.faults))
    return Finding("hosting networks", OK, found)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _postal(settings: Config) -> Finding:
    if settings.postal_address:
        return Finding("postal address", OK, settings.postal_address)
    return Finding(
        "postal address",
        WARN,
        "none set",
        "set DATELINE_POSTAL_ADDRESS: preflight holds editions without one",
    )
