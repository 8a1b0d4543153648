"""Wall-clock times and instants, under the name this room knows them by (kernel/clocks.py)."""

from __future__ import annotations

from pipeline.kernel.clocks import FIRST, MOVED, change, in_quiet_hours, next_allowed, resolved, zone_named

__all__ = ["FIRST", "MOVED", "change", "in_quiet_hours", "next_allowed", "resolved", "zone_named"]
