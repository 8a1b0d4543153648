"""A network that says what a test tells it to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.scripted import Script, scripted


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as told:
        yield told
