"""Wall clocks that step: Python imports this at its start, where the rig put the directory on the path.

Every other process of Dateline reads its time CHAOS_CLOCK's seconds off; the database's clock and the monotonic one stay
true, as they do when somebody sets a machine's clock.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

_true = timezone.now


def _skewed() -> datetime:
    off = float(Path(os.environ["CHAOS_CLOCK"]).read_text() or 0) if os.getpid() % 2 else 0.0
    return _true() + timedelta(seconds=off)


if "CHAOS_CLOCK" in os.environ:
    timezone.now = _skewed
