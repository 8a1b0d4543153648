"""The door as an ASGI application, called as a server would call it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from pipeline.tracking.app import DoorSettings, create_app


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Opened(NamedTuple):
    """A started application."""

    application: Any

    async def get(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        client: str = "203.0.113.7",
    ) -> Answer:
        """`path` with its query, if any, as it stands on the wire."""
        path, _, query = path.partition("?") if path.startswith(("/b", "/popular")) else (path, "", "")
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": raw}
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application({**scope, "client": (client, 50000)}, _no_body, send)
        start, body = sent
        names = [name for name, _ in start["headers"]]
        assert len(names) == len(set(names))
        return Answer(start["status"], dict(start["headers"]), body["body"])


async def _no_body() -> dict[str, Any]:
    raise AssertionError("the door reads no body")


@asynccontextmanager
async def opened(options: DoorSettings) -> AsyncIterator[Opened]:
    application = create_app(options)
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(application({"type": "lifespan"}, inbox.get, outbox.put))
    inbox.put_nowait({"type": "lifespan.startup"})
    started = await outbox.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield Opened(application)
    finally:
        inbox.put_nowait({"type": "lifespan.shutdown"})
        await life
