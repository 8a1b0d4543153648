from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.desk.reasons import standing
from pipeline.editions.models import Edition, Newsletter

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


def an_edition(**fields: Any) -> Edition:
    newsletter = Newsletter(name="Morning Brief", masthead={"zone": "Europe/Brussels"}, **fields.pop("newsletter", {}))
    return Edition(newsletter=newsletter, slot_at=NOW + timedelta(minutes=18), **fields)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": "planned"}, "It is put together at 05:45 CEST (27 min ago)."),
        ({"state": "ready"}, "It waits for approval. If nobody approves it by 06:30 CEST (in 18 min), it is held."),
        ({"state": "ready", "newsletter": {"unapproved": "send"}}, "It waits for approval. If nobody approves it by 06:30 CEST (in 18 min), it is sent as it is."),
        ({"state": "ready", "newsletter": {"approval": "rules"}}, "It leaves by itself at 06:30 CEST (in 18 min); nobody has to approve it."),
        ({"state": "approved"}, "It was approved by rule. It leaves at 06:30 CEST (in 18 min) and can be taken back until then."),
        ({"state": "skipped", "code": "below_minimum", "params": {"found": 2, "minimum": 3}}, "Only 2 of at least 3 stories were new. They stay candidates for the next edition."),
        ({"state": "skipped", "code": "by_editor", "params": {"who": "Ada", "why": "strike"}}, "Ada skipped it: “strike”."),
        ({"state": "killed"}, "It is killed."),
        ({"state": "held", "code": "moon_phase"}, "moon phase"),
    ],
)  # fmt: skip
def test_an_edition_says_what_happens_next(fields: dict[str, Any], told: str) -> None:
    assert standing.edition(an_edition(**fields), now=NOW) == told
