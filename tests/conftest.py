"""Engines for the tests: our own PostgreSQL and Valkey, started once a run and worker, stopped with it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

#: Dozens of processes of ours are started here, and each would compile all of ours again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
#: Set before anything reads the configuration; each xdist worker has engines of its own.
_DATA = Path(tempfile.mkdtemp(prefix="dateline-test-"))
_DATA.chmod(0o755)  # as root, PostgreSQL runs as another user and must reach its directory
for _name in [name for name in os.environ if name.startswith("DATELINE_")] + ["DATABASE_URL", "REDIS_URL"]:
    os.environ.pop(_name, None)
os.environ["DATELINE_DATA_DIR"] = str(_DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "pipeline.settings"
os.environ["DATELINE_POSTAL_ADDRESS"] = "The Meridian Dispatch, 12 Harbour Row, 1000 Brussels"

import django  # noqa: E402

django.setup()
#: Not in the ini and not handed on to xdist's workers: pytest-django would read the settings, and with them the
#: data directory, before this file has named one for the process.
del os.environ["DJANGO_SETTINGS_MODULE"]

from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402

from pipeline.kernel.config import config  # noqa: E402
from pipeline.kernel.processes.engines import Engines  # noqa: E402

#: How long an example takes is the machine's affair: a property failed on its 200 ms beside other work, and never alone.
settings.register_profile("dateline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dateline")

#: Somebody who guesses passwords is slowed down by a million rounds; tests know theirs. Houses keep the million.
PBKDF2PasswordHasher.iterations = 1000


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The engines of this run. What they hold is thrown away, so they wait for no disk; houses of their own do."""
    with Engines(config()) as started:
        with psycopg.connect(config().database_url, autocommit=True) as link:
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                link.execute(f"ALTER SYSTEM SET {name} = off".encode())
            link.execute("SELECT pg_reload_conf()")
        yield started


@pytest.fixture(scope="session")
def django_db_modify_db_settings(engines: Engines) -> None:
    """pytest-django asks for this before it makes the test database: the engine must be up."""


def pytest_unconfigure() -> None:
    shutil.rmtree(_DATA, ignore_errors=True)
