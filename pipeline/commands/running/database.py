"""Django with its engines, for commands that need the database."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from pipeline.kernel.config import config
from pipeline.kernel.processes.engines import running


def prepare() -> None:
    """Set Django up in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline.settings")
    import django

    django.setup()


def migrate() -> None:
    """Bring the database to the newest schema; quick when it is there already."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


@contextlib.contextmanager
def ready() -> Iterator[None]:
    """Engines answering, Django set up, schema current, for the length of a block."""
    with running(config()):
        prepare()
        migrate()
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()
