"""A newsroom's own designs: kept in versions that never change, used by newsletters, taken back to an older one."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Design, DesignVersion, Edition, Newsletter
from pipeline.editions.own.design import lint
from pipeline.editions.own.problems import ERROR, placed_sentence
from pipeline.kernel.queue import Job, wake
from pipeline.kernel.templating import LARGEST_SOURCE
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, Role, User
from pipeline.staff.people import may_touch

NOT_YOURS = "Only a desk head or an administrator works on designs. Nothing was changed."


def may_design(actor: User) -> bool:
    """Whether this person writes designs."""
    return actor.is_active and actor.role in {Role.ADMIN, Role.HEAD}


@transaction.atomic
def begin(*, name: str, source: str, actor: User, now: datetime) -> Design:
    """A design of this name with its first version. Raises Refused."""
    _allowed(actor)
    named = " ".join(name.split())[:80]
    if not named:
        raise Refused("Give it a name: newsletters are told by it. Nothing was made.")
    try:
        with transaction.atomic():
            made = Design.objects.create(name=named, created_at=now)
    except IntegrityError as error:
        raise Refused(f"There is a design “{named}” already. Nothing was made; choose another name.") from error
    _kept(made, source, said="begun", actor=actor, now=now)
    return made


@transaction.atomic
def keep(*, design_id: int, seen: int, source: str, said: str, actor: User, now: datetime) -> DesignVersion:
    """A new version, also of a source that cannot be used yet. `seen` is the newest one this person knew. Raises Refused."""
    _allowed(actor)
    design = Design.objects.select_for_update().get(id=design_id)
    newest = design.versions.order_by("-number").first()
    if newest is not None and newest.number != seen:
        raise Refused(
            f"{newest.by or 'Somebody'} kept version {newest.number} while you were writing. Nothing was kept; yours stands "
            f"in the field. Look at theirs, then keep yours as the next."
        )
    if newest is not None and newest.source == source:
        raise Refused(f"It is the same as version {newest.number}. Nothing was kept.")
    return _kept(design, source, said=said, actor=actor, now=now)


@transaction.atomic
def restore(*, version_id: int, actor: User, now: datetime) -> DesignVersion:
    """An older version's source as the newest one. Raises Refused."""
    _allowed(actor)
    old = DesignVersion.objects.get(id=version_id)
    design = Design.objects.select_for_update().get(id=old.design_id)
    if design.versions.order_by("-number").values_list("number", flat=True).first() == old.number:
        raise Refused(f"Version {old.number} is the newest already. Nothing was changed.")
    return _kept(design, old.source, said=f"as version {old.number}", actor=actor, now=now)


@transaction.atomic
def use(*, version_id: int, newsletter_id: int, actor: User, now: datetime) -> str:
    """Set a newsletter in this version from its next draft on. Raises Refused."""
    row = _newsletter(newsletter_id, actor=actor)
    version = DesignVersion.objects.select_related("design").get(id=version_id)
    if fault := next((each for each in lint(version.source) if each.level == ERROR), None):
        raise Refused(f"Version {version.number} cannot be used yet. {placed_sentence(fault)} Nothing was changed.")
    _set(row, version.source, version, actor=actor, now=now)
    return f"{row.name} is set in “{version.design.name}”, version {version.number}, from its next draft on. Editions that are approved leave as they are."


@transaction.atomic
def use_shipped(*, newsletter_id: int, actor: User, now: datetime) -> str:
    """Back to the shipped design its masthead names. Raises Refused."""
    row = _newsletter(newsletter_id, actor=actor)
    if not row.own_design:
        raise Refused(f"{row.name} is set in a shipped design already. Nothing was changed.")
    _set(row, "", None, actor=actor, now=now)
    return f"{row.name} is set in “{row.masthead.get('design') or 'morning'}” again, from its next draft on."


def _allowed(actor: User) -> None:
    if not may_design(actor):
        raise Refused(NOT_YOURS)


def _kept(design: Design, source: str, *, said: str, actor: User, now: datetime) -> DesignVersion:
    source = source.replace("\r\n", "\n")
    if len(source) > LARGEST_SOURCE or "\x00" in source:
        raise Refused(f"A design may have {LARGEST_SOURCE} characters, and no zero bytes. Nothing was kept.")
    last = design.versions.order_by("-number").values_list("number", flat=True).first() or 0
    made = DesignVersion.objects.create(
        design=design, number=last + 1, source=source, note=" ".join(said.split())[:200], by=actor, at=now
    )
    note(verb="keep design", subject="design", subject_id=design.id, now=now, actor=actor, reason=made.note, version=made.number)  # fmt: skip
    return made


def _newsletter(newsletter_id: int, *, actor: User) -> Newsletter:
    if not may_design(actor) or not may_touch(actor, Grant.Kind.NEWSLETTER, newsletter_id):
        raise Refused(NOT_YOURS)
    return Newsletter.objects.select_for_update(of=("self",)).select_related("design_version").get(id=newsletter_id)


def _set(row: Newsletter, source: str, version: DesignVersion | None, *, actor: User, now: datetime) -> None:
    before = row.design_version
    row.own_design, row.design_version = source, version
    row.save(update_fields=["own_design", "design_version"])
    told = [f"{one.design_id}/{one.number}" if one else "" for one in (before, version)]
    note(verb="use design", subject="newsletter", subject_id=row.id, now=now, actor=actor, changed={"design": told})
    drafts = row.editions.filter(state__in=[Edition.State.COLLECTING, Edition.State.READY], slot_at__gt=now)
    for edition_id in drafts.values_list("id", flat=True):
        wake(Job.EDITIONS_COMPOSE, edition_id=edition_id)
