"""The application the end-to-end tests serve: the real door with short waits, its links from the snapshot."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from pipeline.tracking.app import DoorSettings, create_app
from pipeline.tracking.links import Row
from pipeline.tracking.site.sources import Drawn


class Away:
    """A database that is never there: the door lives on what it has on disk."""

    async def since(self, revision: int, *, limit: int) -> list[Row]:
        raise ConnectionError(f"no rows after {revision}, nor any of {limit}")

    async def of(self, origin: int) -> list[Row]:
        raise ConnectionError(f"no rows of {origin}")

    async def charts(self, *, known: Collection[str]) -> list[Drawn]:
        raise ConnectionError(f"no charts beside {len(known)}")

    async def article(self, url: str) -> int | None:
        raise ConnectionError(f"no article at {url}")


app = create_app(
    DoorSettings(
        secret_key=os.environ["TEST_SECRET"],
        data_dir=Path(os.environ["TEST_HOME"]),
        redis_url=os.environ["TEST_REDIS"],
        database_url="",
        home_url="https://www.example.org",
        replay_after_s=float(os.environ["TEST_REPLAY"]),
        poll_s=0.1,
        links=Away(),
        site=Away(),
    )
)
