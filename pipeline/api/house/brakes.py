"""The three brakes: telling, posting, sending. While one is pulled, nothing of that kind leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema

from pipeline.api.answers import Done, Why, among, told, turned
from pipeline.api.bearer import Asked, editor, poster
from pipeline.articles.gates import holds
from pipeline.delivery.course import brake as sending
from pipeline.posts.acts import brake as posting
from pipeline.staff.models import Stop, User

router = Router(tags=["brakes"])
Kind = Annotated[Stop.Kind, among(Stop.Kind)]
PULL: Mapping[Stop.Kind, Callable[..., bool]] = {
    Stop.Kind.TELLING: holds.stop_telling,
    Stop.Kind.POSTING: posting.pull,
    Stop.Kind.SENDING: sending.pull,
}
RELEASE: Mapping[Stop.Kind, Callable[..., bool]] = {
    Stop.Kind.TELLING: holds.resume_telling,
    Stop.Kind.POSTING: posting.release,
    Stop.Kind.SENDING: sending.release,
}


class BrakeRow(Schema):
    """A brake that is pulled."""

    kind: str
    at: datetime
    by: str | None
    reason: str


class BrakeList(Schema):
    """Those that are pulled; none is good news."""

    brakes: list[BrakeRow]


@router.get("/brakes", response=told(BrakeList), summary="Which brakes are pulled")
def list_brakes(request: Asked) -> BrakeList:  # noqa: ARG001
    """Every brake that somebody pulled, the oldest first."""
    return BrakeList(brakes=pulled())


@router.post("/brakes/{kind}/pull", response=told(Done), summary="Pull a brake")
def pull_brake(request: Asked, kind: Kind, body: Why) -> Done:
    """Stop everything of this kind. Everybody sees the reason while it lasts."""
    done = PULL[kind](actor=_may(request, kind), now=timezone.now(), reason=body.reason)
    done, message = turned(done, said=f"Stopped: {kind.value}.")
    return Done(done=done, message=message)


@router.post("/brakes/{kind}/release", response=told(Done), summary="Let go of a brake")
def release_brake(request: Asked, kind: Kind) -> Done:
    """What waited goes on, by its rules."""
    done = RELEASE[kind](actor=_may(request, kind), now=timezone.now())
    done, message = turned(done, said=f"Goes on: {kind.value}.")
    return Done(done=done, message=message)


def pulled() -> list[BrakeRow]:
    """The brakes that are pulled. One query."""
    rows = Stop.objects.select_related("by").order_by("at")
    return [BrakeRow(kind=row.kind, at=row.at, by=str(row.by) if row.by else None, reason=row.reason) for row in rows]


def _may(request: Asked, kind: Stop.Kind) -> User:
    return poster(request) if kind == Stop.Kind.POSTING else editor(request)
