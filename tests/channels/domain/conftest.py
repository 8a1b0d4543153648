"""A name server on loopback, and a domain set up as it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.resolver
import pytest

from pipeline.channels.domain.ask import NameServers
from tests.factories.name_server import NameServer

Records = dict[tuple[str, str], list[str] | str]
Asked = Callable[[Records], NameServers]


def through(server: NameServer) -> NameServers:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    return NameServers(resolver)


@pytest.fixture
def ask() -> Iterator[Asked]:
    """What these records answer."""
    with ExitStack() as stack:
        yield lambda records: through(stack.enter_context(NameServer(records)))
