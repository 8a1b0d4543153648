"""Newsletters: when they leave next, days off, a pause, an end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import MOST_ROWS, Day, Done, Id, Reason, Why, once, told
from pipeline.api.bearer import Asked, editor, touch
from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.departures import zone_of
from pipeline.editions.models import Newsletter
from pipeline.schedule import calendar
from pipeline.schedule.newsletters import trying
from pipeline.schedule.slots import CadenceError
from pipeline.staff.models import Grant

router = Router(tags=["newsletters"])
LETTER = "/newsletters/{int:newsletter_id}"


class NewsletterRow(Schema):
    """A newsletter."""

    id: int
    slug: str
    name: str
    kind: str
    state: str
    zone: str
    approval: str
    minimum: int


class NewsletterList(Schema):
    """Every newsletter, by name."""

    newsletters: list[NewsletterRow]


class RunRow(Schema):
    """A departure ahead, or a day without one."""

    at: datetime
    day: date = Field(description="on the newsletter's own calendar")
    off: str = Field(description='why it does not leave that day; "" where it does')
    note: str
    edition_id: int | None
    stories: list[str] = Field(description="headlines it would carry if it were composed now")


class NewsletterWhole(NewsletterRow):
    """A newsletter with its blocks and its next five runs."""

    cadence: dict[str, Any]
    blocks: list[dict[str, Any]]
    runs: list[RunRow]
    trouble: str = Field(description='why its times cannot be read; "" where they can')


class DayBody(Schema):
    """A day of the newsletter's own calendar."""

    day: Day


class DayOffBody(DayBody):
    """Which day has no edition, and why."""

    reason: Reason


class ResumeBody(Schema):
    """What becomes of the stories that came meanwhile."""

    gap: calendar.Gap = calendar.Gap.LEAVE


class EndBody(Schema):
    """Why it ends; without a last day it ends now."""

    reason: Reason
    last_day: Day | None = None


class NewsletterDone(Done):
    """What came of an act on a newsletter, and the newsletter after it."""

    newsletter: NewsletterRow


@router.get("/newsletters", response=told(NewsletterList), summary="List newsletters")
def list_newsletters(request: Asked) -> NewsletterList:  # noqa: ARG001
    """Every newsletter, ended ones last, the first hundred."""
    rows = list(Newsletter.objects.order_by("name", "id")[:MOST_ROWS])
    rows.sort(key=lambda row: row.state == Newsletter.State.ENDED)
    return NewsletterList(newsletters=[_row(row) for row in rows])


@router.get(LETTER, response=told(NewsletterWhole), summary="One newsletter")
def show_newsletter(request: Asked, newsletter_id: Id) -> NewsletterWhole:  # noqa: ARG001
    """A newsletter with the rules of its blocks and its next five runs, days off among them."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    runs, trouble = _runs(row, now=timezone.now())
    blocks = [dict(block) for block in row.blocks.values("position", "kind", "title", "rule")]
    return NewsletterWhole(**_row(row).dict(), cadence=row.cadence, blocks=blocks, runs=runs, trouble=trouble)


@router.post(f"{LETTER}/skip-day", response=told(NewsletterDone), summary="Skip a day")
def skip_day(request: Asked, newsletter_id: Id, body: DayOffBody) -> NewsletterDone:
    """No edition on this day; its stories stay candidates for the next."""
    return _acted(request, newsletter_id, calendar.skip_day, day=body.day, reason=body.reason)


@router.post(f"{LETTER}/leave-after-all", response=told(NewsletterDone), summary="Give a day off back")
def leave_after_all(request: Asked, newsletter_id: Id, body: DayBody) -> NewsletterDone:
    """Take back a day that was skipped, or leave on a holiday."""
    return _acted(request, newsletter_id, calendar.leave_after_all, day=body.day)


@router.post(f"{LETTER}/pause", response=told(NewsletterDone), summary="Pause a newsletter")
def pause_newsletter(request: Asked, newsletter_id: Id, body: Why) -> NewsletterDone:
    """No edition until it is resumed; what a person approved still leaves."""
    return _acted(request, newsletter_id, calendar.pause, so=Newsletter.State.PAUSED, reason=body.reason)


@router.post(f"{LETTER}/resume", response=told(NewsletterDone), summary="Resume a newsletter")
def resume_newsletter(request: Asked, newsletter_id: Id, body: ResumeBody) -> NewsletterDone:
    """It runs again; no slot that passed is made up for."""
    return _acted(request, newsletter_id, calendar.resume, so=Newsletter.State.ACTIVE, gap=body.gap)


@router.post(f"{LETTER}/end", response=told(NewsletterDone), summary="End a newsletter")
def end_newsletter(request: Asked, newsletter_id: Id, body: EndBody) -> NewsletterDone:
    """Never again, from now or after a last day. It stays ended."""
    how = {"reason": body.reason, "last_day": body.last_day}
    return _acted(request, newsletter_id, calendar.end, so=Newsletter.State.ENDED, **how)


def newsletter_row(newsletter_id: int) -> NewsletterRow:
    """The newsletter as it is now."""
    return _row(Newsletter.objects.get(id=newsletter_id))


def _row(row: Newsletter) -> NewsletterRow:
    same = ("id", "slug", "name", "kind", "state", "approval", "minimum")
    return NewsletterRow(**{name: getattr(row, name) for name in same}, zone=zone_of(row))


def _runs(row: Newsletter, *, now: datetime) -> tuple[list[RunRow], str]:
    try:
        return run_rows(trying.ahead(row, now=now)), ""
    except CadenceError as error:
        return [], str(error)


def run_rows(runs: Sequence[trying.Run]) -> list[RunRow]:
    """As programs read them."""
    return [
        RunRow(
            at=run.slot.at, day=run.slot.local_date, off=run.off or "", note=run.slot.note, stories=list(run.stories),
            edition_id=run.edition.id if run.edition else None,
        )
        for run in runs
    ]  # fmt: skip


def _acted(
    request: Asked, newsletter_id: int, act: Callable[..., str], *, so: Newsletter.State | None = None, **how: Any
) -> NewsletterDone:
    """Act; a newsletter that is in the state `so` already is answered as a repeat. The act itself says what happens."""
    actor, said = editor(request), []
    get_object_or_404(Newsletter.objects.only("id"), id=newsletter_id)
    touch(actor, Grant.Kind.NEWSLETTER, newsletter_id)
    done, message = once(
        lambda: said.append(act(newsletter_id=newsletter_id, actor=actor, now=timezone.now(), **how)),
        refused=Refused,
        already=lambda: Newsletter.objects.filter(id=newsletter_id, state=so).exists(),
        said="",
    )
    return NewsletterDone(done=done, message=message or said[0], newsletter=newsletter_row(newsletter_id))
