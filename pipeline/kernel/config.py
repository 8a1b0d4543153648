"""The environment, read once into a frozen Config; every problem is listed at boot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.kernel.processes import addresses
from pipeline.kernel.signing import KEY_IDS, Keyring, ring

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
PRODUCTION, DEVELOPMENT = "production", "development"
MAILBOXES = ("imaps", "imap+starttls", "imap", "pop3s", "pop3+starttls", "pop3")


class ConfigError(Exception):
    """The environment cannot be used; the message lists every problem, one a line."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; each is documented in `.env.example` (tests/house checks that)."""

    environment: str
    secret_key: str = field(repr=False)
    older_secrets: tuple[str, ...] = field(repr=False)  #: oldest first; "" keeps the place of one that is retired
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    embedded_postgres: bool
    embedded_redis: bool
    site_url: str
    track_url: str
    bind: str
    web_port: int
    track_port: int
    smtp_url: str = field(repr=False)
    mail_from: str
    bounce_domain: str
    dkim_key: str = field(repr=False)
    dkim_selector: str
    dkim_domain: str
    bounce_mailbox: str = field(repr=False)
    postal_address: str
    fetch_allow: frozenset[str]
    quarantine_s: int
    trusted_hops: int
    hosting_networks: str
    workers: int
    log_level: str
    x_base_url: str

    @property
    def debug(self) -> bool:
        """True outside production: plain HTTP cookies are allowed and a missing secret is made up."""
        return self.environment != PRODUCTION

    @property
    def secrets(self) -> list[str]:
        """Every secret that is still believed, the newest first."""
        return [self.secret_key, *filter(None, reversed(self.older_secrets))]

    @property
    def keyring(self) -> Keyring:
        """What signs for readers, and checks what they bring back."""
        return ring(self.secret_key, self.older_secrets)

    @property
    def founding_secret(self) -> str:
        """The oldest: what is kept as a hash under it (addresses never to be mailed) cannot be hashed again."""
        return self.secrets[-1]


