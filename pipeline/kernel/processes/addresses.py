"""Where the embedded engines listen: a pure function of the data directory, so every process agrees."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import quote

#: sun_path holds 108 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock" to the directory's name.
LONGEST_SOCKET_DIR = 80


def socket_dir(data_dir: Path) -> Path:
    """The directory of both sockets: below the data directory, or a short twin of it where the path is too long."""
    inside = data_dir / "run"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIR:
        return inside
    digest = hashlib.blake2b(os.fsencode(data_dir), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir()) / f"dateline-{os.getuid()}-{digest}"


def database_url(data_dir: Path) -> str:
    """A libpq address for the embedded PostgreSQL."""
    return f"postgresql://dateline@/dateline?host={quote(str(socket_dir(data_dir)), safe='')}"


def redis_url(data_dir: Path) -> str:
    """A redis-py address for the embedded Valkey or Redis."""
    return f"unix://{socket_dir(data_dir) / 'redis.sock'}?db=0"


def kept_secret(path: Path) -> str:
    """Read the secret at `path`, writing one first where there is none. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if kept := path.read_text(encoding="ascii").strip():
            return kept
        handle = os.open(path, os.O_WRONLY | os.O_TRUNC, 0o600)
    secret = secrets.token_urlsafe(48)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret)
    return secret
