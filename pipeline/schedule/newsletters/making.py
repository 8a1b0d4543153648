"""A newsletter with sensible blocks, to be changed at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.models import Topic
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Block, Newsletter
from pipeline.schedule.plan import plan_one
from pipeline.schedule.slots import Cadence, CadenceError
from pipeline.staff.journal import note
from pipeline.staff.models import User

BLOCKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lead", "", {"count": 1}),
    ("top", "Top stories", {"count": 7, "per_section": 2}),
    ("popular", "Most popular", {"count": 5}),
)
#: Folders below templates/email/editions.
DESIGNS = ("morning", "section", "weekly", "breaking")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new newsletter is to be. `cadence` is as `schedule.slots` reads it; an alert has no times of its own."""

    name: str
    sender: str
    publisher: str = ""
    cadence: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    home_url: str = ""
    approval: str = Newsletter.Approval.EDITOR
    kind: str = Newsletter.Kind.DIGEST
    design: str = ""


@transaction.atomic
def make(plan: Plan, *, now: datetime, actor: User | None = None) -> Newsletter:
    """Make it, and its editions of the next day. Raises Refused."""
    slug = _slug(plan.name)
    cadence, sender = _cadence(plan), _address(plan.sender)
    _known(plan)
    topic, _ = Topic.objects.get_or_create(slug=slug, defaults={"name": plan.name})
    quick = {"compose_before_s": 2, "cutoff_before_s": 1, "undo_s": 0} if "every_s" in cadence else {}
    alert = plan.kind == Newsletter.Kind.ALERT
    masthead = {"zone": plan.zone, "home_url": plan.home_url, "design": plan.design}
    made = Newsletter.objects.create(
        slug=slug, name=plan.name, topic=topic, cadence=cadence, from_name=plan.publisher or plan.name,
        from_address=sender, approval=plan.approval, masthead=masthead, created_at=now, kind=plan.kind,
        **quick, **({"minimum": 1} if alert else {}),
    )  # fmt: skip
    for position, (sort, title, rule) in enumerate(BLOCKS[:1] if alert else BLOCKS, start=1):
        Block.objects.create(newsletter=made, position=position, kind=sort, title=title, rule=rule)
    note(verb="make", subject="newsletter", subject_id=made.id, now=now, actor=actor, name=made.name)
    plan_one(made, now=now)
    return made


def _slug(name: str) -> str:
    slug = slugify(name)[:80]
    if not slug:
        raise Refused(f"{name!r} is no name: it needs a letter or a digit. Nothing was made.")
    if Newsletter.objects.filter(slug=slug).exists():
        raise Refused(f"There is a newsletter {slug!r} already. Nothing was made; choose another name.")
    return slug


def _known(plan: Plan) -> None:
    for value, allowed, what in (
        (plan.kind, Newsletter.Kind.values, "kind"),
        (plan.approval, Newsletter.Approval.values, "approval"),
        (plan.design or DESIGNS[0], DESIGNS, "design"),
    ):
        if value not in allowed:
            raise Refused(f"{what} is one of {', '.join(allowed)}. Nothing was made.")


def _cadence(plan: Plan) -> dict[str, Any]:
    wanted = plan.cadence if plan.kind == Newsletter.Kind.DIGEST else {"kind": "manual", "zone": plan.zone}
    try:
        return Cadence.from_json(wanted).to_json()
    except CadenceError as error:
        raise Refused(f"Its times cannot be used ({error}). Nothing was made.") from error


def _address(sender: str) -> str:
    try:
        return normal(sender)
    except NotAnAddress as error:
        raise Refused(f"{str(error)[:1].upper()}{str(error)[1:]}. Nothing was made.") from error
