"""WebSub: leases at hubs."""

from __future__ import annotations

from datetime import datetime


def renew(*, push_id: int, now: datetime) -> None:
    """Ask a hub for a lease."""
    del push_id, now
