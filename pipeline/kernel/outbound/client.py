"""This process's guarded client: one per process, because a connection pool does not survive a fork."""

from __future__ import annotations

import os
from functools import lru_cache

from pipeline.kernel.config import config
from pipeline.kernel.outbound.http import Client


def client() -> Client:
    """The client every outbound fetch of a worker goes through."""
    return _client(os.getpid())


@lru_cache(maxsize=1)
def _client(_pid: int) -> Client:
    return Client(site_url=config().site_url, allow=config().fetch_allow)
