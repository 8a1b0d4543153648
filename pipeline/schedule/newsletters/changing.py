"""Settings and blocks of a newsletter as people change them: whole, seen, and kept with old and new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.rules import Rule, UnusableRule
from pipeline.editions.models import Block, Edition, Newsletter
from pipeline.kernel.queue import Job, wake
from pipeline.schedule import calendar
from pipeline.schedule.slots import Cadence, CadenceError
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, Role, User
from pipeline.staff.people import may_touch

NOT_YOURS = "Only a desk head or an administrator changes how a newsletter works. Nothing was changed."
OVERTAKEN = "Somebody changed this while you were reading it. Nothing of yours was lost or applied: look at both, and save again."
FIELDS = (
    "name", "from_name", "from_address", "approval", "unapproved", "compose_before_s", "cutoff_before_s", "undo_s",
    "late_policy", "late_after_s", "minimum", "below_minimum", "carry_editions", "pace_s", "at_readers_clock",
    "most_drift_pct", "on_kill", "in_doubt", "keeps_s", "own_design", "segment_id", "is_archived", "tracking",
    "asks_again", "max_age_h", "first_window_h", "reply_to", "owner_id",
)  # fmt: skip
#: What the masthead says, changed under "masthead.<key>".
LOOKS = ("design", "tagline", "logo_url", "accent", "paper", "typeface", "language", "direction", "postal_address", "home_url", "publisher")  # fmt: skip
#: Positions are unique: while blocks are set anew, the old ones stand behind all others.
OUT_OF_THE_WAY = 1000
_ADDRESSES = ("from_address", "reply_to")
LATE_POLICIES = ("send", "render_again", "web_only", "hold")


class Overtaken(Refused):
    """Somebody else changed the same thing since it was read."""


@dataclass(frozen=True, slots=True)
class Part:
    """A block as a person wants it; the place in the list is its position. `id` None is a new one."""

    kind: str
    title: str = ""
    rule: Mapping[str, Any] | None = None
    id: int | None = None


def may_change(actor: User, newsletter_id: int) -> bool:
    """Whether this person decides how this newsletter works."""
    head = actor.is_active and actor.role in {Role.ADMIN, Role.HEAD}
    return head and may_touch(actor, Grant.Kind.NEWSLETTER, newsletter_id)


def values_of(row: Newsletter) -> dict[str, Any]:
    """Everything that can be changed of it, by the names `change` takes."""
    looks = {f"masthead.{key}": row.masthead.get(key, "") for key in LOOKS}
    return {**{name: getattr(row, name) for name in FIELDS}, **looks, "cadence": row.cadence}


def mark_of(row: Newsletter) -> str:
    """Stands for what a person saw: another mark, and somebody changed something since."""
    return _mark(values_of(row))


def mark_of_blocks(row: Newsletter) -> str:
    """The same for its blocks."""
    return _mark([[block.position, block.kind, block.title, block.rule] for block in row.blocks.all()])


def _mark(values: Any) -> str:
    return hashlib.blake2b(json.dumps(values, sort_keys=True, default=str).encode(), digest_size=12).hexdigest()


@transaction.atomic
def change(
    *, newsletter_id: int, wanted: Mapping[str, Any], seen: str, actor: User, now: datetime, reason: str = ""
) -> str:
    """Keep what differs of `wanted`, and say what happens now. `seen` "" looks at nothing. Raises Refused, Overtaken."""
    row = _locked(newsletter_id, actor=actor)
    if seen and seen != mark_of(row):
        raise Overtaken(OVERTAKEN)
    before = values_of(row)
    changed = {name: value for name, value in wanted.items() if value != before[name]}
    if not changed:
        return "Nothing differs from what was kept. Nothing was changed."
    said = ""
    if (cadence := changed.pop("cadence", None)) is not None and _differs(cadence, row.cadence):
        said = calendar.change(newsletter_id=row.id, cadence=cadence, actor=actor, now=now)
        row.refresh_from_db(fields=["cadence"])
    if changed:
        _keep(row, changed)
        told = {name: [before[name], value] for name, value in changed.items()}
        note(
            verb="change settings", subject="newsletter", subject_id=row.id, now=now, actor=actor, reason=reason[:200],
            changed=told,
        )  # fmt: skip
        _wake_drafts(row, now=now)
        said = f"Kept: {row.name} works by it from now on. Editions that are approved leave as they are. {said}".strip()
    return said or "Nothing differs from what was kept. Nothing was changed."


def _differs(wanted: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    try:
        return Cadence.from_json(wanted) != Cadence.from_json(kept)
    except CadenceError:
        return True


def _keep(row: Newsletter, changed: Mapping[str, Any]) -> None:
    names = [name for name in changed if not name.startswith("masthead.")]
    for name in names:
        setattr(row, name, _address(changed[name]) if name in _ADDRESSES and changed[name] else changed[name])
    looks = {name.removeprefix("masthead."): value for name, value in changed.items() if name.startswith("masthead.")}
    row.masthead = {name: value for name, value in {**row.masthead, **looks}.items() if value}
    fields = {name.removesuffix("_id") for name in names}
    try:
        row.clean_fields(exclude={field.name for field in Newsletter._meta.fields} - fields)
    except ValidationError as error:
        raise Refused(f"{'; '.join(error.messages)} Nothing was changed.") from error
    if row.cutoff_before_s > row.compose_before_s:
        raise Refused(
            "The draft cannot be made after the last story was taken: put the draft before it. Nothing was changed."
        )
    if row.late_policy not in LATE_POLICIES:
        raise Refused(f"There is no late policy {row.late_policy!r}. Nothing was changed.")
    row.save(update_fields=[*fields, "masthead"])


def _address(said: str) -> str:
    try:
        return normal(said)
    except NotAnAddress as error:
        raise Refused(f"{str(error)[:1].upper()}{str(error)[1:]}. Nothing was changed.") from error


@transaction.atomic
def change_blocks(
    *, newsletter_id: int, parts: Sequence[Part], seen: str, actor: User, now: datetime, reason: str = ""
) -> str:
    """These blocks in this order, instead of those it has. Raises Refused, Overtaken."""
    row = _locked(newsletter_id, actor=actor)
    if seen and seen != mark_of_blocks(row):
        raise Overtaken(OVERTAKEN)
    if not parts:
        raise Refused("A newsletter needs a block: without one it carries nothing. Nothing was changed.")
    before = [_told(block.kind, block.title, block.rule) for block in row.blocks.all()]
    wanted = [_told(part.kind, part.title, part.rule or {}) for part in parts]
    if wanted == before:
        return "Nothing differs from what was kept. Nothing was changed."
    for position, part in enumerate(parts, start=1):
        _usable(position, part)
    _rewritten(row, parts)
    note(
        verb="change blocks", subject="newsletter", subject_id=row.id, now=now, actor=actor, reason=reason[:200],
        old=before, new=wanted,
    )  # fmt: skip
    _wake_drafts(row, now=now)
    return (
        f"Kept: the next draft of {row.name} is chosen by these blocks. Editions that are approved leave as they are."
    )


def _told(kind: str, title: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "title": title, "rule": dict(rule)}


def _usable(position: int, part: Part) -> None:
    try:
        Rule.of(position=position, kind=part.kind, title=part.title, rule=part.rule or {})
    except (UnusableRule, TypeError) as error:
        raise Refused(f"{str(error)[:1].upper()}{str(error)[1:]}. Nothing was changed.") from error


def _rewritten(row: Newsletter, parts: Sequence[Part]) -> None:
    """A block that becomes one of another kind is a new one: items of editions that left keep the kind they stood in."""
    kept = {block.id: block for block in row.blocks.all()}
    stay = {part.id for part in parts if part.id in kept and kept[part.id].kind == part.kind}
    row.blocks.exclude(id__in=stay).delete()
    row.blocks.update(position=F("position") + OUT_OF_THE_WAY)
    for position, part in enumerate(parts, start=1):
        block = kept[part.id] if part.id is not None and part.id in stay else Block(newsletter=row, kind=part.kind)
        block.position, block.title, block.rule = position, part.title, dict(part.rule or {})
        block.save()


def _locked(newsletter_id: int, *, actor: User) -> Newsletter:
    if not may_change(actor, newsletter_id):
        raise Refused(NOT_YOURS)
    row = Newsletter.objects.select_for_update(of=("self",)).get(id=newsletter_id)
    if row.state == Newsletter.State.ENDED:
        raise Refused(f"{row.name} has ended. Nothing was changed: an ended newsletter stays ended.")
    return row


def _wake_drafts(row: Newsletter, *, now: datetime) -> None:
    """Drafts that nobody has approved are made again."""
    drafts = row.editions.filter(state__in=[Edition.State.COLLECTING, Edition.State.READY], slot_at__gt=now)
    for edition_id in drafts.values_list("id", flat=True):
        wake(Job.EDITIONS_COMPOSE, edition_id=edition_id)
