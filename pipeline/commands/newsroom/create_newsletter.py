"""`dateline create-newsletter`: a newsletter with sensible blocks, to be changed at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from pipeline.commands.unusable import UnusableInput
from pipeline.editions.acts.review import Refused
from pipeline.schedule.newsletters.making import Plan, make
from pipeline.schedule.slots import Cadence, slots


def run(
    *,
    name: str,
    sender: str,
    publisher: str,
    at: str,
    zone: str,
    every_s: int | None,
    home_url: str,
    approval: str,
    kind: str = "digest",
    design: str = "",
) -> dict[str, Any]:
    """Make it; what it is and when it first leaves. Raises UnusableInput."""
    now = timezone.now()
    daily: dict[str, Any] = {"kind": "daily", "zone": zone, "at": [at]}
    cadence = {"kind": "interval", "zone": zone, "every_s": every_s} if every_s else daily
    plan = Plan(
        name=name, sender=sender, publisher=publisher, cadence=cadence, zone=zone, home_url=home_url, approval=approval,
        kind=kind, design=design,
    )  # fmt: skip
    try:
        newsletter = make(plan, now=now)
    except Refused as error:
        raise UnusableInput(str(error)) from error
    coming = slots(Cadence.from_json(newsletter.cadence), after=now, until=now + timedelta(days=8))
    return {
        "newsletter": newsletter.slug,
        "topic": newsletter.slug,
        "kind": kind,
        "first_leaves": coming[0].at.strftime("%Y-%m-%dT%H:%M:%SZ") if coming else None,
        "approval": approval,
        "blocks": [f"{block.kind}: {block.rule}" for block in newsletter.blocks.all()],
        "warnings": [],
    }
