"""A site that commands may reach through the configuration, as an operator would allow it, and a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from pipeline.kernel.config import config
from pipeline.kernel.outbound import client
from tests.factories.web_site import WebSite, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSite]:
    """A site in DATELINE_FETCH_ALLOW."""
    with serving() as running:
        monkeypatch.setenv("DATELINE_FETCH_ALLOW", running.place)
        config.cache_clear()
        client._client.cache_clear()
        yield running
        monkeypatch.undo()
        client.client().close()
        config.cache_clear()
        client._client.cache_clear()


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Someone at a terminal types a line; standard input is that terminal."""
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield partial(_type, keyboard)
    os.close(keyboard)


def _type(keyboard: int, line: str) -> None:
    os.write(keyboard, f"{line}\n".encode())