@dataclass(slots=True)
class _Reader:
    """Reads values by name, from NAME or from the file named by NAME_FILE, and collects problems."""

    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        if path := self.environ.get(f"{name}_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
                self.problems.append(f"{name}_FILE={path}: {why}")
                return default
        return self.environ.get(name, default).strip() or default

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        raw = self.text(name, str(default))
        if not (raw.isascii() and raw.isdigit()) or not low <= int(raw) <= high:
            self.problems.append(f"{name}={raw!r}: expected a whole number from {low} to {high}")
            return default
        return int(raw)

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        raw = self.text(name, default).rstrip("/")
        if raw and not _is_address(raw, schemes):
            shown = raw.rpartition("@")[2]  # a password stays out of the log
            self.problems.append(f"{name}={shown!r}: expected an address that begins with {' or '.join(schemes)}://")
        return raw

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        raw = self.text(name, default)
        if raw not in allowed:
            self.problems.append(f"{name}={raw!r}: expected one of {', '.join(allowed)}")
            return default
        return raw


def _is_address(raw: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(raw)
        return parts.scheme in schemes and bool(parts.netloc) and parts.port != 0
    except ValueError:
        return False


def load(environ: Mapping[str, str]) -> Config:
    """Read an environment. Raises ConfigError naming every setting that cannot be used."""
    read = _Reader(environ)
    environment = read.choice("DATELINE_ENV", DEVELOPMENT, (DEVELOPMENT, PRODUCTION))
    data_dir = Path(read.text("DATELINE_DATA_DIR", "var")).resolve()
    web_port = read.number("DATELINE_WEB_PORT", 8000, low=1, high=65535)
    track_port = read.number("DATELINE_TRACK_PORT", 8001, low=1, high=65535)
    database_url = read.text("DATABASE_URL")
    redis_url = read.text("REDIS_URL")
    config = Config(
        environment=environment,
        secret_key=read.text("DATELINE_SECRET_KEY") or _made_up_secret(read, environment, data_dir),
        older_secrets=_older_secrets(read),
        data_dir=data_dir,
        database_url=database_url or addresses.database_url(data_dir),
        redis_url=redis_url or addresses.redis_url(data_dir),
        embedded_postgres=not database_url,
        embedded_redis=not redis_url,
        site_url=read.url("DATELINE_SITE_URL", f"http://127.0.0.1:{web_port}", ("http", "https")),
        track_url=read.url("DATELINE_TRACK_URL", f"http://127.0.0.1:{track_port}", ("http", "https")),
        bind=read.text("DATELINE_BIND", "127.0.0.1"),
        web_port=web_port,
        track_port=track_port,
        smtp_url=read.url("DATELINE_SMTP_URL", "", ("smtp", "smtps", "smtp+starttls")),
        mail_from=read.text("DATELINE_MAIL_FROM", "digest@localhost.localdomain"),
        bounce_domain=read.text("DATELINE_BOUNCE_DOMAIN", "localhost.localdomain"),
        bounce_mailbox=read.url("DATELINE_BOUNCE_MAILBOX", "", MAILBOXES),
        dkim_key=read.text("DATELINE_DKIM_KEY"),
        dkim_selector=read.text("DATELINE_DKIM_SELECTOR"),
        dkim_domain=read.text("DATELINE_DKIM_DOMAIN"),
        postal_address=read.text("DATELINE_POSTAL_ADDRESS"),
        fetch_allow=frozenset(filter(None, read.text("DATELINE_FETCH_ALLOW").replace(",", " ").split())),
        quarantine_s=read.number("DATELINE_QUARANTINE_S", 30, low=1, high=3600),
        trusted_hops=read.number("DATELINE_TRUSTED_HOPS", 0, low=0, high=5),
        hosting_networks=read.text("DATELINE_HOSTING_NETWORKS"),
        workers=read.number("DATELINE_WORKERS", 2, low=1, high=64),
        log_level=read.choice("DATELINE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        x_base_url=read.url("DATELINE_X_BASE_URL", "", ("http", "https")),
    )
    _check_production(config, read.problems)
    if read.problems:
        raise ConfigError("Dateline cannot start with these settings:\n" + "\n".join(f"  - {p}" for p in read.problems))
    return config


@cache
def config() -> Config:
    """This process's settings, from os.environ."""
    return load(os.environ)


def _check_production(config: Config, problems: list[str]) -> None:
    if config.debug:
        return
    if len(config.secret_key) < 50:
        problems.append("DATELINE_SECRET_KEY: production needs at least 50 characters (`dateline doctor` prints one)")
    if config.fetch_allow:
        problems.append(
            "DATELINE_FETCH_ALLOW: opens the guard against private addresses; it must be empty in production"
        )
    problems.extend(
        f"{name}: production needs https://"
        for name, url in (("DATELINE_SITE_URL", config.site_url), ("DATELINE_TRACK_URL", config.track_url))
        if not url.startswith("https://")
    )


def _older_secrets(read: _Reader) -> tuple[str, ...]:
    told = read.text("DATELINE_SECRET_KEY_FALLBACKS")
    older = tuple(one.strip() for one in told.split(",")) if told else ()
    if len(older) >= len(KEY_IDS):
        read.problems.append(f"DATELINE_SECRET_KEY_FALLBACKS: {len(older)} secrets, and a link can name {len(KEY_IDS)}")
        return ()
    return older


def _made_up_secret(read: _Reader, environment: str, data_dir: Path) -> str:
    """A secret of our own making, kept in the data directory so that a second run reads the same tokens."""
    if environment == PRODUCTION:
        return ""
    path = data_dir / "secret_key"
    try:
        return addresses.kept_secret(path)
    except OSError as error:
        read.problems.append(f"DATELINE_SECRET_KEY is unset and {path} cannot be written: {error.strerror}")
        return ""
