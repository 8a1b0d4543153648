"""`dateline create-newsletter`: a newsletter with sensible blocks, to be changed at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.models import Topic
from pipeline.commands.unusable import UnusableInput
from pipeline.editions.models import Block, Newsletter
from pipeline.schedule.slots import Cadence, CadenceError, slots

BLOCKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lead", "", {"count": 1}),
    ("top", "Top stories", {"count": 7, "per_section": 2}),
    ("popular", "Most popular", {"count": 5}),
)
#: Folders below templates/email/editions.
DESIGNS = ("morning", "section", "weekly", "breaking")


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
    if kind not in Newsletter.Kind.values:
        raise UnusableInput(f"kind is one of {', '.join(Newsletter.Kind.values)}")
    if design and design not in DESIGNS:
        raise UnusableInput(f"design is one of {', '.join(DESIGNS)}")
    slug = slugify(name)
    if not slug or Newsletter.objects.filter(slug=slug).exists():
        raise UnusableInput(f"there is a newsletter {slug!r} already" if slug else f"{name!r} is no name")
    if approval not in Newsletter.Approval.values:
        raise UnusableInput(f"approval is one of {', '.join(Newsletter.Approval.values)}")
    newsletter = _made(
        slug,
        name,
        cadence=_cadence(at, zone, every_s) if kind == Newsletter.Kind.DIGEST else {"kind": "manual", "zone": zone},
        sender=_address(sender),
        publisher=publisher or name,
        zone=zone,
        home_url=home_url,
        approval=approval,
        kind=kind,
        design=design,
    )
    coming = slots(
        Cadence.from_json(newsletter.cadence), after=timezone.now(), until=timezone.now() + timedelta(days=8)
    )
    first = coming[0].at.strftime("%Y-%m-%dT%H:%M:%SZ") if coming else None
    blocks = [f"{block.kind}: {block.rule}" for block in newsletter.blocks.all()]
    return {
        "newsletter": slug,
        "topic": slug,
        "kind": kind,
        "first_leaves": first,
        "approval": approval,
        "blocks": blocks,
        "warnings": [],
    }


def _cadence(at: str, zone: str, every_s: int | None) -> dict[str, Any]:
    record = (
        {"kind": "interval", "zone": zone, "every_s": every_s}
        if every_s
        else {"kind": "daily", "zone": zone, "at": [at]}
    )
    try:
        return Cadence.from_json(record).to_json()
    except CadenceError as error:
        raise UnusableInput(str(error)) from error


def _address(sender: str) -> str:
    try:
        return normal(sender)
    except NotAnAddress as error:
        raise UnusableInput(str(error)) from error


@transaction.atomic
def _made(
    slug: str,
    name: str,
    *,
    cadence: dict[str, Any],
    sender: str,
    publisher: str,
    zone: str,
    home_url: str,
    approval: str,
    kind: str,
    design: str,
) -> Newsletter:
    topic, _ = Topic.objects.get_or_create(slug=slug, defaults={"name": name})
    quick = {"compose_before_s": 2, "cutoff_before_s": 1, "undo_s": 0} if "every_s" in cadence else {}
    alert = kind == Newsletter.Kind.ALERT
    more = quick | ({"minimum": 1} if alert else {})
    newsletter = Newsletter.objects.create(
        slug=slug, name=name, topic=topic, cadence=cadence, from_name=publisher, from_address=sender, approval=approval,
        masthead={"zone": zone, "home_url": home_url, "design": design}, created_at=timezone.now(), kind=kind, **more,
    )  # fmt: skip
    for position, (sort, title, rule) in enumerate(BLOCKS[:1] if alert else BLOCKS, start=1):
        Block.objects.create(newsletter=newsletter, position=position, kind=sort, title=title, rule=rule)
    return newsletter
