"""Sources: how they are, and what people do to one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Before, Done, Id, Size, part, told, turned
from pipeline.api.bearer import Asked, editor
from pipeline.sources import health, steer
from pipeline.sources.models import Source
from pipeline.staff.models import User

router = Router(tags=["sources"])
SITE = "/sources/{int:source_id}"


class HealthRow(Schema):
    """What is known of how it is, as a code with its parameters."""

    code: str
    params: dict[str, Any]


class SourceRow(Schema):
    """A site that is watched."""

    id: int
    name: str
    home_url: str
    state: str
    zone: str
    is_ours: bool
    poll_s: int
    settle_s: int
    daily_budget: int | None
    cautious_until: datetime | None
    cautious_because: str
    last_success_at: datetime | None
    last_error: str
    health: list[HealthRow] = Field(description="the worst first")


class SourcePage(Schema):
    """A page of sources, the newest first."""

    sources: list[SourceRow]
    next: int | None


class SourceDone(Done):
    """What came of an act on a source, and the source after it."""

    source: SourceRow


@router.get("/sources", response=told(SourcePage), summary="List sources")
def list_sources(request: Asked, before: Before = None, size: Size = 25) -> SourcePage:  # noqa: ARG001
    """Sites with their health, the newest first."""
    rows, following = part(Source.objects.all(), before=before, size=size)
    return SourcePage(sources=_rows(rows), next=following)


@router.get(SITE, response=told(SourceRow), summary="One source")
def show_source(request: Asked, source_id: Id) -> SourceRow:  # noqa: ARG001
    """A site with its health."""
    return _rows([get_object_or_404(Source, id=source_id)])[0]


@router.post(f"{SITE}/pause", response=told(SourceDone), summary="Pause a source")
def pause_source(request: Asked, source_id: Id) -> SourceDone:
    """Nobody looks until someone resumes; stories we have stay as they are."""
    actor = steering(request, source_id)
    done = steer.pause(source_id=source_id, actor=actor, now=timezone.now())
    return done_to(source_id, *turned(done, said="Paused."))


@router.post(f"{SITE}/resume", response=told(SourceDone), summary="Resume a source")
def resume_source(request: Asked, source_id: Id) -> SourceDone:
    """Watched again, beginning now."""
    actor = steering(request, source_id)
    done = steer.resume(source_id=source_id, actor=actor, now=timezone.now())
    return done_to(source_id, *turned(done, said="Watched again."))


@router.post(f"{SITE}/look", response=told(SourceDone), summary="Look now")
def look_now(request: Asked, source_id: Id) -> SourceDone:
    """Ask the site at once, by every way that may be asked; `done` is false where none may."""
    actor = steering(request, source_id)
    ways = steer.look_now(source_id=source_id, actor=actor, now=timezone.now())
    return done_to(source_id, bool(ways), f"Looked at now by {ways} ways.")


@router.post(f"{SITE}/end-caution", response=told(SourceDone), summary="End a caution")
def end_caution(request: Asked, source_id: Id) -> SourceDone:
    """Trust it again; what was held stays held."""
    actor = steering(request, source_id)
    done = steer.end_caution(source_id=source_id, actor=actor, now=timezone.now())
    return done_to(source_id, *turned(done, said="Trusted again from now on."))


def source_row(source_id: int) -> SourceRow:
    """The source as it is now."""
    return _rows([Source.objects.get(id=source_id)])[0]


def _rows(found: list[Source]) -> list[SourceRow]:
    """Sources with their health; a handful of queries, however many there are."""
    told_ = health.of(now=timezone.now(), source_ids=[row.id for row in found])
    same = [name for name in SourceRow.model_fields if name != "health"]
    return [
        SourceRow(
            **{name: getattr(row, name) for name in same},
            health=[HealthRow(code=one.code.value, params=dict(one.params)) for one in told_.get(row.id, ())],
        )
        for row in found
    ]


def steering(request: Asked, source_id: int) -> User:
    """Whoever asks, if they may steer; a source that is not there is not found."""
    actor = editor(request)
    get_object_or_404(Source.objects.only("id"), id=source_id)
    return actor


def done_to(source_id: int, done: bool, message: str) -> SourceDone:
    """What came of an act, with the source as it is now."""
    return SourceDone(done=done, message=message, source=source_row(source_id))
