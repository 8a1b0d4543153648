"""A newsletter's settings: read as sentences and as fields, tried, changed by whoever has seen them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AfterValidator, StringConstraints

from pipeline.api.answers import (
    NOTHING,
    Done,
    Id,
    Line,
    Refusing,
    Word,
    among,
    one_line,
    one_of,
    several_lines,
    told,
)
from pipeline.api.bearer import Asked, head_of
from pipeline.api.house.newsletters import LETTER, RunRow, run_rows
from pipeline.api.rules.times import CadenceBody
from pipeline.editions.designs.look import PAPERS, TYPEFACES
from pipeline.editions.models import Newsletter
from pipeline.engagement.models import Mode
from pipeline.schedule.newsletters import changing, sentences, trying
from pipeline.schedule.newsletters.changing import LATE_POLICIES, LOOKS
from pipeline.schedule.newsletters.making import DESIGNS
from pipeline.staff.models import User

router = Router(tags=["newsletters"])
SEEN = "Compare `current` with what you want, and send its `seen`."
Span = Annotated[int, Field(ge=0, le=30 * 86400, description="seconds")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(one_line)]
Hours = Annotated[int, Field(ge=0, le=24 * 60)]
Mark = Annotated[str, Field(min_length=1, max_length=64, description="`seen` of what you looked at")]


class SettingsBody(Schema):
    """What is to be otherwise. What is left out stays, and so does null, but for `segment_id` and `owner_id`: none."""

    name: Name | None = None
    cadence: CadenceBody | None = None
    cutoff_before_s: Span | None = None
    compose_before_s: Span | None = None
    undo_s: Span | None = None
    approval: Annotated[Newsletter.Approval, among(Newsletter.Approval)] | None = None
    unapproved: Annotated[Newsletter.Unapproved, among(Newsletter.Unapproved)] | None = None
    minimum: Annotated[int, Field(ge=1, le=100)] | None = None
    below_minimum: Annotated[Newsletter.BelowMinimum, among(Newsletter.BelowMinimum)] | None = None
    max_age_h: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    first_window_h: Hours | None = None
    carry_editions: Annotated[int, Field(ge=0, le=30)] | None = None
    late_after_s: Span | None = None
    late_policy: Annotated[str, *one_of(LATE_POLICIES)] | None = None
    keeps_s: Span | None = None
    pace_s: Span | None = None
    at_readers_clock: bool | None = None
    segment_id: Id | None = None
    most_drift_pct: Annotated[int, Field(ge=1, le=1000)] | None = None
    on_kill: Annotated[Newsletter.OnKill, among(Newsletter.OnKill)] | None = None
    in_doubt: Annotated[Newsletter.InDoubt, among(Newsletter.InDoubt)] | None = None
    is_archived: bool | None = None
    tracking: Annotated[Mode, among(Mode)] | None = None
    asks_again: bool | None = None
    from_name: Name | None = None
    from_address: Annotated[str, StringConstraints(min_length=3, max_length=254), AfterValidator(one_line)] | None = (
        None
    )
    reply_to: Word | None = None
    owner_id: Id | None = None
    design: Annotated[str, *one_of(DESIGNS)] | None = None
    accent: Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$")] | None = None
    paper: Annotated[str, *one_of(("", *PAPERS))] | None = None
    typeface: Annotated[str, *one_of(("", *TYPEFACES))] | None = None
    tagline: Annotated[str, StringConstraints(max_length=120), AfterValidator(one_line)] | None = None
    logo_url: Annotated[str, Field(max_length=500, pattern=r"^(https?://[^\s\x00\"<>]+)?$")] | None = None
    postal_address: Annotated[str, StringConstraints(max_length=300), AfterValidator(several_lines)] | None = None

    def wanted(self, row: Newsletter) -> dict[str, Any]:
        """As `changing.change` takes it."""
        given = self.model_dump(mode="json", exclude_unset=True)
        plain = {
            name: value for name, value in given.items() if value is not None or name in ("segment_id", "owner_id")
        }
        if self.cadence is not None:
            plain["cadence"] = self.cadence.cadence(row.cadence)
        return {f"masthead.{name}" if name in LOOKS else name: value for name, value in plain.items()}


class ChangeBody(Schema):
    """What is to be otherwise, what was looked at, and why."""

    seen: Mark
    settings: SettingsBody
    reason: Line = ""


class SentenceRow(Schema):
    """A setting as a sentence."""

    about: str
    said: str


class SettingsRow(Schema):
    """How a newsletter works, as it is kept."""

    id: int
    seen: str = Field(description="stands for all of it: send it with a change")
    sentences: list[SentenceRow]
    settings: dict[str, Any] = Field(description="by the names a change takes")


class ChangeRow(Schema):
    """A sentence that would be another."""

    about: str
    before: str
    after: str


class Effect(Schema):
    """What a change would mean. Nothing was changed."""

    refused: str = Field(description='why it would not be done; "" where it would')
    changes: list[ChangeRow]
    runs: list[RunRow] = Field(description="the next five as they would be")
    trouble: str


class SettingsDone(Done):
    """What came of a change, and the settings after it."""

    settings: SettingsRow


@router.get(f"{LETTER}/settings", response=told(SettingsRow), summary="A newsletter's settings")
def show_settings(request: Asked, newsletter_id: Id) -> SettingsRow:  # noqa: ARG001
    """As sentences, and as the fields a change takes, with the mark of what was seen."""
    return settings_row(newsletter_id)


@router.post(f"{LETTER}/settings/try", response=told(Effect), summary="Try other settings")
def try_settings(request: Asked, newsletter_id: Id, body: SettingsBody) -> Effect:
    """Which sentences would be others, and what the next five runs would carry. Nothing is kept."""
    actor, row, now = head_of(request, newsletter_id), get_object_or_404(Newsletter, id=newsletter_id), timezone.now()
    wanted = _wanted(body, row)
    return effect_of(
        trying.tried(row, lambda: changing.change(newsletter_id=row.id, wanted=wanted, seen="", actor=actor, now=now), now=now)
    )  # fmt: skip


@router.post(f"{LETTER}/settings/change", response=told(SettingsDone), summary="Change settings")
def change_settings(request: Asked, newsletter_id: Id, body: ChangeBody) -> SettingsDone:
    """All of them or none, if nobody changed any since they were seen; approved editions leave as they are."""
    actor, row = head_of(request, newsletter_id), get_object_or_404(Newsletter, id=newsletter_id)
    wanted, before = _wanted(body.settings, row), settings_row(row.id)
    how: dict[str, Any] = {"seen": body.seen, "actor": actor, "now": timezone.now(), "reason": body.reason}
    said = changed(
        lambda: changing.change(newsletter_id=row.id, wanted=wanted, **how),
        already=lambda: _is_so(row, wanted), current=lambda: settings_row(row.id),
    )  # fmt: skip
    after = settings_row(row.id)
    return SettingsDone(done=after.seen != before.seen, message=said, settings=after)


def changed(change: Callable[[], str], *, already: Callable[[], bool], current: Callable[[], Schema]) -> str:
    """What a change says of itself; a repeat is none. Raises Refusing where somebody was there in between."""
    try:
        return change()
    except changing.Overtaken as error:
        if not already():
            raise Refusing(409, "conflict", str(error), hint=SEEN, current=current()) from error
        return f"It was so already. {NOTHING}"


def settings_row(newsletter_id: int) -> SettingsRow:
    """The settings as they are now."""
    found = Newsletter.objects.select_related("segment", "topic", "owner", "design_version__design")
    row = get_object_or_404(found, id=newsletter_id)
    values = {name.removeprefix("masthead."): value for name, value in changing.values_of(row).items()}
    return SettingsRow(
        id=row.id, seen=changing.mark_of(row),
        sentences=[SentenceRow(about=about, said=said) for about, said in sentences.settings(row)],
        settings={name: values[name] for name in SettingsBody.model_fields},
    )  # fmt: skip


def effect_of(found: trying.Effect) -> Effect:
    """As programs read it."""
    changes = [ChangeRow(about=about, before=before, after=after) for about, before, after in found.changes]
    return Effect(refused=found.refused, changes=changes, runs=run_rows(found.runs), trouble=found.trouble)


def _wanted(body: SettingsBody, row: Newsletter) -> dict[str, Any]:
    """Raises Refusing for an owner who does not work here any more."""
    if body.owner_id is not None and not User.objects.filter(id=body.owner_id, is_active=True).exists():
        raise Refusing(
            422, "unread", "owner_id: nobody who works here has this number.", hint="GET /people lists them."
        )
    return body.wanted(row)


def _is_so(row: Newsletter, wanted: dict[str, Any]) -> bool:
    kept = changing.values_of(row)
    return all(kept[name] == value for name, value in wanted.items())
