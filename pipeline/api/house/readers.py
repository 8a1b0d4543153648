"""One reader by exact address: what they chose and whether they are mailed. There is no list of readers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import Http404
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AfterValidator

from pipeline.api.answers import one_line, told
from pipeline.api.bearer import Asked, editor
from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.models import Subscriber, Suppression
from pipeline.staff.journal import note

router = Router(tags=["readers"])


class FindBody(Schema):
    """The address, in the body so that no server writes it into a log of addresses."""

    address: Annotated[str, Field(min_length=3, max_length=254), AfterValidator(one_line)]


class Choice(Schema):
    """A topic they follow, or left."""

    topic: str
    pace: str
    since: datetime
    left_at: datetime | None
    paused_until: datetime | None


class ReaderRow(Schema):
    """A reader."""

    id: int
    state: str
    language: str
    zone: str
    joined_at: datetime | None
    suppressed: str | None = Field(description="why they are not mailed, whatever they follow; null where they are")
    choices: list[Choice]


@router.post("/readers/find", response=told(ReaderRow), summary="Find a reader by address")
def find_reader(request: Asked, body: FindBody) -> ReaderRow:
    """The reader of exactly this address. Changes nothing; that somebody looked stands in the journal."""
    actor = editor(request)
    try:
        address = normal(body.address)
    except NotAnAddress as error:
        raise Http404(str(error)) from error
    reader = Subscriber.objects.filter(address=address).exclude(state=Subscriber.State.ERASED).first()
    if reader is None:
        raise Http404("Nobody has this address.")
    note(verb="look up", subject="reader", subject_id=reader.id, actor=actor, now=timezone.now())
    rows = reader.subscriptions.select_related("topic").order_by("topic__name")
    same = ("id", "state", "language", "zone", "joined_at")
    reason = Suppression.objects.filter(address_hash=reader.address_hash).values_list("reason", flat=True).first()
    return ReaderRow(
        **{name: getattr(reader, name) for name in same},
        suppressed=reason,
        choices=[
            Choice(topic=row.topic.slug, pace=row.pace, since=row.since, left_at=row.left_at, paused_until=row.paused_until)
            for row in rows
        ],
    )  # fmt: skip
