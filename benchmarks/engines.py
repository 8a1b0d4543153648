"""Engines and a migrated database of their own for a benchmark, gone with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.kernel.config import Config, config


@contextmanager
def running() -> Iterator[Config]:
    """A fresh data directory with both engines; one per process, because settings are read once."""
    directory = Path(tempfile.mkdtemp(prefix="dl-bench-"))
    directory.chmod(0o755)
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    os.environ["DATELINE_DATA_DIR"] = str(directory)
    from pipeline.commands.running import database

    try:
        with database.ready():
            yield config()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
