"""A database as the first `dateline up` leaves it, made once a process: a house that is not about its first start takes a copy."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def lay(data_dir: Path) -> None:
    """Put a migrated and empty database where the engine of this directory will look for its own."""
    subprocess.run(["/bin/cp", "-a", str(_made()), str(data_dir / "postgres")], check=True)


@functools.cache
def _made() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="dl-", dir="/tmp"))  # short: sockets live in it
    directory.chmod(0o755)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATELINE_", "DJANGO_"))}
    migrate = [sys.executable, "-m", "pipeline", "manage", "migrate", "--no-input", "--skip-checks", "-v0"]
    environ = {**kept, "DATELINE_DATA_DIR": str(directory), "PYTHONPATH": str(Path.cwd())}
    subprocess.run(migrate, env=environ, check=True, capture_output=True, timeout=120)
    return directory / "postgres"
