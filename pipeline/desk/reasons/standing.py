"""Where an edition stands, why, and what happens next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pipeline.desk.frame import zone_of
from pipeline.desk.reasons.codes import EDITION, sentence
from pipeline.desk.words import CLOCK, readable
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.pages import ago, local


def edition(row: Edition, *, now: datetime) -> str:
    """What state an edition is in, why, and what happens next, in a sentence or two."""
    zone = zone_of(row.newsletter)
    if row.code:
        return sentence(EDITION, row.code, row.params, zone=zone)
    told = _EDITIONS.get(row.state)
    return told(row, zone, now) if told else f"It is {readable(row.state)}."


def _planned(row: Edition, zone: str, now: datetime) -> str:
    begins = row.slot_at - timedelta(seconds=row.newsletter.compose_before_s)
    return f"It is put together at {local(begins, zone, CLOCK)} ({ago(begins, now)})."


def _ready(row: Edition, zone: str, now: datetime) -> str:
    slot = local(row.slot_at, zone, CLOCK)
    if row.newsletter.approval == Newsletter.Approval.RULES:
        return f"It leaves by itself at {slot} ({ago(row.slot_at, now)}); nobody has to approve it."
    if row.slot_at <= now:
        return "It waits for approval; its time has passed, so it leaves after the undo window once someone approves."
    policy = _UNAPPROVED[row.newsletter.unapproved]
    return f"It waits for approval. If nobody approves it by {slot} ({ago(row.slot_at, now)}), it is {policy}."


_UNAPPROVED = {"hold": "held", "send": "sent as it is", "lead": "sent with its lead alone"}


def _approved(row: Edition, zone: str, now: datetime) -> str:
    who = f"{row.approved_by} approved it" if row.approved_by else "It was approved by rule"
    leaves = row.leaves_at or row.slot_at
    return f"{who}. It leaves at {local(leaves, zone, CLOCK)} ({ago(leaves, now)}) and can be taken back until then."


_EDITIONS: Mapping[str, Callable[[Edition, str, datetime], str]] = {
    "planned": _planned,
    "collecting": lambda *_: "It is being put together; a moment.",
    "ready": _ready,
    "approved": _approved,
    "sending": lambda *_: "It is leaving now.",
    "sent": lambda row, zone, now: (
        f"It was handed over by {local(row.ended_at, zone, CLOCK)} ({ago(row.ended_at, now)})."
    ),
    "skipped": lambda *_: "It was skipped; its stories stay candidates for the next one.",
    "held": lambda *_: "It is held until someone decides.",
}
