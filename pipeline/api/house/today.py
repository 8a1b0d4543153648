"""What needs a person now, what leaves today, and whom this token acts for."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import told
from pipeline.api.bearer import Asked
from pipeline.api.editions.shapes import EditionRow, edition_row, editions
from pipeline.api.house.brakes import BrakeRow, pulled
from pipeline.articles.gates import holds
from pipeline.delivery.models import Send
from pipeline.editions.models import Edition, Newsletter
from pipeline.posts.models import Post

router = Router(tags=["today"])
BACK, AHEAD, MOST = timedelta(days=1), timedelta(days=1), 40
NEEDING_SENDS = (Send.State.ASKING, Send.State.PAUSED)
NEEDING_POSTS = (Post.State.DRAFT, Post.State.HELD, Post.State.REJECTED, Post.State.UNKNOWN)


class Needs(Schema):
    """What waits for a person, counted."""

    editions: int = Field(description="held, or waiting for approval")
    sends: int = Field(description="paused, or asking whether the audience is meant")
    held_stories: int
    posts: int = Field(description="drafts, held, refused, or in doubt")


class Today(Schema):
    """The morning in one answer."""

    now: datetime
    needs: Needs
    editions: list[EditionRow] = Field(description="a day back and a day ahead, by slot")
    brakes: list[BrakeRow]


class Me(Schema):
    """Whom the token acts for, and what it may."""

    token: str
    owner: str
    role: str
    is_limited: bool = Field(description="acts only on the newsletters and accounts named here")
    newsletters: list[int]
    accounts: list[int]
    expires_at: datetime | None


@router.get("/today", response=told(Today), summary="Today")
def show_today(request: Asked) -> Today:  # noqa: ARG001
    """What needs a person, the editions about now, and the brakes that are pulled."""
    now = timezone.now()
    found = editions().filter(slot_at__gt=now - BACK, slot_at__lt=now + AHEAD).order_by("slot_at", "id")[:MOST]
    return Today(now=now, needs=_needs(), editions=[edition_row(row) for row in found], brakes=pulled())


@router.get("/me", response=told(Me), summary="This token")
def show_me(request: Asked) -> Me:
    """Whom this token acts for, with which role, limited to what, until when."""
    token, owner = request.auth, request.auth.owner
    grants = list(owner.grants.order_by("object_id").values_list("kind", "object_id"))
    return Me(
        token=token.name, owner=str(owner), role=owner.role, is_limited=owner.is_limited, expires_at=token.expires_at,
        newsletters=[pk for kind, pk in grants if kind == "newsletter"],
        accounts=[pk for kind, pk in grants if kind == "account"],
    )  # fmt: skip


def _needs() -> Needs:
    """Four queries."""
    asks = Q(state=Edition.State.HELD) | Q(state=Edition.State.READY, newsletter__approval=Newsletter.Approval.EDITOR)
    return Needs(
        editions=Edition.objects.filter(asks).count(),
        sends=Send.objects.filter(state__in=NEEDING_SENDS).count(),
        held_stories=holds.open_batches().order_by().count(),
        posts=Post.objects.filter(state__in=NEEDING_POSTS).count(),
    )
