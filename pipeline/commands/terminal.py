"""What all verbs share: JSON on standard output, one clear line for an error, engines where a verb needs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer

UNUSABLE = 2


def config() -> Any:
    """The settings of this process. Raises ConfigError."""
    from pipeline.kernel.config import config as known

    return known()


@contextmanager
def database(name: str) -> Iterator[Any]:
    """The module of a (db) verb below pipeline.commands, imported once engines answer and Django is set up."""
    from pipeline.commands.running import database as engines

    with in_words(), engines.ready():
        yield import_module(f"pipeline.commands.{name}")


@contextmanager
def in_words() -> Iterator[None]:
    """Errors a person can meet end in one clear line and exit code 2; bugs keep their traceback."""
    from pipeline.commands.unusable import UnusableInput
    from pipeline.kernel.config import ConfigError
    from pipeline.kernel.processes.faults import EngineError, PortTaken

    try:
        yield
    except (UnusableInput, ConfigError, EngineError, PortTaken, FileNotFoundError) as error:
        print(f"dateline: {error}", file=sys.stderr)
        raise typer.Exit(UNUSABLE) from None


def print_record(record: dict[str, Any]) -> None:
    """One JSON object in a line."""
    print(json.dumps(record, ensure_ascii=False), flush=True)


def print_lines(make: Callable[[], Iterable[dict[str, Any]]]) -> None:
    """A JSON object a line, each as soon as it is known."""
    with in_words():
        for record in make():
            print_record(record)
