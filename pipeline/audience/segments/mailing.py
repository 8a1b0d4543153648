"""What a segment does to an edition's audience, at the moment it is frozen."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from pipeline.audience.models import Segment
from pipeline.audience.segments.compiling import NOBODY, segment_clause
from pipeline.audience.segments.rules import UnreadableRule, parsed

log = logging.getLogger("dateline.audience")


def narrowing(segment: Segment | None, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """(condition for `recipients.due`, its parameters). A rule that cannot be read chooses nobody, and the log says so.

    Asked once, at the freeze: a reader who stops matching while mail leaves has not left, and keeps the edition.
    """
    if segment is None:
        return "", {}
    try:
        return segment_clause(parsed(segment.rule), now=now)
    except UnreadableRule as error:
        log.warning("segment %s cannot be read, so nobody is mailed for it: %s", segment.slug, error)
        return NOBODY, {}
