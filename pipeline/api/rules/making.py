"""A new newsletter, to be changed afterwards."""

from __future__ import annotations

from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema
from pydantic import AfterValidator, StringConstraints

from pipeline.api.answers import Zone, among, one_line, one_of, told
from pipeline.api.bearer import Asked, forbidden, head
from pipeline.api.house.newsletters import NewsletterDone, newsletter_row
from pipeline.api.rules.settings import Name
from pipeline.api.rules.times import CadenceBody
from pipeline.editions.models import Newsletter
from pipeline.schedule.newsletters.making import DESIGNS, Plan, make
from pipeline.sources.models import Source

router = Router(tags=["newsletters"])


class MakeBody(Schema):
    """What it is to be. An alert has no times of its own."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(one_line)]
    kind: Annotated[Newsletter.Kind, among(Newsletter.Kind)] = Newsletter.Kind.DIGEST
    cadence: CadenceBody | None = None
    zone: Zone = "UTC"
    approval: Annotated[Newsletter.Approval, among(Newsletter.Approval)] = Newsletter.Approval.EDITOR
    publisher: Name
    sender: Annotated[str, StringConstraints(min_length=3, max_length=254), AfterValidator(one_line)]
    design: Annotated[str, *one_of(DESIGNS)] = DESIGNS[0]


@router.post("/newsletters/make", response=told(NewsletterDone), summary="Make a newsletter")
def make_newsletter(request: Asked, body: MakeBody) -> NewsletterDone:
    """With blocks to begin with. Nothing leaves before its first time, and nobody gets it yet."""
    actor = head(request)
    if actor.is_limited:
        raise forbidden("makes newsletters: of somebody who is not limited to some")
    first = Source.objects.order_by("id").first()
    plan = Plan(
        name=body.name, sender=body.sender, publisher=body.publisher, zone=body.zone, approval=body.approval.value,
        cadence=body.cadence.cadence() if body.cadence else {"kind": "manual", "zone": body.zone}, kind=body.kind.value,
        home_url=first.home_url if first else "", design=body.design,
    )  # fmt: skip
    made = make(plan, now=timezone.now(), actor=actor)
    message = f"{made.name} is made. Nothing leaves before its first time, and nobody gets it yet."
    return NewsletterDone(done=True, message=message, newsletter=newsletter_row(made.id))
